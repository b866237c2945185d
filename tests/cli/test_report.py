"""`autoact report`: one run, or several compared, as one HTML file or as Markdown."""

from __future__ import annotations

import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

import autoact.events as happened
from autoact.cli import main
from autoact.project.project import Project
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import LogWriter
from autoact.trajectory import Question, Step, Trajectory, Verdict

HOSTILE = "<script>alert(1)</script>\x1b[2J"


def run_of(project: Project, f1: list[float], *, seed: int = 7, name: str = "full") -> RunFolder:
    """A finished run with a question for each score, a training of 30 steps, and a hostile text."""
    folder = new_run(project.root, name, {"model": {"seed": seed}}, now=datetime(2026, 11, 22, 14, 30))
    with LogWriter(folder) as log:
        log.append(happened.RunOpened(1, 7, "here", "scripted", {"model": {"seed": seed}}, {"corpus": "c1"}))
        log.append(happened.StageStarted("synthesis", 2))
        made = Trajectory("t-1", Question("q-1", "Who?", "x"), (Step("look", "Retrieve", HOSTILE, "seen"),), "x")
        log.append(happened.TrajectoryCommitted(made))
        log.append(happened.TrajectoryJudged(Verdict("t-1", False, 0.0, "wrong answer")))
        log.append(happened.StageFinished("synthesis", 1, 12.5))
        for step in range(30):
            log.append(happened.TrainStepped("plan", step, 30, 3.0 - step / 15, 1e-3, 1.0, 40, 100.0))
        for cast in ("group", "meta"):
            for n, value in enumerate(f1):
                text = HOSTILE if n == 0 else "x"
                steps = (Step("look", "Retrieve", text, "seen"),)
                solved = Trajectory(f"{cast}-{n}", Question(f"q-{n}", f"{n}?", "x"), steps, text, cast=cast)
                log.append(happened.QuestionSolved(cast, solved, value, value, True, 2.0, 100))
        log.append(happened.RunFinished())
    return folder


class Page(HTMLParser):
    """The tags of a page, and the addresses that it would load."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "data")]


def test_a_run_as_one_html_file(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run_of(project, [0.0, 1.0, 1.0, 0.5])
    file = tmp_path / "report.html"
    assert main(["report", str(folder.path), "--html", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}\n"
    text = file.read_text("utf-8")
    page = Page(text)
    assert page.loads == []
    assert "script" not in page.tags
    assert page.tags.count("svg") == 2, "scores and losses"
    assert "&lt;script&gt;alert(1)" in text
    assert "\x1b" not in text
    for expected in (
        "finished",
        "wrong answer",
        "<td>group</td><td>4</td><td>62.5</td>",
        "seed = 7",
        "<td>12 s</td>",
        "plan: 2.933 to",
    ):
        assert expected in text, expected


def test_a_run_as_markdown(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    run_of(project, [0.0, 1.0])
    assert main(["report", str(project.root)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# project: run 2026-11-22T1430-full-")
    assert "| group | 2 | 50.0 |" in text
    assert "- trajectories: 1 tried, 0 kept; refused: 1 wrong answer" in text
    assert "<script" not in re.sub("^    .*$", "", text, flags=re.MULTILINE), "only in code, which is not read as HTML"


def test_runs_are_compared_and_each_reported(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = run_of(project, [0.0] * 20), run_of(project, [0.0] + [1.0] * 19, seed=8)
    assert main(["report", str(first.path), str(second.path)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# 2 runs compared\n\n- A: " + first.name)
    assert "A group, B group: B group is better" in text
    assert "| model.seed | 7 | 8 |" in text
    assert f"## project: run {first.name}" in text
    assert f"## project: run {second.name}" in text


def test_a_run_that_has_only_begun(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    folder = new_run(project.root, "quick", {}, now=datetime(2026, 11, 22, 14, 30))
    assert main(["report", str(folder.path)]) == 0
    assert "interrupted (never began), 0 s at work." in capsys.readouterr().out


def test_runs_that_cannot_be_compared(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run_of(project, [1.0])
    empty = new_run(project.root, "quick", {}, now=datetime(2026, 11, 22, 14, 30))
    assert main(["report", str(folder.path), str(empty.path)]) == 2
    assert "has no scored answers" in capsys.readouterr().err
    assert main(["report", str(folder.path), str(folder.path), "--run", "x"]) == 2
    assert "name the folder of each run instead" in capsys.readouterr().err


def test_a_session_with_its_questions_and_forks(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    folder = new_run(project.root, "session", {}, now=datetime(2026, 11, 22, 15, 0))
    question = Question("asked-0001", "Which sea is salty?")

    def answered(unit: str, answer: str) -> happened.QuestionSolved:
        made = Trajectory(unit, question, (Step("look", "Retrieve", "sea", "seen"),), answer, cast="group")
        return happened.QuestionSolved("group", made, 0.0, 0.0, False, 2.0, 50)

    with LogWriter(folder) as log:
        log.append(happened.RunOpened(1, 7, "here"))
        log.append(happened.QuestionAccepted(Question("q", "?", "a")))
        log.append(happened.StageFinished("self_instruct", 1, 61.0))
        log.append(happened.StageStarted("session"))
        log.append(happened.QuestionInjected("group-asked-0001", question, "group"))
        log.append(answered("group-asked-0001", "the Dead Sea"))
        log.append(happened.UnitForked("group-asked-0001~1", "group-asked-0001", 2))
        log.append(answered("group-asked-0001~1", "all of them"))
        log.append(happened.RunCancelled())
    assert main(["report", str(folder.path)]) == 0
    text = capsys.readouterr().out
    for expected in (
        "Which sea is salty? (1 fork)", "group-asked-0001, by group: answered the Dead Sea", "  Retrieve[sea]",
        "group-asked-0001~1, fork of group-asked-0001 at answer 2: answered all of them",
        "questions: 1 accepted", "| self_instruct | carried over | 1 | 1 min 01 s |",
    ):  # fmt: skip
        assert expected in text
