"""New projects check out, and broken ones are told where they are broken."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from autoact.cli import main
from autoact.project.project import TEMPLATES, Project, create

MISTAKES = [
    ("examples.jsonl", "", "examples.jsonl: empty; expected at least one example"),
    ("examples.jsonl", '\n{"question": "Who?"}', "examples.jsonl:2, key `answer`: expected a text, found nothing"),
    ("examples.jsonl", '{"question": 7, "answer": "a"}', "examples.jsonl:1, key `question`: expected a text, found 7"),
    (
        "questions/heldout.jsonl",
        '{"question": "Who?", "answer": " "}',
        "heldout.jsonl:1, key `answer`: expected a text",
    ),
    ("questions/reference.jsonl", "{oops", "reference.jsonl:1: not valid JSON"),
    (
        "questions/reference.jsonl",
        '{"question": "Which?", "choices": ["salt", "iron"], "answer": "C"}',
        "reference.jsonl:1, key `answer`: expected a letter from A to B, or the words of an option, found 'C'",
    ),
    (
        "project.toml",
        "[synthesis]\nsampels = 3",
        "toml:2, key `synthesis.sampels`: unknown key; did you mean `samples`?",
    ),
    ("project.toml", "[synthesis]\nsamples = 'x'", "toml:2, key `synthesis.samples`: expected `int`, got `str`"),
    ("project.toml", "[task\n", "not valid TOML"),
    ("project.toml", "[model]\nid = 'smoll'", "key `model.id`: unknown model `smoll`; expected one of smollm2"),
    ("project.toml", "[model]\nid = './no.gguf'", "key `model.id`: no model at ./no.gguf; expected a folder"),
    (
        "tools.toml",
        "[[tool]]\nname = 'Retreive'",
        "key `tool[1].name`: unknown tool `Retreive`; did you mean `Retrieve`?",
    ),
    ("tools.toml", "[[tool]]\nname = 'Text2Image'", "tools.toml: no tool can run"),
]


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_new_project_checks_out(template: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "mine"
    assert main(["new", str(folder), "--template", template]) == 0
    told = capsys.readouterr().out
    assert f"autoact check {folder}" in told
    assert f"autoact run {folder}" in told
    assert main(["check", str(folder)]) == 0
    shown = capsys.readouterr()
    assert "examples" in shown.out
    # an empty corpus leaves its tools unready, and pictures want an optional package
    told = (" is not ready: ", ", which is not a ready tool; ", "`seed-001` is the example of the blank template")
    assert all(any(part in line for part in told) for line in shown.err.splitlines()), shown.err
    assert ("the blank template" in shown.err) == (template == "blank")


def test_a_tool_whose_host_has_no_address_is_told(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    (project.root / "tools.toml").write_text(
        '[[tool]]\nname = "Retrieve"\nsettings = {source = "wikipedia", site = "https://"}\n'
        '[[tool]]\nname = "WebSearch"\n'
        'settings = {source = "searxng", host = "http://127.0.0.1:8", allow = ["127.0.0.1"]}\n'
    )
    assert main(["check", str(project.root)]) == 0
    (warning,) = [line for line in capsys.readouterr().err.splitlines() if "would fail" in line]
    assert warning.startswith("warning: tools.toml: calls of Retrieve would fail: ")


def test_examples_may_call_a_tool_by_another_of_its_names(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    step = '{"thought": "t", "action": "BingSearch", "argument": "Peru"}'
    (project.root / "examples.jsonl").write_text(
        f'{{"question": "Where?", "answer": "Lima", "steps": [{step}]}}\n', encoding="utf-8"
    )
    assert main(["check", str(project.root)]) == 0
    assert "BingSearch" not in capsys.readouterr().err


def test_new_refuses_a_full_folder_and_an_unknown_template(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["new", str(tmp_path)]) == 2
    assert "not empty" in capsys.readouterr().err
    assert main(["new", str(tmp_path / "x"), "--template", "nix"]) == 2
    assert "known: starter, hotpotqa, scienceqa, textworld, blank" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("file", "content", "told"), MISTAKES)
def test_a_mistake_is_told_with_its_place(
    file: str, content: str, told: str, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / file).write_text(content)
    assert main(["check", str(project.root)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    (error,) = [line for line in shown.err.splitlines() if line.startswith("error: ")]
    assert str(project.root / file) in error
    assert told in error


def test_every_mistake_is_told_at_once(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    (project.root / "examples.jsonl").write_text("")
    (project.root / "project.toml").write_text("[taks]")
    (project.root / "tools.toml").write_text("[[tool]]")
    twin = '{"id": "q", "question": "Who?", "answer": "a"}\n'
    (project.root / "questions" / "heldout.jsonl").write_text(twin * 2)
    assert main(["check", str(project.root), "--json"]) == 2
    found = orjson.loads(capsys.readouterr().out)
    assert found["ok"] is False
    assert [line for line in found["errors"] if "project.toml" in line and "`task`" in line]
    assert [line for line in found["errors"] if "examples.jsonl" in line]
    assert [line for line in found["errors"] if "tools.toml" in line and "expected the name of a tool" in line]
    assert [line for line in found["errors"] if "heldout.jsonl" in line and "`q` is already used in line 1" in line]
    assert len(found["errors"]) == 4


def test_what_keeps_no_run_from_starting_is_a_warning(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    long_line = '{"title": "Long", "text": "' + "x" * 10_000_000 + '"}\n'
    (project.root / "corpus" / "more.jsonl").write_text(long_line + '{"title": "Chad", "text": "A country."}\n')
    example = '{"id": "e", "question": "Which sea is salty?", "answer": "all", "steps": [%s]}'
    step = '{"thought": "t", "action": "Image2Text", "argument": "a"}'
    (project.root / "examples.jsonl").write_text(example % step)
    (project.root / "project.toml").write_text("[task]\nname = ' '\n")
    assert main(["check", str(project.root), "--json"]) == 0
    found = orjson.loads(capsys.readouterr().out)
    assert found["errors"] == []
    assert found["counts"]["pages"] == 2
    assert [line for line in found["warnings"] if "more.jsonl:1" in line]
    assert [line for line in found["warnings"] if "`e` uses `Image2Text`" in line]
    assert [line for line in found["warnings"] if "project.toml, key `task.name`: blank;" in line]
    assert [line for line in found["warnings"] if "repeats the practice question `e`" in line]


def test_new_in_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["new", str(tmp_path / "file" / "sub" / "mine")]) == 2
    assert capsys.readouterr().err == f"autoact: cannot write in {tmp_path / 'file' / 'sub'}: Not a directory\n"


def test_a_folder_here_that_hides_a_project_is_told(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOACT_PROJECTS", str(tmp_path / "own"))
    other = create(tmp_path / "own" / "project", "blank")
    monkeypatch.chdir(tmp_path)
    assert main(["runs", "project"]) == 0
    assert capsys.readouterr().err == f"`project` is here the folder {project.root}, not the project {other.root}\n"
    monkeypatch.chdir(tmp_path / "own")
    assert main(["runs", "project"]) == 0
    assert main(["runs", "./project"]) == 0
    assert capsys.readouterr().err == ""


def test_no_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "nowhere")]) == 2
    assert "expected a folder with a project.toml" in capsys.readouterr().err


def test_questions_that_repeat_practice_or_need_pages_that_are_missing(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / "tools.toml").write_text('[[tool]]\nname = "Retrieve"\n')
    (project.root / "examples.jsonl").write_text(
        '{"id": "e", "question": "What is Peru\'s capital?", "answer": "Lima"}\n'
    )
    asked = [
        '{"id": "h-1", "question": "What is Peru\'s capitol?", "answer": "Lima", "gold": ["Peru"]}',
        '{"id": "h-2", "question": "What of Chad?", "answer": "Dry", "gold": ["Peru", "Chad"]}',
        '{"id": "h-3", "question": "What is the PERU\'s capital", "answer": "Lima"}',
    ]
    (project.root / "questions" / "heldout.jsonl").write_text("\n".join(asked))
    assert main(["check", str(project.root), "--json"]) == 0
    found = orjson.loads(capsys.readouterr().out)
    assert found["counts"]["coverage"] == (
        "the corpus has the gold pages of 1 of 2 questions, Retrieve opens those of 1, and a page says the answer of 1"
    )
    assert found["warnings"] == [
        "questions/heldout.jsonl: `h-1` nearly repeats the practice question `e`",
        "questions/heldout.jsonl: `h-3` repeats the practice question `e`",
        "corpus: the questions need 1 pages that the corpus has not: Chad",
    ]


def test_a_file_of_questions_is_checked_over_its_own_paragraphs(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / "tools.toml").write_text('[[tool]]\nname = "Retrieve"\n')
    file = tmp_path / "data.jsonl"
    file.write_text(
        '{"_id": "d-1", "question": "Where does Chad end?", "answer": "Niger", "supporting_facts": [["Chad", 0]], '
        '"context": [["Chad", ["Chad ends at Niger."]]]}\n'
    )
    assert main(["check", str(project.root), "--data", str(file), "--json"]) == 0
    counts = orjson.loads(capsys.readouterr().out)["counts"]
    assert (counts["questions of the file"], counts["pages"]) == (1, 1)
    assert counts["coverage"].startswith("the corpus has the gold pages of 1 of 1 questions, Retrieve opens those of 1")
    assert main(["check", str(project.root), "--data", str(tmp_path / "none.jsonl")]) == 2
    assert "none.jsonl: not found; expected a file" in capsys.readouterr().err
