"""Two methods on the same questions: an interval of the difference, a permutation test, and McNemar's test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import comb

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS = 10_000
"""Random draws of an interval or a test."""
MOST_ENUMERATED = 14
"""The most questions with a difference for which all assignments of signs are counted, in place of random ones."""
AT_ONCE = 2_000_000
"""The most random numbers in memory at a time."""


def paired_differences(before: Sequence[float], after: Sequence[float]) -> Floats:
    """Returns `after` minus `before`, question by question. Raises ValueError for other than equally many, above 0."""
    if len(before) != len(after) or not len(before):
        raise ValueError(f"expected scores of the same questions, at least one; got {len(before)} and {len(after)}")
    return np.subtract(np.asarray(after, np.float64), np.asarray(before, np.float64))


def bootstrap_interval(
    before: Sequence[float], after: Sequence[float], *, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float]:
    """Returns the percentile bootstrap interval of the mean of `after` minus `before`, over questions.

    It is too narrow for fewer than about 20 questions, and has no width where all differences are equal.
    """
    found = paired_differences(before, after)
    source = np.random.default_rng(seed)
    means = [
        found[source.integers(0, len(found), (rows, len(found)))].mean(axis=1)
        for rows in split_draws(draws, len(found))
    ]
    return ends(np.concatenate(means), level)


def permutation_p(before: Sequence[float], after: Sequence[float], *, draws: int = DRAWS, seed: int = 0) -> float:
    """Returns the two-sided p-value of the paired permutation test of the mean difference.

    If the methods were alike, each difference could as well have the other sign. All assignments of signs are counted
    for up to MOST_ENUMERATED questions with a difference; for more, random ones, to which the observed one is added.
    """
    found = paired_differences(before, after)
    found = found[found != 0]
    least = abs(found.sum()) - 1e-9 * max(1.0, np.abs(found).sum())
    if len(found) <= MOST_ENUMERATED:
        numbers = np.arange(2 ** len(found))[:, None]
        signs = 1 - 2 * ((numbers >> np.arange(len(found))) & 1)
        return float((np.abs(signs @ found) >= least).mean())
    source = np.random.default_rng(seed)
    extreme = sum(
        int((np.abs((1 - 2 * source.integers(0, 2, (rows, len(found)))) @ found) >= least).sum())
        for rows in split_draws(draws, len(found))
    )
    return (extreme + 1) / (draws + 1)


def mcnemar_p(before: Sequence[float], after: Sequence[float]) -> float:
    """Returns the two-sided p-value of McNemar's exact test of scores that are 0 or 1, such as exact match.

    Only questions count that one method alone has right. Raises ValueError for other scores.
    """
    found = paired_differences(before, after)
    if not set(np.unique([*before, *after])) <= {0.0, 1.0}:
        raise ValueError("expected scores of 0 and 1")
    return sign_p(int((found > 0).sum()), int((found < 0).sum()))


def sign_p(gained: int, lost: int) -> float:
    """Returns the two-sided p-value of the exact sign test: of so uneven counts if both were equally likely."""
    tail = sum(comb(gained + lost, count) for count in range(min(gained, lost) + 1))
    return min(1.0, 2 * tail / (1 << (gained + lost)))


def ends(drawn: Floats, level: float) -> tuple[float, float]:
    """Returns the ends between which the middle `level` of the drawn values lies."""
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def split_draws(draws: int, width: int) -> Iterator[int]:
    """Yields numbers of rows that add up to `draws`, each of at most AT_ONCE numbers."""
    most = max(1, AT_ONCE // width)
    while draws > 0:
        yield min(most, draws)
        draws -= most
