"""`autoact serve`: the command of a model server for a project, and the settings that use it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from autoact.cli import main
from autoact.project.project import Project
from autoact.security import trust

CONFIG = {
    "model_type": "llama", "hidden_size": 8192, "intermediate_size": 28672, "num_attention_heads": 64,
    "num_hidden_layers": 80, "num_key_value_heads": 8, "max_position_embeddings": 131072, "vocab_size": 128256,
}  # fmt: skip


@pytest.fixture
def served(project: Project, tmp_path: Path) -> Project:
    """A project whose model is a folder with a configuration."""
    folder = tmp_path / "a model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    set_model(project)
    return project


def set_model(project: Project, more: str = "", model: str = "") -> None:
    model = model or str(project.root.parent / "a model")
    (project.root / "project.toml").write_text(f"[model]\nid = {json.dumps(model)}\n{more}")


def parse(text: str) -> tuple[dict[str, str], list[str], dict[str, str | None]]:
    """Environment, positional words and options of the first line that is printed."""
    words = shlex.split(text.splitlines()[0])
    environment: dict[str, str] = {}
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    options: dict[str, str | None] = {}
    plain: list[str] = []
    for at, word in enumerate(words):
        if word.startswith("--"):
            follows = words[at + 1] if at + 1 < len(words) else "--"
            options[word] = None if follows.startswith("--") else follows
        elif not (at and words[at - 1].startswith("--")):
            plain.append(word)
    return environment, plain, options


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["serve", *arguments]) == 0
    return capsys.readouterr().out


def test_command_of_vllm(served: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, str(served.root))
    environment, words, options = parse(text)
    assert environment == {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1", "VLLM_SERVER_DEV_MODE": "1"}
    assert words == ["vllm", "serve", str(tmp_path / "a model")]
    assert options["--host"] == "127.0.0.1"
    assert options["--port"] == "8000"
    assert options["--max-loras"] == "3"
    assert options["--max-lora-rank"] == "8"
    assert options["--dtype"] == "auto"
    assert options["--max-num-seqs"] == "24"
    assert {"--enable-lora", "--enable-prefix-caching", "--enable-sleep-mode"} <= set(options)
    settings = tomllib.loads(text.partition("# project.toml")[2])
    assert settings["model"] == {"engine": "server"}
    assert settings["server"] == {"urls": ["http://127.0.0.1:8000"], "dialect": "vllm"}


@pytest.mark.parametrize(("rank", "reserved"), [(1, "1"), (2, "8"), (16, "16"), (17, "32"), (300, "320")])
def test_smallest_rank_that_vllm_has_room_for(
    served: Project, rank: int, reserved: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_model(served, f"[differentiation]\nrank = {rank}\n")
    assert parse(printed(capsys, str(served.root)))[2]["--max-lora-rank"] == reserved


def test_rank_that_vllm_refuses(served: Project, capsys: pytest.CaptureFixture[str]) -> None:
    set_model(served, "[differentiation]\nrank = 600\n")
    assert main(["serve", str(served.root)]) == 2
    assert "differentiation.rank" in capsys.readouterr().err


@pytest.mark.parametrize("dialect", ["vllm", "sglang"])
def test_activated_adapters_are_not_served(served: Project, dialect: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_model(served, '[differentiation]\nadapter = "alora"\n')
    assert main(["serve", str(served.root), "--dialect", dialect]) == 2
    assert "differentiation.adapter" in capsys.readouterr().err


def test_length_follows_the_projects_prompts(served: Project, capsys: pytest.CaptureFixture[str]) -> None:
    def length() -> int:
        return int(parse(printed(capsys, str(served.root)))[2]["--max-model-len"] or 0)

    short = length()
    held_out = served.questions_file("heldout")
    held_out.write_text(json.dumps({"question": "Why? " * 1000, "answer": "all"}) + "\n")
    long = length()
    set_model(served, "[synthesis]\nsteps = 12\n")
    assert short % 256 == 0
    assert long - short == pytest.approx(5000 / 3, abs=256)
    assert length() > long


def test_length_stays_within_the_models_window(
    served: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a model" / "config.json").write_text(json.dumps({**CONFIG, "max_position_embeddings": 700}))
    assert parse(printed(capsys, str(served.root)))[2]["--max-model-len"] == "700"


@pytest.mark.parametrize(("number", "shared"), [(1, "1"), (2, "2"), (4, "2"), (8, "2")])
def test_model_is_divided_among_as_many_gpus_as_it_needs(
    served: Project, number: int, shared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    simulate_gpus(number, tmp_path, monkeypatch)
    assert parse(printed(capsys, str(served.root)))[2]["--tensor-parallel-size"] == shared
    assert parse(printed(capsys, str(served.root), "--cards", "4"))[2]["--tensor-parallel-size"] == "4"


def simulate_gpus(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a program on the PATH that lists so many GPUs."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    cards = "".join(f"echo '{index}, GPU-{index}, NVIDIA X, 81559'\n" for index in range(number))
    program.write_text(f"#!/bin/sh\n{cards}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.mark.parametrize(
    ("options", "sleeps"), [((), True), (("--host", "10.1.2.3"), None), (("--dialect", "sglang"), None)]
)
def test_a_server_on_a_gpu_sleeps_while_the_run_trains(
    served: Project, options: tuple[str, ...], sleeps: bool | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    simulate_gpus(1, tmp_path, monkeypatch)
    settings = tomllib.loads(printed(capsys, str(served.root), *options).partition("# project.toml")[2])
    assert settings["server"].get("sleep") is sleeps


@pytest.mark.parametrize(("host", "url"), [("0.0.0.0", "http://0.0.0.0:9"), ("10.1.2.3", "http://10.1.2.3:9")])
def test_other_machines_cannot_put_it_to_sleep(
    served: Project, host: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(capsys, str(served.root), "--host", host, "--port", "9")
    environment, _, options = parse(text)
    assert "VLLM_SERVER_DEV_MODE" not in environment
    assert "--enable-sleep-mode" not in options
    assert url in text
    assert "server.key" in text


@pytest.mark.parametrize("host", ["::1", "localhost"])
def test_loopback_by_other_names(served: Project, host: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, str(served.root), "--host", host)
    assert "VLLM_SERVER_DEV_MODE" in parse(text)[0]
    (url,) = tomllib.loads(text.partition("# project.toml")[2])["server"]["urls"]
    assert url == ("http://[::1]:8000" if host == "::1" else "http://localhost:8000")


def test_command_of_sglang(served: Project, capsys: pytest.CaptureFixture[str]) -> None:
    set_model(served, '[differentiation]\ntargets = ["q_proj", "o_proj"]\n')
    text = printed(capsys, str(served.root), "--dialect", "sglang")
    _, words, options = parse(text)
    assert words[0] == "python3"
    assert {"--enable-lora", "--enable-memory-saver"} <= set(options)
    assert options["--max-loras-per-batch"] == "4"  # the base model counts
    assert "--lora-target-modules q_proj o_proj --" in text
    assert 'dialect = "sglang"' in text


def test_command_of_llamacpp(served: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "small.gguf"
    file.write_bytes(b"GGUF")
    set_model(served, "lanes = 5\n", str(file))
    _, words, options = parse(printed(capsys, str(served.root), "--dialect", "llamacpp"))
    assert words == ["llama-server"]
    assert options["--model"] == str(file)
    assert options["--parallel"] == "5"
    assert int(options["--ctx-size"] or 0) % 5 == 0
    set_model(served)
    assert main(["serve", str(served.root), "--dialect", "llamacpp"]) == 2
    assert ".gguf" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("precision", "options"),
    [("float16", ["--dtype", "float16"]), ("bfloat16", ["--dtype", "bfloat16"])],
)
def test_precision(served: Project, precision: str, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    set_model(served, f'precision = "{precision}"\n')
    assert shlex.join(options) in printed(capsys, str(served.root))


def test_command_for_programs(served: Project, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, str(served.root), "--json"))
    assert found["command"][:2] == ["vllm", "serve"]
    assert found["environment"]["VLLM_SERVER_DEV_MODE"] == "1"
    assert tomllib.loads(found["settings"])["model"] == {"engine": "server"}


FAKE = """#!{python}
import json, os, sys
kept = {{name: value for name, value in os.environ.items() if name.startswith("VLLM")}}
print(json.dumps([sys.argv[1:], kept]))
sys.exit(7)
"""


@pytest.mark.parametrize("named", ["", "vllm", "python3"])
def test_server_is_started_with_what_is_printed(served: Project, tmp_path: Path, named: str) -> None:
    program = tmp_path / "bin" / "vllm"
    program.parent.mkdir()
    program.write_text(FAKE.format(python=sys.executable))
    program.chmod(0o755)
    there = (
        {"AUTOACT_VLLM": str(program.with_name(named))} if named else {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    )
    environment = {**os.environ, **there}
    command = [sys.executable, "-m", "autoact", "serve", str(served.root), "--start"]
    started = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert started.returncode == 7, started.stderr  # the server's own
    *text, recorded = started.stdout.splitlines()
    arguments, variables = json.loads(recorded)
    assert ["vllm", *arguments] == shlex.split(text[0])[2:]
    assert variables == parse(text[0])[0]


def test_program_that_is_not_here(
    served: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["serve", str(served.root), "--start"]) == 2
    error = capsys.readouterr().err
    assert "pip install vllm" in error
    assert "AUTOACT_VLLM" in error


def test_foreign_project_starts_nothing(served: Project, capsys: pytest.CaptureFixture[str]) -> None:
    trust.revoke(served.root)
    assert main(["serve", str(served.root), "--start"]) != 0
    assert "autoact trust" in capsys.readouterr().err


def test_model_that_would_be_an_option(served: Project, capsys: pytest.CaptureFixture[str]) -> None:
    set_model(served, model="--trust-remote-code")
    assert main(["serve", str(served.root)]) == 2
    assert "model.id" in capsys.readouterr().err
