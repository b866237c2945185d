"""Corrected p-values, questions needed, and pass@k, against closed forms and enumerations."""

from __future__ import annotations

from itertools import combinations
from math import sqrt
from statistics import fmean

import numpy as np
import pytest

from autoact.lab.statistics.attempts import mean_pass_at_k, pass_at_k
from autoact.lab.statistics.correction import holm
from autoact.lab.statistics.paired import permutation_p
from autoact.lab.statistics.power import detectable_difference, questions_needed


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_questions_needed_follow_the_spread() -> None:
    before, after = [0.0] * 4, [1.0, -1.0, 1.0, -1.0]  # standard deviation: the root of 4 / 3
    needed = questions_needed(before, after, 0.1)
    assert needed == 1047  # (1.959964 + 0.841621)^2 * (4 / 3) / 0.01 = 1046.5
    assert detectable_difference(before, after) == pytest.approx(2.801585 * sqrt(4 / 3) / 2, abs=1e-5)
    assert questions_needed([0.5] * 4, [0.6] * 4, 0.1) is None
    assert detectable_difference([0.5], [0.6]) is None
    with pytest.raises(ValueError, match="other than 0"):
        questions_needed(before, after, 0.0)


def test_that_many_questions_find_the_difference_as_often_as_said() -> None:
    source = np.random.default_rng(5)
    # The spread of the sample is that of the population: sd 0.5.
    needed = questions_needed([0.0] * 1000, list(np.tile([0.5, -0.5], 500)), 0.2)
    assert needed == 50
    found = [permutation_p([0.0] * needed, source.normal(0.2, 0.5, needed), draws=400, seed=n) for n in range(300)]
    assert fmean(p < 0.05 for p in found) == pytest.approx(0.8, abs=0.07)


def test_pass_at_k_is_the_share_of_choices_with_a_right_attempt() -> None:
    for right in range(6):
        attempts = [True] * right + [False] * (5 - right)
        for k in range(1, 6):
            assert pass_at_k(5, right, k) == pytest.approx(fmean(any(one) for one in combinations(attempts, k)))
    assert mean_pass_at_k([[True, False], [False, False]], 1) == 0.25
    assert mean_pass_at_k([[True, False], [False, False]], 2) == 0.5
    for attempts, right, k in ((3, 1, 4), (3, 4, 1), (3, 1, 0)):
        with pytest.raises(ValueError, match="attempts"):
            pass_at_k(attempts, right, k)
