"""`autoact doctor --model`: the memory plan on the command line."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from autoact.cli import main

SMALL = {
    "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_attention_heads": 9,
    "num_hidden_layers": 30, "num_key_value_heads": 3, "max_position_embeddings": 1500, "tie_word_embeddings": True,
    "vocab_size": 49152,
}  # fmt: skip


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with nothing but a configuration: there are no weights to load."""
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(SMALL))
    return folder


def test_plan_for_people_ends_with_settings(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--model", str(model), "--memory", "24"]) == 0
    text = capsys.readouterr().out
    assert "134,515,008 parameters" in text
    assert "simulated GPU with 24.0 GB" in text
    assert "up to 1,500 tokens" in text  # its window
    lines = tomllib.loads(text[text.index("# project.toml") :])
    assert lines == {"model": {"id": str(model), "precision": "bfloat16", "lanes": 24}}


def test_plan_for_programs(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--model", str(model / "config.json"), "--memory", "80", "--cards", "2", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["devices"]["memory"] == [80_000_000_000, 80_000_000_000]
    assert plan["chosen"] == plan["options"][0]
    assert plan["chosen"]["weights"] == 2 * 134_515_008
    assert plan["lines"][0] == "[model]"


def test_model_that_does_not_fit_fails(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (model / "config.json").write_text(json.dumps({**SMALL, "hidden_size": 57600}))
    assert main(["doctor", "--model", str(model), "--memory", "24"]) == 1
    text = capsys.readouterr().out
    assert "does not fit" in text
    assert "project.toml" not in text


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--memory", "0"], "--memory"),
        (["--memory", "nan"], "--memory"),
        (["--memory", "8", "--cards", "0"], "--cards"),
        (["--tokens", "-1"], "--tokens"),
        (["--cards", "2"], "--cards"),
    ],
)
def test_bad_sizes_are_refused(
    model: Path, options: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--model", str(model), *options]) == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize("name", ["model.gguf", "smollm2-135m-instruct"])
def test_model_to_convert_is_not_loaded(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--model", name, "--memory", "24"]) != 0
    assert f"autoact models pull {name}" in capsys.readouterr().err


def test_options_of_the_plan_need_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--memory", "24"]) == 2
    assert "--model" in capsys.readouterr().err
