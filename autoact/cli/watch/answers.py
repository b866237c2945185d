"""`autoact answers`: what every run of a project answered to a question."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoact.lab.answers import RunAnswer

SHOWN = 40
"""Characters of an answer in the table; --json has all."""


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "answers", help="what every run answered to a question",
        description="Lists the answers that the runs of a project gave to the questions that contain a text, the "
        "newest run first. A run without such a question is left out.",
    )  # fmt: skip
    parser.add_argument("project", help="the project's folder or name")
    parser.add_argument("text", help="words of the question, or its id")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=answers)


def answers(arguments: argparse.Namespace) -> int:
    """Prints a table of answers below each question. Raises BadInput when no run was asked such a question."""
    from autoact.cli.output import print_columns, print_json, printable
    from autoact.errors import BadInput
    from autoact.lab.answers import find_answers
    from autoact.project.project import Project
    from autoact.run.record.folder import list_runs

    if not arguments.text.strip():
        raise BadInput("expected words of a question", key="text")
    found = list(find_answers(list_runs(Project.open(arguments.project).root), arguments.text.strip()))
    if arguments.json:
        print_json([_as_json(one) for one in found])
        return 0
    if not found:
        raise BadInput(f"no run answered a question with `{arguments.text}`", key="text")
    questions = {one.solved.trajectory.question.text: one.solved.trajectory.question for one in found}
    for number, question in enumerate(questions.values()):
        if number:
            print()
        print(printable(question.text + (f"   expected: {question.answer}" if question.answer else "")))
        same = [one for one in found if one.solved.trajectory.question.text == question.text]
        print_columns([("RUN", "METHOD", "F1", "ANSWER"), *map(_row, same)], "llrl")
    return 0


def _row(one: RunAnswer) -> tuple[str, str, str, str]:
    score = f"{one.solved.f1:.2f}" if one.solved.scored else "-"
    return one.run, one.solved.cast, score, (one.solved.trajectory.answer or "-")[:SHOWN]


def _as_json(one: RunAnswer) -> dict[str, Any]:
    made, question = one.solved.trajectory, one.solved.trajectory.question
    score = {"em": one.solved.em, "f1": one.solved.f1} if one.solved.scored else {}
    return {
        "run": one.run, "unit": made.unit, "method": one.solved.cast, "question": question.text,
        "expected": question.answer, "answer": made.answer, **score,
    }  # fmt: skip
