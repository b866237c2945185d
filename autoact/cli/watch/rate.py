"""`autoact rate`: a person compares the answers of two runs or methods without their names; counts and a sign test."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from autoact.cli.target import find_run_at
from autoact.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from autoact.lab.comparison import Answers
    from autoact.lab.rating import BlindPair, Choice, RatingRound, RatingSummary
    from autoact.trajectory import Trajectory

KEYS: dict[str, Choice] = {"l": "left", "r": "right", "s": "same", "w": "both wrong"}
BACK, STOP = "b", "q"
PROMPT = "better: (l)eft, (r)ight, (s)ame, both (w)rong; (b)ack, (q)uit: "
MOST_QUESTIONS = 100_000


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "rate", help="rate the answers of two runs or methods without seeing their names",
        description="Shows a question and what two runs, or two methods of one run, did with it, in random order and "
        "without names, and asks which is better. Each choice is written to ratings.jsonl in the project at once; the "
        "same command goes on after a stop. At the end it prints counts, the sign test over questions and, with "
        "several raters, their agreement (Cohen's kappa).",
    )  # fmt: skip
    parser.add_argument(
        "runs", metavar="RUN", nargs="+", help="one or two runs, or projects for their live or latest runs"
    )
    parser.add_argument(
        "--method", default="", help="a method, or two with a comma between them (default: group, or meta and group)"
    )
    parser.add_argument(
        "--criterion", default="overall", choices=("overall", "action", "argument", "coherence"),
        help="what is compared: the whole, the choice of tools, their arguments, or how the steps follow (overall)",
    )  # fmt: skip
    parser.add_argument("--rater", default="", metavar="NAME", help="the name of the person who rates (default: yours)")
    parser.add_argument("--answers", action="store_true", help="show only the answers, not the steps before them")
    parser.add_argument("--expected", action="store_true", help="show the gold answer too")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="rate at most N questions (default: all)")
    parser.add_argument("--summary", action="store_true", help="rate nothing, print what was rated")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON; rates nothing")
    parser.set_defaults(run=rate)


def rate(arguments: argparse.Namespace) -> int:
    """Asks for ratings, then prints the summary. Raises BadInput for runs without shared questions."""
    from autoact.cli.output import print_json
    from autoact.lab.rating import FILE, RatingRound, read_ratings, summarise_ratings
    from autoact.run.control.command import user_name

    if not 0 <= arguments.limit <= MOST_QUESTIONS:
        raise BadInput(f"expected a number from 0 to {MOST_QUESTIONS}", key="--limit")
    project, sides, answers = _read_sides(arguments)
    file, rater = project / FILE, arguments.rater.strip() or user_name()
    if not (arguments.summary or arguments.json):
        rating_round = RatingRound.open(
            file, sides, answers, rater, steps=not arguments.answers, limit=arguments.limit,
            criterion=arguments.criterion,
        )  # fmt: skip
        if not _ask_all(rating_round, arguments):
            return 0
    summary = summarise_ratings(read_ratings(file, sides, arguments.criterion), sides)
    print_json(summary) if arguments.json else _print(summary)
    return 0


def _read_sides(arguments: argparse.Namespace) -> tuple[Path, tuple[str, str], tuple[Answers, Answers]]:
    """Returns the project's folder, the names of both sides, and their answers. Raises BadInput."""
    from autoact.lab.comparison import collect_answers
    from autoact.run.record.state import RunState

    if len(arguments.runs) > 2:
        raise BadInput(f"expected one run or two, found {len(arguments.runs)}")
    folders = [find_run_at(target) for target in arguments.runs]
    made = [collect_answers(RunState.of(folder.events).solved) for folder in folders]
    names = [name.strip() for name in arguments.method.split(",") if name.strip()]
    names = names or (["group"] if len(folders) == 2 else ["meta", "group"])
    found = list(zip((folders * 2)[:2], (made * 2)[:2], (names * 2)[:2], strict=True))
    for folder, answers, name in found:
        if name not in answers:
            known = ", ".join(answers) or "no method; `autoact eval` makes answers"
            raise BadInput(f"{folder.name} has no scored answers by `{name}`; it has those of {known}", key="--method")
    (one, first, mine), (other, second, its) = found
    sides = f"{one.name}/{mine}", f"{other.name}/{its}"
    if sides[0] == sides[1] or len(names) > 2:
        raise BadInput("expected two runs, or one run and two methods", key="--method")
    if not first[mine].keys() & second[its].keys():
        raise BadInput(f"{sides[0]} and {sides[1]} have no question in common")
    return one.path.parent.parent, sides, (first[mine], second[its])


def _ask_all(rating_round: RatingRound, arguments: argparse.Namespace) -> bool:
    """Asks for every pair that this person has not rated; returns False when they stop before the last."""
    from autoact.lab.rating import CRITERIA

    count = len(rating_round.pairs)
    print(f"{count} pairs differ; {len(rating_round.rated)} of them are rated by {rating_round.rater}")
    print(f"compare {CRITERIA[rating_round.criterion]}")
    while (pair := rating_round.current()) is not None:
        _show(pair, f"{rating_round.at + 1} of {count}", arguments)
        said = _ask()
        if said == STOP:
            print("stopped; the same command goes on here")
            return False
        if said == BACK:
            rating_round.back()
        else:
            rating_round.choose(KEYS[said])
    return True


def _ask() -> str:
    """Returns a letter of KEYS, BACK or STOP, which the end of the input means too."""
    while True:
        print(PROMPT, end="", flush=True)
        line = sys.stdin.readline()
        said = line.strip().casefold()[:1] if line else STOP
        if said in (*KEYS, BACK, STOP):
            return said
        print(f"expected one of {', '.join((*KEYS, BACK, STOP))}")


def _show(pair: BlindPair, place: str, arguments: argparse.Namespace) -> None:
    from autoact.cli.output import printable

    question = pair.shown[0].question
    print(f"\n{place}\n{printable(question.text)}")
    for letter, choice in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", question.choices, strict=False):
        print(printable(f"  ({letter}) {choice}"))
    if arguments.expected:
        print(printable(f"expected: {question.answer or 'not known'}"))
    for name, trajectory in zip(("LEFT", "RIGHT"), pair.shown, strict=True):
        print(f"\n{name}")
        _show_trajectory(trajectory, steps=not arguments.answers)
    print()


def _show_trajectory(trajectory: Trajectory, *, steps: bool) -> None:
    from autoact.cli.output import print_turns, printable

    if steps:
        print_turns(trajectory)
    else:
        print(printable(trajectory.answer or "no answer"))


def _print(summary: RatingSummary) -> None:
    from autoact.cli.output import print_columns, printable
    from autoact.lab.rating import describe_result

    first, second = summary.sides
    categories = (first, second, "same", "both wrong")
    rows = [(name, *(str(counts.get(one, 0)) for one in categories)) for name, counts in summary.by_rater.items()]
    print(printable(f"A  {first}"))
    print(printable(f"B  {second}"))
    print_columns([("RATER", "A BETTER", "B BETTER", "SAME", "BOTH WRONG"), *rows], "lrrrr")
    for line in describe_result(summary):
        print(printable(line))
