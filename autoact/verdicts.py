"""The quality of the reflect part's verdicts: how many wrong answers it finds, and how sure it can be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from autoact.metrics import reward
from autoact.trajectory import REFLECT, WRONG, Trajectory, VerdictQuality

PRECISION = 0.8
"""The share of answers called wrong that should be wrong, when a threshold is chosen."""
SURE = 0.9
"""The threshold where none has PRECISION: self-made questions give few wrong answers to choose from."""
FEWEST = 4
"""Right answers, and wrong ones, that are needed to choose a threshold from."""


class Judged(Struct, frozen=True):
    """The first verdict of an episode, and the truth."""

    wrong: bool
    """True if the answer was not right."""
    called_wrong: bool
    wrong_chance: float | None
    """The probability that the reflect part gave to *wrong*; None if the engine does not know it."""


def first_verdicts(trajectories: Iterable[Trajectory]) -> list[Judged]:
    """Returns the first verdict of every trajectory that has one and whose question has a gold answer.

    An answer is right only if it has exactly the words of the gold answer.
    """
    return [one for trajectory in trajectories if (one := _first_verdict(trajectory)) is not None]


def _first_verdict(trajectory: Trajectory) -> Judged | None:
    if trajectory.question.answer is None:
        return None
    for answered, judged in zip(trajectory.steps, trajectory.steps[1:], strict=False):
        if judged.action == REFLECT:
            wrong = reward(answered.argument, trajectory.question) < 1
            return Judged(wrong, judged.argument == WRONG, judged.wrong_chance)
    return None


def measure_verdicts(judged: Sequence[Judged], threshold: float | None = None) -> VerdictQuality:
    """Counts verdicts; with a threshold, those that it would give in place of the verdicts given."""

    def is_called_wrong(one: Judged) -> bool:
        return one.called_wrong if threshold is None or one.wrong_chance is None else one.wrong_chance >= threshold

    called = [one for one in judged if is_called_wrong(one)]
    wrong, found = sum(one.wrong for one in judged), sum(one.wrong for one in called)
    return VerdictQuality(len(judged), wrong, len(called), found, area_under_curve(judged))


def area_under_curve(judged: Sequence[Judged]) -> float | None:
    """Returns the area under the ROC curve of the probability of *wrong* (Mann-Whitney U); None without both kinds."""
    known = [(one.wrong_chance, one.wrong) for one in judged if one.wrong_chance is not None]
    wrong, right = [chance for chance, bad in known if bad], [chance for chance, bad in known if not bad]
    if not wrong or not right:
        return None
    higher = sum((above > below) + 0.5 * (above == below) for above in wrong for below in right)
    return higher / (len(wrong) * len(right))


def choose_threshold(judged: Sequence[Judged]) -> float | None:
    """Returns the lowest probability of *wrong* from which PRECISION of the answers are wrong.

    If there is none, returns SURE where at least half of what it calls wrong is, refused answers among it, else 1, with
    which no answer is called wrong but those that a check refuses; None when there are too few verdicts to choose.
    Refused answers, whose probability is 1, do not count for PRECISION: they are wrong anyway.
    """
    known = [one for one in judged if one.wrong_chance not in (None, 1)]
    wrong = sum(one.wrong for one in known)
    if min(wrong, len(known) - wrong) < FEWEST:
        return None
    chances = sorted({one.wrong_chance for one in known if one.wrong_chance is not None})
    for chance in chances:
        quality = measure_verdicts(known, chance)
        if quality.precision >= PRECISION:
            return chance
    return SURE if measure_verdicts(judged, SURE).precision >= 0.5 else 1.0


def describe_verdicts(quality: VerdictQuality) -> str:
    """Returns the counts of verdicts in words."""
    found = f"finds {quality.found} of {quality.wrong} wrong answers, {quality.called_wrong} called wrong"
    return found if quality.auc is None else f"{found}, AUC {quality.auc:.2f}"
