"""`autoact compare`: two methods, or runs, on the same questions: differences, intervals, tests, costs, and words."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autoact.cli.target import find_run_at

if TYPE_CHECKING:
    from autoact.events import QuestionSolved
    from autoact.lab.comparison import ComparedSide, Measure, MethodComparison
    from autoact.lab.manifest import Manifest, Unlike

HEADINGS = ("COMPARED", "OF", "N", "FIRST", "SECOND", "DIFFERENCE", "95 % INTERVAL", "P", "CORRECTED")
SHOWN = 40
"""Characters of a value in which runs differ; --json has all."""


def add(subparsers: Any) -> None:
    """Adds the verb and its options."""
    parser = subparsers.add_parser(
        "compare", help="compare methods or runs on the same questions",
        description="Compares the methods of one run with its first, or those of other runs with the same methods of "
        "the first run (with all of its methods, where they share none). Answers are paired by question. p-values are "
        "of McNemar's exact test (EM) and the paired permutation test, and corrected for all comparisons by Holm.",
    )  # fmt: skip
    parser.add_argument(
        "runs", metavar="RUN", nargs="+",
        help="a run's folder, or a project's for its latest run; runs of one setting with several seeds, joined by "
        "commas, are one side",
    )  # fmt: skip
    parser.add_argument("--method", default="", help="only these methods, separated by commas")
    parser.add_argument(
        "--difference", type=float, default=3.0, metavar="POINTS",
        help="tell how many questions would show a difference of so many points of F1 (default 3)",
    )  # fmt: skip
    parser.add_argument(
        "--unlike", action="store_true",
        help="compare runs with other questions, pages, tools, prompts or task texts as well; says which",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=compare)


@dataclass(frozen=True, slots=True)
class ReadRun:
    """One run, or several with other seeds, as read from the logs."""

    label: str
    manifests: tuple[Manifest, ...]
    answers: tuple[dict[str, dict[str, QuestionSolved]], ...]
    """By run, method and question."""

    @property
    def methods(self) -> list[str]:
        """Returns the methods that all of its runs have."""
        return [name for name in self.answers[0] if all(name in one for one in self.answers)]

    def side(self, method: str) -> ComparedSide:
        """Returns the side of a comparison that one of its methods is."""
        from autoact.lab.comparison import ComparedSide

        name = f"{self.label} {method}".strip()
        return ComparedSide(name, tuple(one[method] for one in self.answers))


def compare(arguments: argparse.Namespace) -> int:
    """Prints every comparison, after what the runs differ in. Raises BadInput for unlike runs without --unlike."""
    from autoact.errors import BadInput

    if not 0 < arguments.difference <= 100:
        raise BadInput(f"expected points above 0, at most 100; got {arguments.difference:g}", key="--difference")
    methods = [name.strip() for name in arguments.method.split(",") if name.strip()]
    found = compare_runs(arguments.runs, methods, arguments.difference, unlike=arguments.unlike)
    if arguments.json:
        from autoact.cli.output import print_json

        manifests = [manifest for one in found.read for manifest in one.manifests]
        print_json(
            {"manifests": manifests, "unlike": found.unlike, "not_recorded": found.unknown, "comparisons": found.made}
        )
    else:
        _print(found.read, found.unlike, found.unknown, found.made)
    return 0


@dataclass(frozen=True, slots=True)
class Compared:
    """Runs, what they differ in, and the comparisons of their methods."""

    read: Sequence[ReadRun]
    unlike: Sequence[Unlike]
    unknown: Sequence[str]
    """What not every run has recorded."""
    made: Sequence[MethodComparison]


def compare_runs(
    targets: Sequence[str], methods: Sequence[str] = (), points: float = 3.0, *, unlike: bool = False
) -> Compared:
    """Compares runs by these methods, by all without any. Raises BadInput for unlike runs unless `unlike`."""
    from autoact.errors import BadInput
    from autoact.lab import comparison
    from autoact.lab.manifest import find_unknown, find_unlike

    read = _read(targets)
    manifests = [manifest for one in read for manifest in one.manifests]
    found, unknown = find_unlike(manifests), find_unknown(manifests) if len(manifests) > 1 else []
    _check(read, found, allowed=unlike)
    pairs = _pair(read, methods)
    try:
        made = comparison.compare(pairs, points=points)
    except ValueError as error:
        raise BadInput(f"{error}; expected runs that answered the same questions") from error
    return Compared(read, found, unknown, made)


def _read(targets: Sequence[str]) -> list[ReadRun]:
    from autoact.lab.comparison import collect_answers
    from autoact.lab.manifest import make_manifest
    from autoact.run.record.state import RunState

    read = []
    for number, target in enumerate(targets):
        folders = [find_run_at(part) for part in target.split(",") if part]
        states = [RunState.of(folder.events) for folder in folders]
        manifests = (make_manifest(folder.name, state) for folder, state in zip(folders, states, strict=True))
        answers = (collect_answers(state.solved) for state in states)
        label = chr(ord("A") + number) if len(targets) > 1 else ""
        read.append(ReadRun(label, tuple(manifests), tuple(answers)))
    return read


def _check(read: Sequence[ReadRun], unlike: Sequence[Unlike], *, allowed: bool) -> None:
    """Raises BadInput for a run without scores, seeds of several settings, and, unless allowed, unlike conditions."""
    from autoact.errors import BadInput
    from autoact.lab.manifest import find_unlike

    for one in read:
        if not one.methods:
            names = ", ".join(manifest.run for manifest in one.manifests)
            raise BadInput(f"{names} has no scored answers; `autoact eval` makes some")
        others = [what.what for what in find_unlike(one.manifests) if what.what in one.manifests[0].settings]
        if mixed := [name for name in others if name not in ("model.seed", "run.base")]:
            raise BadInput(f"runs joined by commas differ in {', '.join(mixed)}; expected only model.seed to differ")
    wrong = [what.what for what in unlike if what.condition]
    if wrong and not allowed:
        raise BadInput(
            f"the runs differ in {', '.join(wrong)}, so their scores do not measure the same; --unlike compares them "
            "all the same, on the questions that they share"
        )


def _pair(read: Sequence[ReadRun], wanted: Sequence[str]) -> list[tuple[ComparedSide, ComparedSide]]:
    """Returns the sides to compare; see the description of the verb. Raises BadInput when there are none."""
    from autoact.errors import BadInput

    known = list(dict.fromkeys(name for one in read for name in one.methods))
    if unknown := [name for name in wanted if name not in known]:
        raise BadInput(f"no answers by `{unknown[0]}`; there are those of {', '.join(known)}", key="--method")
    chosen = [[name for name in one.methods if name in (wanted or known)] for one in read]
    first, methods = read[0], chosen[0]
    if len(read) == 1:
        names = [(first, methods[0], first, other) for other in methods[1:]]
    else:
        names = []
        for one, its in zip(read[1:], chosen[1:], strict=True):
            same = [(first, name, one, name) for name in methods if name in its]
            names += same or [(first, mine, one, other) for mine in methods for other in its]
    if not names:
        raise BadInput("there is nothing to compare; expected two methods, or a second run")
    return [(one.side(mine), other.side(its)) for one, mine, other, its in names]


def _print(
    read: Sequence[ReadRun], unlike: Sequence[Unlike], unknown: Sequence[str], made: Sequence[MethodComparison]
) -> None:
    from autoact.cli.output import print_columns, printable

    for side in read:
        print(printable(f"{side.label or 'run'}  {', '.join(manifest.run for manifest in side.manifests)}"))
    versions = [what.what for what in unlike if "" in what.values and "." in what.what and not what.condition]
    for what in (what for what in unlike if what.what not in versions):
        values = " | ".join(value[:SHOWN] or "-" for value in what.values)
        line = printable(f"{'warning: unlike' if what.condition else 'differs'}  {what.what}: {values}")
        print(line, file=sys.stderr if what.condition else sys.stdout)
    if unknown:
        print(f"not recorded by every run, so perhaps different: {', '.join(unknown)}")
    if versions:
        print(printable(f"settings that not every run has: {', '.join(versions)}"))
    if (causes := sum(what.cause for what in unlike)) > 1 and len(read) > 1:
        print(f"the runs differ in {causes} settings, so a difference has more than one possible cause")
    print()
    print_columns([HEADINGS, *(row for one in made for row in comparison_rows(one))], "llrrrrrrr")
    print()
    for one in made:
        left = f" ({one.left_out} questions left out, which not all of the runs answered)" if one.left_out else ""
        print(printable(f"{one.first}, {one.second}: {one.words}{left}"))


def comparison_rows(one: MethodComparison) -> list[tuple[str, ...]]:
    """Returns the cells of a comparison under HEADINGS: scores, then costs."""
    cost = [
        ("", name, "", f"{old:,.{digits}f}", f"{new:,.{digits}f}", f"{new - old:+,.{digits}f}", "", "", "")
        for name, (old, new), digits in (("tokens", one.tokens, 0), ("seconds", one.seconds, 1))
        if old or new
    ]
    names = f"{one.first}, {one.second}", ""
    scores = zip(names, ("EM", "F1"), (one.em, one.f1), strict=True)
    return [*(_row(label, name, one.n, measure) for label, name, measure in scores), *cost]


def _row(label: str, name: str, n: int, found: Measure) -> tuple[str, ...]:
    low, high = (100 * end for end in found.interval)
    return (
        label, name, str(n), f"{100 * found.before:.1f}", f"{100 * found.after:.1f}", f"{100 * found.difference:+.1f}",
        f"{low:+.1f} to {high:+.1f}", _probability(found.p), _probability(found.corrected),
    )  # fmt: skip


def _probability(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"
