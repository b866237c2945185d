"""Listing a project's tools and trying one, and the models this machine knows."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from autoact.cli import main
from autoact.model.store import KNOWN
from autoact.project.project import Project, create


def test_list_tells_what_keeps_a_tool_from_running(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    (project.root / "tools.toml").write_text("[[tool]]\nname = 'Retrieve'\n[[tool]]\nname = 'Text2Image'\n")
    assert main(["tools", "list", str(project.root)]) == 0
    heading, retrieve, picture = capsys.readouterr().out.splitlines()
    assert heading.split() == ["NAME", "KIND", "STATE", "REASON"]
    assert retrieve.split() == ["Retrieve", "builtin", "ready"]
    assert picture.split()[:3] == ["Text2Image", "builtin", "needs-setting"]
    assert picture[heading.index("REASON") :].startswith("off: set `model`")
    assert main(["tools", "list", str(project.root), "--json"]) == 0
    assert [tool["state"] for tool in orjson.loads(capsys.readouterr().out)] == ["ready", "needs-setting"]


def test_try_prints_the_observation(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tools", "try", str(project.root), "retrieve", "Peru"]) == 0
    assert "Lima" in capsys.readouterr().out
    assert main(["tools", "try", str(project.root), "Calculator", "6 * 7", "--json"]) == 0
    seen = orjson.loads(capsys.readouterr().out)
    assert (seen["tool"], seen["text"], seen["failed"]) == ("Calculator", "42", False)


def test_try_tells_failure_from_bad_input(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tools", "try", str(project.root), "Calculator", "one / nothing"]) == 1
    assert capsys.readouterr().out.strip()
    assert main(["tools", "try", str(project.root), "Oracle", "x"]) == 2
    assert "no tool `Oracle` in this project; expected one of Retrieve" in capsys.readouterr().err


def test_models_list_tells_known_and_stored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("mistral-7b-instruct", "someone--tiny"):
        (tmp_path / "models" / name).mkdir(parents=True)
        (tmp_path / "models" / name / "config.json").write_text("{}")
    assert main(["models", "list", "--json"]) == 0
    rows = {row["name"]: row for row in orjson.loads(capsys.readouterr().out)}
    assert list(rows) == [*KNOWN, "someone--tiny"]
    assert rows["mistral-7b-instruct"]["state"] == rows["someone--tiny"]["state"] == "stored"
    assert rows["someone--tiny"]["bytes"] == 2
    assert rows["qwen2.5-7b-instruct"]["state"] == "on the hub"
    assert main(["models", "list"]) == 0
    assert str(tmp_path / "models" / "someone--tiny") in capsys.readouterr().out


def test_models_pull_prints_the_folder_or_says_what_it_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert main(["models", "pull", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path}\n"
    assert main(["models", "pull", str(tmp_path / "no.gguf")]) == 2
    assert "expected a folder with config.json or a .gguf file" in capsys.readouterr().err


def test_doctor_names_everything_a_run_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    found = {finding["name"]: finding for finding in orjson.loads(capsys.readouterr().out)}
    assert {
        "python",
        "torch",
        "cores",
        "threads",
        "memory",
        "device",
        "cache",
        "free disk",
        "embedded model",
        "sqlite",
    } <= set(found)
    assert [name for name, finding in found.items() if bool(finding["fix"]) == (finding["state"] == "ok")] == []


def test_every_tool_shows_that_it_works_where_the_corpus_is_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = create(tmp_path / "empty", "blank")
    (project.root / "tools.toml").write_text("[[tool]]\nname = 'Calculator'\n[[tool]]\nname = 'Lookup'\n")
    assert main(["tools", "test", str(project.root), "--all"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line for line in told if line.startswith("cannot run  Lookup")]
    for name in ("WebSearch", "Retrieve"):
        assert [line for line in told if line.startswith("passed") and f" {name} " in line and "on a sample" in line]
