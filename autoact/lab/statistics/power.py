"""The number of questions that a comparison needs, from the spread of the differences that were seen."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt
from statistics import NormalDist

from autoact.lab.statistics.paired import paired_differences

POWER, ALPHA = 0.8, 0.05


def questions_needed(
    before: Sequence[float], after: Sequence[float], difference: float, *, power: float = POWER, alpha: float = ALPHA
) -> int | None:
    """Returns the questions with which a true difference of that size is found with this probability.

    By the normal approximation to the two-sided paired test: n = ((z(1 - alpha / 2) + z(power)) s / difference)^2,
    where s is the standard deviation of the differences. None if s is not known: fewer than two questions, or equal
    differences. Raises ValueError for a difference of 0.
    """
    if not difference:
        raise ValueError("expected a difference other than 0: no number of questions shows none")
    spread = _spread(before, after)
    return ceil((_z(power, alpha) * spread / difference) ** 2) if spread else None


def detectable_difference(
    before: Sequence[float], after: Sequence[float], *, power: float = POWER, alpha: float = ALPHA
) -> float | None:
    """Returns the smallest true difference that as many questions find with this probability; None as above."""
    spread = _spread(before, after)
    return _z(power, alpha) * spread / sqrt(len(before)) if spread else None


def _z(power: float, alpha: float) -> float:
    return NormalDist().inv_cdf(1 - alpha / 2) + NormalDist().inv_cdf(power)


def _spread(before: Sequence[float], after: Sequence[float]) -> float:
    """Returns the standard deviation of the differences, of the population that they are a sample of; 0 if unknown."""
    found = paired_differences(before, after)
    return float(found.std(ddof=1)) if len(found) > 1 else 0.0
