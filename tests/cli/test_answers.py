"""What every run of a project answered to a question."""

from __future__ import annotations

from datetime import datetime

import pytest
from msgspec import json

from autoact.cli import main
from autoact.events import QuestionSolved
from autoact.project.project import Project
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import LogWriter
from autoact.trajectory import Question, Trajectory

NORWAY = Question("h-1", "What is the capital of Norway?", "Oslo")
PERU = Question("h-2", "What is the capital of Peru?")


def answered(project: Project, minute: int, *answers: QuestionSolved) -> RunFolder:
    folder = new_run(project.root, "eval", {}, now=datetime(2026, 11, 22, 14, minute))
    with LogWriter(folder) as log:
        for answer in answers:
            log.append(answer)
    return folder


def solved(question: Question, method: str, answer: str | None, f1: float | None = None) -> QuestionSolved:
    made = Trajectory(f"{method}-{question.id}", question, (), answer, cast=method)
    return QuestionSolved(method, made, float(f1 == 1), f1 or 0.0, f1 is not None)


@pytest.fixture
def runs(project: Project) -> list[str]:
    """Names of three runs, the newest first; one was not asked about a capital."""
    made = [
        answered(project, 0, solved(NORWAY, "meta", "Bergen", 0.0), solved(PERU, "meta", "Lima")),
        answered(project, 1, solved(NORWAY, "group", "Oslo", 1.0)),
        answered(project, 2, solved(Question("h-3", "Who wrote Fidelio?"), "group", None)),
    ]
    return [folder.name for folder in reversed(made)]


def test_the_answers_stand_below_each_question_that_has_the_words(
    project: Project, runs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["answers", str(project.root), "CAPITAL of"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "What is the capital of Norway? expected: Oslo", "RUN METHOD F1 ANSWER",
        f"{runs[1]} group 1.00 Oslo", f"{runs[2]} meta 0.00 Bergen",
        "", "What is the capital of Peru?", "RUN METHOD F1 ANSWER", f"{runs[2]} meta - Lima",
    ]  # fmt: skip


def test_a_question_is_found_by_its_id(project: Project, runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["answers", str(project.root), "h-3", "--json"]) == 0
    assert json.decode(capsys.readouterr().out) == [
        {"run": runs[0], "unit": "group-h-3", "method": "group", "question": "Who wrote Fidelio?", "expected": None,
         "answer": None}
    ]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), [("  ", "expected words"), ("Quito", "no run answered")])
def test_a_text_that_no_question_has_is_an_error(
    project: Project, runs: list[str], capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    assert main(["answers", str(project.root), text]) == 2
    assert said in capsys.readouterr().err
