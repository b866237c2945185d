"""`autoact eval` says what is wrong with a file before any job starts, and who can answer."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from autoact.cli import main
from autoact.cli.start import evaluate, run_start
from autoact.cli.start.run_start import check
from autoact.errors import BadInput
from autoact.project.config import Plan
from autoact.project.project import Project, create
from autoact.registry.methods import answerable_methods

ROW = {"question": "Who wrote Fidelio?", "answer": "Beethoven"}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", '{"question": "Who?"}\n', "a.jsonl:1, key `answer`: expected a text, found nothing"),
        ("a.jsonl", json.dumps(ROW) + "\n{oops\n", "a.jsonl:2: not valid JSON"),
        ("a.jsonl", json.dumps({**ROW, "context": [["Bonn"]]}), "a.jsonl:1, key `context`: expected paragraphs"),
        ("a.json", json.dumps([ROW, 3]), "a.json, record 2: expected a JSON object, found int"),
        ("a.csv", "Who?,Beethoven\n", "a.csv:1: expected a JSON object, or a header"),
        ("a.jsonl", json.dumps({**ROW, "id": 1}) + "\n" + json.dumps({**ROW, "pid": 1}), "a.jsonl:2, key `id`: `1` is"),
        ("a.jsonl", "\n", "a.jsonl: empty; expected at least one question"),
    ],
)
def test_a_bad_file_starts_no_run(
    name: str, content: str, told: str, project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(content)
    assert main(["eval", str(project.root), "--data", str(tmp_path / name)]) == 2
    assert told in capsys.readouterr().err
    assert not list((project.root / "runs").glob("*"))


def test_new_starts_another_run_with_the_same_settings(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(run_start, "launch_and_follow", lambda folder, show, detach: started.append(folder.name) or 0)
    for options in ([], [], ["--new"]):
        assert main(["eval", str(project.root), *options]) == 0
    first, resumed, new = started
    assert first == resumed != new


def test_there_must_be_questions(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.questions_file("heldout").unlink()
    assert main(["eval", str(project.root)]) == 2
    assert "heldout.jsonl: not found; expected questions here, or in a file named by --data" in capsys.readouterr().err
    assert main(["eval", str(project.root), "--data", "nowhere.jsonl"]) == 2
    assert "nowhere.jsonl: not found; expected a file" in capsys.readouterr().err
    assert main(["eval", str(project.root), "--limit", "-1"]) == 2
    assert "expected 0 or more questions, found -1" in capsys.readouterr().err
    assert main(["eval", str(project.root), "--tokens", "-1"]) == 2
    assert "key `--tokens`: expected 0 or more tokens, found -1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("method", "casts", "told"),
    [
        ("", ("meta",), "no run has trained a group yet"),
        ("meta", ("meta",), ""),
        ("group, meta", ("group", "meta"), ""),
        ("cot, meta, cot", ("cot", "meta"), ""),
        ("all", answerable_methods(trained=False, gold=True), ""),
        ("meta, all", answerable_methods(trained=False, gold=True), ""),
    ],
)
def test_without_a_trained_group_the_meta_agent_answers_alone(
    method: str, casts: tuple[str, ...], told: str, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate._methods(project, argparse.Namespace(method=method, base="")) == casts
    assert capsys.readouterr().err.startswith(told)


def test_a_method_that_sees_the_gold_answer_is_refused_without_one(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["ask", str(project.root), "Who wrote Fidelio?", "--method", "reflexion-gold"])
    assert "`reflexion-gold` sees the gold answer, which only questions of `autoact eval`" in capsys.readouterr().err
    config = project.config(changes={"group_planning.compare": ["reflexion-gold"]})
    asked = replace(config, run=Plan(stages=("group_planning",), question="Who wrote Fidelio?"))
    with pytest.raises(BadInput, match="sees the gold answer, and question asked has none"):
        check(project, asked)


def test_a_group_that_is_asked_for_must_be_trained(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", str(project.root), "--method", "group"]) == 2
    assert "no run of this project has trained a group yet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("row", "unready"),
    [
        (ROW, ["Retrieve", "Lookup", "WebSearch"]),
        ({**ROW, "context": [["Fidelio", ["An opera."]]]}, []),
    ],
)
def test_tools_that_cannot_run_are_told_before_a_job_starts(
    row: dict[str, object], unready: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = create(tmp_path / "p", "hotpotqa")
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    plan = Plan(stages=("group_planning",), data=str(tmp_path / "a.jsonl"))
    check(project, replace(project.config(changes={"model.id": str(tmp_path / "model")}), run=plan))
    assert [line.partition(" is not ready: ")[0] for line in capsys.readouterr().err.splitlines()] == unready
