"""Compares two methods, or one method in two runs, on the questions that both answered, and says what can be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import msgspec
from msgspec import Struct

from autoact.events import QuestionSolved
from autoact.lab.manifest import question_key
from autoact.lab.statistics.correction import holm
from autoact.lab.statistics.paired import bootstrap_interval, mcnemar_p, permutation_p
from autoact.lab.statistics.power import ALPHA, POWER, detectable_difference, questions_needed
from autoact.lab.statistics.seeds import seeds_interval
from autoact.script import is_fork

FEWEST = 10
"""Questions below which nothing is concluded."""
POINTS = 3.0
"""The difference, in points, for which the number of questions needed is told."""

Answers = Mapping[str, QuestionSolved]
"""The scored answers of one method in one run, by `question_key`."""


@dataclass(frozen=True, slots=True)
class ComparedSide:
    """One side of a comparison: a method, with its answers in one run, or in several that differ in the seed."""

    name: str
    runs: tuple[Answers, ...]


class Measure(Struct, frozen=True):
    """One score of both sides, 0 to 1, over the same questions. Intervals are 95 % bootstrap intervals."""

    before: float
    after: float
    difference: float
    interval: tuple[float, float]
    """Over questions, and over seeds where a side has several."""
    p: float
    """Of McNemar's exact test for exact match of one seed, else of the paired permutation test, over questions."""
    corrected: float
    """That p, corrected by Holm's method for all comparisons of this score made together."""
    detectable: float | None
    """The smallest true difference that so many questions show with a power of 0.8; None if the spread is not known."""
    needed: int | None
    """Questions that show a difference of the wanted size with a power of 0.8."""


class MethodComparison(Struct, frozen=True):
    """Two sides, compared on the questions that every run of both answered."""

    first: str
    second: str
    n: int
    left_out: int
    """Questions that only some of the runs answered."""
    seeds: tuple[int, int]
    """Runs of each side."""
    em: Measure
    f1: Measure
    tokens: tuple[float, float]
    """Mean per question of each side: prompt tokens encoded plus tokens generated."""
    seconds: tuple[float, float]
    """Mean per question: time waited for the model."""
    words: str
    """The conclusion for F1, in words."""


def collect_answers(solved: Sequence[QuestionSolved]) -> dict[str, dict[str, QuestionSolved]]:
    """Returns the scored answers by method and question, forks left out."""
    methods: dict[str, dict[str, QuestionSolved]] = {}
    for one in solved:
        if one.scored and not is_fork(one.trajectory.unit):
            methods.setdefault(one.cast, {})[question_key(one.trajectory.question)] = one
    return methods


def compare(
    pairs: Sequence[tuple[ComparedSide, ComparedSide]], *, points: float = POINTS, shared_seeds: bool = False
) -> list[MethodComparison]:  # fmt: skip
    """Returns every pair compared, with p-values corrected for all of them. Raises ValueError for a pair without a
    question in common.

    With `shared_seeds`, the first runs of both sides share what the seed changes, and so on.
    """
    made = [_compare(first, second, points, shared_seeds) for first, second in pairs]
    em, f1 = holm([one.em.p for one in made]), holm([one.f1.p for one in made])
    return [_conclude(one, em[at], f1[at], len(made), points) for at, one in enumerate(made)]


def _compare(first: ComparedSide, second: ComparedSide, points: float, shared: bool) -> MethodComparison:
    sets = [set(run) for run in (*first.runs, *second.runs)]
    keys, every = sorted(set.intersection(*sets)), set.union(*sets)
    if not keys:
        raise ValueError(f"{first.name} and {second.name} have no question in common")
    shared = shared and len(first.runs) == len(second.runs)

    def scores(side: ComparedSide, field: str) -> list[list[float]]:
        return [[float(getattr(run[key], field)) for key in keys] for run in side.runs]

    def mean(side: ComparedSide, field: str) -> float:
        return fmean(map(fmean, scores(side, field)))

    one_seed = len(first.runs) == len(second.runs) == 1
    return MethodComparison(
        first.name, second.name, len(keys), len(every) - len(keys), (len(first.runs), len(second.runs)),
        _measure(scores(first, "em"), scores(second, "em"), points, shared, binary=one_seed),
        _measure(scores(first, "f1"), scores(second, "f1"), points, shared, binary=False),
        (mean(first, "tokens"), mean(second, "tokens")), (mean(first, "seconds"), mean(second, "seconds")), "",
    )  # fmt: skip


def _measure(
    old: list[list[float]], new: list[list[float]], points: float, shared: bool, *, binary: bool
) -> Measure:  # fmt: skip
    before, after = ([fmean(column) for column in zip(*table, strict=True)] for table in (old, new))
    one_seed = len(old) == len(new) == 1
    p = mcnemar_p(before, after) if binary else permutation_p(before, after)
    return Measure(
        fmean(before), fmean(after), fmean(after) - fmean(before),
        bootstrap_interval(before, after) if one_seed else seeds_interval(old, new, shared=shared),
        p, p, detectable_difference(before, after), questions_needed(before, after, points / 100),
    )  # fmt: skip


def _conclude(one: MethodComparison, em: float, f1: float, comparisons: int, points: float) -> MethodComparison:
    """Returns the comparison with corrected p-values and words."""
    one = msgspec.structs.replace(
        one, em=msgspec.structs.replace(one.em, corrected=em), f1=msgspec.structs.replace(one.f1, corrected=f1)
    )
    return msgspec.structs.replace(one, words=describe_measure(one, comparisons, points))


def describe_measure(one: MethodComparison, comparisons: int, points: float) -> str:
    """Returns what follows from the F1 of a comparison, in words, and what would have to be done to know more."""
    found = one.f1
    low, high = (100 * end for end in found.interval)
    span = f"{100 * found.difference:+.1f} points of F1 ({low:+.1f} to {high:+.1f})"
    if one.n < FEWEST:
        return f"{one.n} questions are too few to say anything; at least {FEWEST} are needed"
    if low == high == 0:
        return "both score the same on every question"
    if low <= 0 <= high:
        return (
            f"the interval holds 0: these {one.n} questions do not tell which is better{_describe_power(one, points)}"
        )
    better = one.second if found.difference > 0 else one.first
    if found.corrected < ALPHA:
        return f"{better} is better: {span}{_describe_seeds(one)}"
    if found.p < ALPHA:
        return f"{span} would count alone, but not as one of {comparisons} comparisons (p {found.corrected:.3f})"
    power = _describe_power(one, points)
    return f"{span}: interval and test (p {found.p:.3f}) disagree, so it is too close to call{power}"


def _describe_power(one: MethodComparison, points: float) -> str:
    if one.f1.needed is None or one.f1.detectable is None:
        return ""
    return (
        f"; they show differences from {100 * one.f1.detectable:.1f} points on with a power of {POWER}, and "
        f"{points:g} points need about {float(f'{one.f1.needed:.2g}'):,.0f} questions"
    )


def _describe_seeds(one: MethodComparison) -> str:
    if min(one.seeds) == 1:
        return "; of one seed, so other seeds may differ"
    return f"; over {' and '.join(map(str, dict.fromkeys(one.seeds)))} seeds"
