"""`autoact inspect`: the diversity, complexity and faults of a run's trajectories, beside the published sets."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from autoact.cli.target import add_target, find_target_run

if TYPE_CHECKING:
    from autoact.lab.inspection.duplicates import LikePair
    from autoact.lab.inspection.figures import SetFigures
    from autoact.lab.inspection.signatures import FailureSignature
    from autoact.run.record.state import RunState

PAIRS, ALIKE = 5, 70.0
"""Nearest pairs of questions that are printed, and the least similarity of one."""


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "inspect", help="look into a run's trajectories: diversity, faults, duplicates, signs of failure",
        description="Prints figures of all trajectories of a run and of the kept ones, beside those of the four sets "
        "that the authors of the method released; simple gates with counts; types of questions; the most similar "
        "questions; and known signs of failure, each with its threshold and a remedy.",
    )  # fmt: skip
    add_target(parser)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=inspect)


def inspect(arguments: argparse.Namespace) -> int:
    """Prints the figures of one run. Raises BadInput for a run without trajectories."""
    from autoact.cli.output import print_json
    from autoact.errors import BadInput
    from autoact.lab.inspection.duplicates import nearest_pairs
    from autoact.lab.inspection.figures import measure_set
    from autoact.lab.inspection.references import REFERENCES
    from autoact.lab.inspection.signatures import find_signatures
    from autoact.lab.inspection.steps import known_actions
    from autoact.lab.tally import LogTotals, count_figures

    folder = find_target_run(arguments)
    totals = LogTotals.of(folder.events)
    state, every = totals.state, list(totals.state.trajectories.values())
    if not every:
        raise BadInput(f"run {folder.name} has no trajectories yet; the stage synthesis makes them")
    known = known_actions(every)
    sets = {"tried": measure_set(every, known)}
    if kept := state.kept:
        sets["kept"] = measure_set(kept, known)
    pairs = nearest_pairs(state.questions, least=ALIKE)[:PAIRS]
    signatures = find_signatures(state, count_figures(totals))
    if arguments.json:
        made = {"run": folder.name, "sets": sets, "references": REFERENCES, "nearest": pairs, "signatures": signatures}
        print_json({**made, "refused": _reasons(state)})
    else:
        _print(folder.name, sets, pairs, signatures, _reasons(state))
    return 0


def _reasons(state: RunState) -> dict[str, int]:
    """Returns the reasons for which the filter refused trajectories, the most frequent first."""
    from collections import Counter

    return dict(Counter(verdict.refusal for verdict in state.verdicts.values() if not verdict.kept).most_common())


def _print(
    run: str, sets: dict[str, SetFigures], pairs: Sequence[LikePair], signatures: Sequence[FailureSignature],
    refused: dict[str, int],
) -> None:  # fmt: skip
    from autoact.cli.output import print_columns, printable
    from autoact.lab.inspection.references import REFERENCES

    print(printable(f"run {run}"))
    print()
    heading = ("TRAJECTORIES", *sets, *(one.name for one in REFERENCES))
    figures = [*sets.values(), *REFERENCES]
    print_columns([heading, *((name, *map(show, figures)) for name, show in _ROWS)], "lrrrrrr")
    print(
        "\nself-BLEU and distinct word pairs are of at most 200 questions; the released sets hold right answers only\n"
    )
    gates = [[(gate.failed, gate.left) for gate in one.gates] for one in sets.values()]
    names = [gate.name for gate in sets["tried"].gates]
    heading = ("GATE", *(f"{name}: {word}" for name in sets for word in ("FAIL", "LEFT")))
    rows = [(name, *(str(count) for one in gates for count in one[at])) for at, name in enumerate(names)]
    print_columns([heading, *rows], "lrrrr")
    if refused:
        print(printable("refused by the filter: " + ", ".join(f"{count} {why}" for why, count in refused.items())))
    for name, one in sets.items():
        types = ", ".join(f"{count} {kind or 'of no type'}" for kind, count in one.types.items())
        print(printable(f"questions {name}: {one.questions} different; {types}; {_describe_opening(one)}"))
    if pairs:
        print("\nmost similar practice questions")
        for pair in pairs:
            print(printable(f"  {pair.similarity:.0f}  {pair.first} / {pair.second}"))
    _print_signatures(signatures)


def _describe_opening(one: SetFigures) -> str:
    return f"{100 * one.opening_share:.0f} % begin with `{one.opening}`"


def _print_signatures(signatures: Sequence[FailureSignature]) -> None:
    from autoact.cli.output import print_columns, printable

    print()
    rows = [
        ("FOUND" if one.found else "-" if one.value is not None else "unknown", one.name, one.measure,
         "" if one.value is None else f"{one.value:.2f}", f"{'<' if one.below else '>='} {one.threshold:.2f}")
        for one in signatures
    ]  # fmt: skip
    print_columns([("STATUS", "SIGNATURE OF FAILURE", "MEASURE", "VALUE", "SIGN"), *rows], "lllrr")
    print()
    for one in signatures:
        if one.found:
            print(printable(f"{one.name}: {one.message}"))
            print(printable(f"  remedy: {one.remedy}"))


_ROWS: tuple[tuple[str, Callable[[Any], str]], ...] = (
    ("number", lambda one: str(one.n)),
    ("steps", lambda one: f"{one.steps:.2f}"),
    ("different tools in each", lambda one: f"{one.tools:.2f}"),
    ("entropy of actions, bits", lambda one: f"{one.action_entropy:.2f}"),
    ("different action sequences", lambda one: str(one.sequences)),
    ("entropy of sequences, bits", lambda one: f"{one.sequence_entropy:.2f}"),
    ("most frequent sequence, %", lambda one: f"{100 * one.top_sequence:.1f}"),
    ("empty thoughts, %", lambda one: f"{100 * one.empty_thoughts:.1f}"),
    ("invalid actions, %", lambda one: f"{100 * one.invalid_steps:.1f}"),
    ("self-BLEU of questions", lambda one: f"{one.self_bleu:.3f}"),
    ("distinct word pairs", lambda one: f"{one.distinct_pairs:.3f}"),
    ("same first three words, %", lambda one: f"{100 * one.opening_share:.1f}"),
    ("verdicts right : wrong", lambda one: f"{one.verdicts[0]} : {one.verdicts[1]}"),
    ("clean by the gates, %", lambda one: f"{100 * one.clean:.1f}"),
)
"""The figures that both SetFigures and Reference have, and their texts."""
