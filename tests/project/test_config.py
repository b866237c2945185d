"""Settings from TOML, presets and changes, and what is said about the ones that cannot be."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from autoact.errors import BadInput, BadProject
from autoact.project.config import Config
from autoact.project.config_file import merge, read
from autoact.project.presets import PRESETS
from autoact.run.record.folder import to_toml


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "project.toml"


def message(file: Path, text: str, **how: object) -> str:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as found:
        read(file, **how)  # type: ignore[arg-type]
    return str(found.value)


def test_an_empty_file_is_all_defaults(file: Path) -> None:
    file.write_text("")
    assert read(file) == Config()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[task]\nname = 'x'\n\n[synthesis]\nsampels = 3\n", (":5", "`synthesis.sampels`", "did you mean `samples`")),
        ("[task]\nname = 'x'\n[sythesis]\nsamples = 3\n", (":3", "`sythesis`", "did you mean `synthesis`")),
        ("[model]\nqqq = 1\n", (":2", "`model.qqq`", "known: id, device")),
        ("[synthesis]\nsamples = 'many'\n", (":2", "`synthesis.samples`", "int", "str")),
        ("[synthesis]\n# samples\nsteps = 3\nsamples = 1.5\n", (":4", "`synthesis.samples`")),
        ("[model]\ndevice = 'gpu'\n", (":2", "`model.device`", "gpu")),
        ("[task]\nname = 3\n", (":2", "`task.name`", "str", "int")),
        ("[self_instruct]\ntypes = { twohop = 1 }\n", (":2", "`self_instruct.types.twohop`", "did you mean `two_hop`")),
        ("[self_instruct.types]\ntwo_hop = -1\n", (":2", "`self_instruct.types.two_hop`", ">= 0")),
        ("task = 3\n", (":1", "`task`", "object", "int")),
        ("[task\n", ("not valid TOML", "line 1")),
        ("[task]\nname = 'x'\nname = 'y'\n", ("not valid TOML", "line 3")),
    ],
)
def test_a_mistake_is_told_with_its_place(file: Path, text: str, parts: tuple[str, ...]) -> None:
    said = message(file, text)
    assert all(part in said for part in (str(file), *parts)), said


def test_a_missing_file_and_other_letters(file: Path) -> None:
    with pytest.raises(BadProject, match="autoact new"):
        read(file)
    file.write_bytes(b"[task]\nname = '\xff'\n")
    with pytest.raises(BadProject, match="not UTF-8.*byte 15"):
        read(file)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_valid_and_change_something(file: Path, preset: str) -> None:
    file.write_text("[task]\nname = 'mine'\n[self_instruct]\ntarget = 5\n")
    config = read(file, preset=preset)
    assert config.task.name == "mine"
    assert config != read(file)


def test_the_papers_recipe_learns_from_no_failed_tries(file: Path) -> None:
    file.write_text("[differentiation]\nfailures = 'preference'\n")
    assert read(file).differentiation.failures == "preference"
    assert read(file, preset="paper").differentiation.failures == "none"
    assert Config().differentiation.failures == "none"


def test_an_unknown_preset(file: Path) -> None:
    assert "known: quick, full, paper, modern" in message(file, "", preset="fast")


def test_changes_win_over_preset_and_file(file: Path) -> None:
    file.write_text("[synthesis]\nsamples = 2\nsteps = 9\n")
    changes = {"synthesis.samples": "8", "model.id": "org/some-model", "filtering.grounded": "false"}
    config = read(file, preset="quick", changes={**changes, "differentiation.targets": '["q_proj"]'})
    assert (config.synthesis.samples, config.synthesis.steps) == (8, 9)
    assert config.model.id == "org/some-model"
    assert config.filtering.grounded is False
    assert config.differentiation.targets == ("q_proj",)


@pytest.mark.parametrize(
    ("key", "value", "parts"),
    [
        ("samples", "8", ("`samples`", "section.key=value")),
        ("synthesis.sampels", "8", ("`synthesis.sampels`", "did you mean `samples`")),
        ("synthesis.samples", "many", ("`synthesis.samples`", "int")),
        ("nothing.samples", "8", ("`nothing`", "unknown key")),
        ("synthesis.samples.more", "8", ("`synthesis.samples`", "expected `int`")),
    ],
)
def test_changes_that_cannot_be(file: Path, key: str, value: str, parts: tuple[str, ...]) -> None:
    said = message(file, "", changes={key: value})
    assert all(part in said for part in parts), said


def test_a_mistake_in_the_file_is_told_even_when_a_change_covers_it(file: Path) -> None:
    assert ":2" in message(file, "[synthesis]\nsamples = 'x'\n", changes={"synthesis.samples": "3"})


def test_a_runs_settings_come_back_as_they_were(file: Path) -> None:
    file.write_text("[task]\nname = 'a \"b\" ü'\n", "utf-8")
    config = read(file, preset="quick")
    again = file.with_name("run.toml")
    again.write_text(to_toml(msgspec.to_builtins(config)), "utf-8")
    assert read(again) == config


def test_lines_are_counted_by_line_feeds(tmp_path: Path) -> None:
    text = '[task]\nname = "two\u2028lines\u0085or three"\n[synthesis]\nsamples = "x"\n'
    (tmp_path / "project.toml").write_text(text, "utf-8")
    with pytest.raises(BadProject, match=r"project\.toml:4, key `synthesis\.samples`"):
        read(tmp_path / "project.toml")


def test_a_table_of_adapters_replaces_the_one_before() -> None:
    base = {"differentiation": {"rank": 8, "adapters": {"plan": ["plan"], "tool": ["tool"]}}}
    given = {"differentiation": {"adapters": {"all": ["plan", "tool"]}}}
    assert merge(base, given) == {"differentiation": {"rank": 8, "adapters": {"all": ["plan", "tool"]}}}
