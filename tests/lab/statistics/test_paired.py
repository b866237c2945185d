"""Intervals and tests of paired scores, against enumerations and closed forms."""

from __future__ import annotations

from itertools import product
from math import comb
from statistics import NormalDist, fmean

import numpy as np
import pytest

from autoact.lab.statistics import paired
from autoact.lab.statistics.paired import bootstrap_interval, mcnemar_p, paired_differences, permutation_p

BEFORE, AFTER = [0.0, 0.5, 0.25, 1.0], [1.0, 0.5, 0.75, 0.4]


def test_the_interval_is_that_of_all_resamples() -> None:
    differences = [after - before for before, after in zip(BEFORE, AFTER, strict=True)]
    every = [fmean(one) for one in product(differences, repeat=4)]  # the 256 equally likely ones
    low, high = bootstrap_interval(BEFORE, AFTER, level=0.8, draws=40_000)
    assert (low, high) == pytest.approx(tuple(np.quantile(every, [0.1, 0.9])), abs=1e-9)


def test_the_interval_of_many_questions_is_nearly_the_normal_one() -> None:
    source = np.random.default_rng(1)
    before, after = source.random(400), source.random(400)
    differences = after - before
    half = NormalDist().inv_cdf(0.975) * differences.std() / 20
    expected = differences.mean() - half, differences.mean() + half
    assert bootstrap_interval(before, after) == pytest.approx(expected, abs=0.002)  # type: ignore[arg-type]


def test_the_interval_does_not_depend_on_how_draws_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bootstrap_interval(BEFORE, AFTER), permutation_p(BEFORE * 5, AFTER * 5)
    monkeypatch.setattr(paired, "AT_ONCE", 1_000)
    assert (bootstrap_interval(BEFORE, AFTER), permutation_p(BEFORE * 5, AFTER * 5)) == whole


def test_the_permutation_test_counts_every_assignment_of_signs() -> None:
    differences = [0.3, 0.1, -0.2, 0.4, 0.1]
    sums = [abs(sum(sign * one for sign, one in zip(signs, differences, strict=True)))
            for signs in product((1, -1), repeat=5)]  # fmt: skip
    expected = sum(one >= 0.7 - 1e-9 for one in sums) / 32
    assert permutation_p([0.0] * 5, differences) == expected
    assert permutation_p([0.0] * 6, [*differences, 0.0]) == expected  # a question without a difference says nothing
    assert permutation_p([0.0] * 4, [0.1] * 4) == 2 / 16
    assert permutation_p([0.5], [0.5]) == 1.0


def test_the_random_permutation_test_agrees_with_the_binomial() -> None:
    # With differences of one size, the sum depends on the number of positive ones alone.
    before, after = [0.0] * 20, [1.0] * 14 + [-1.0] * 6
    exact = 2 * sum(comb(20, count) for count in range(7)) / 2**20
    assert permutation_p(before, after, draws=50_000) == pytest.approx(exact, abs=0.006)
    assert permutation_p([0.0] * 40, [1.0] * 40, draws=999) == 1 / 1000  # never 0


def test_mcnemar_is_the_binomial_test_of_the_questions_that_differ() -> None:
    before = [1.0] * 10 + [0.0] * 8 + [1.0] * 2
    after = [1.0] * 10 + [1.0] * 8 + [0.0] * 2
    assert mcnemar_p(before, after) == 2 * (1 + 10 + 45) / 1024
    assert mcnemar_p(after, before) == mcnemar_p(before, after)
    assert mcnemar_p([1.0, 0.0], [0.0, 1.0]) == 1.0
    assert mcnemar_p([1.0], [1.0]) == 1.0
    assert mcnemar_p([0.0] * 3000, [1.0] * 1500 + [0.0] * 1500) == pytest.approx(0.0)
    with pytest.raises(ValueError, match="0 and 1"):
        mcnemar_p([0.5], [1.0])


@pytest.mark.parametrize(("before", "after"), [([], []), ([1.0], [1.0, 0.0])])
def test_scores_that_are_not_paired(before: list[float], after: list[float]) -> None:
    with pytest.raises(ValueError, match="the same questions"):
        paired_differences(before, after)
