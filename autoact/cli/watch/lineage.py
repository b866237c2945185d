"""`autoact lineage`: from a wrong answer to the training rows behind it, and the command that trains without them."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, Any

from autoact.cli.target import add_target, find_target_run

if TYPE_CHECKING:
    from autoact.events import QuestionSolved
    from autoact.run.record.folder import RunFolder
    from autoact.run.record.state import RunState

SHOWN = 24
"""Characters of an answer in the list; --json has all."""


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "lineage", help="the training rows behind a wrong answer",
        description="Lists the wrong answers of a run, each with its number of training rows: kept trajectories of the "
        "practice questions about the same pages, or, where these pages are not known, with the same tool calls. With "
        "--answer, prints the rows of one answer and the command that trains again without them.",
    )  # fmt: skip
    add_target(parser)
    parser.add_argument("--answer", default="", metavar="UNIT", help="this answer, right or wrong, by its unit")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=lineage)


def lineage(arguments: argparse.Namespace) -> int:
    """Prints the wrong answers of a run, or the lineage of one answer. Raises BadInput for an unknown unit."""
    from autoact.cli.output import print_columns, print_json
    from autoact.lab.lineage import find_related, training_rows, wrong_answers
    from autoact.run.record.state import RunState

    folder = find_target_run(arguments)
    state = RunState.of(folder.events)
    if arguments.answer:
        return _print_answer(folder, state, _find_answer(state, arguments.answer), as_json=arguments.json)
    found = [(one, training_rows(find_related(state, one.trajectory))) for one in wrong_answers(state)]
    if arguments.json:
        print_json({"run": folder.name, "wrong": [_as_json(solved, rows) for solved, rows in found]})
        return 0
    rows = [
        (one.trajectory.unit, str(len(rows)), (one.trajectory.answer or "-")[:SHOWN],
         (one.trajectory.question.answer or "")[:SHOWN], one.trajectory.question.text)
        for one, rows in found
    ]  # fmt: skip
    print_columns([("WRONG ANSWER", "ROWS", "SAID", "EXPECTED", "QUESTION"), *rows], "lr")
    return 0


def _find_answer(state: RunState, unit: str) -> QuestionSolved:
    import difflib

    from autoact.errors import BadInput

    for solved in state.solved:
        if solved.trajectory.unit == unit:
            return solved
    near = difflib.get_close_matches(unit, [one.trajectory.unit for one in state.solved], 1)
    advice = f"did you mean `{near[0]}`?" if near else "without --answer, the wrong ones are listed"
    raise BadInput(f"this run has no answer `{unit}`; {advice}", key="--answer")


def _as_json(solved: QuestionSolved, rows: list[str]) -> dict[str, Any]:
    question = solved.trajectory.question
    return {
        "answer": solved.trajectory.unit, "question": question.text, "said": solved.trajectory.answer,
        "expected": question.answer, "rows": rows,
    }  # fmt: skip


def _print_answer(folder: RunFolder, state: RunState, solved: QuestionSolved, *, as_json: bool) -> int:
    from autoact.cli.output import print_json, print_turns, printable
    from autoact.lab.lineage import find_related, training_rows

    related = find_related(state, solved.trajectory)
    rows = training_rows(related)
    if as_json:
        print_json({**_as_json(solved, rows), "practice": related})
        return 0
    print(printable(solved.trajectory.question.text))
    print_turns(solved.trajectory)
    print(printable(f"expected: {solved.trajectory.question.answer or 'not known'}") + "\n")
    for one in related:
        print(printable(f"practice question {one.question.id}: {one.question.text}  {one.question.answer}"))
        for each in one.tries:
            print(printable(f"  {each.unit}: {each.judgement}"))
    if not rows:
        print("no training row is about the same pages")
        return 0
    command = ("autoact", "run", str(folder.path.parent.parent), "--from", "differentiation", "--base", folder.name)
    print(f"\nto train without these {len(rows)} rows, and to compare with this run by `autoact compare`:")
    print(f"  {printable(shlex.join((*command, '--without', ','.join(rows))))}")
    return 0
