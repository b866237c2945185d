"""The interval over questions and seeds, against all draws of a small table and the variance of a large one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from autoact.lab.statistics.paired import bootstrap_interval
from autoact.lab.statistics.seeds import seeds_interval

BEFORE, AFTER = [[0.0, 0.2, 0.5], [0.1, 0.0, 0.3]], [[1.0, 0.1, 0.6], [0.4, 0.9, 0.2]]


@pytest.mark.parametrize("shared", [True, False])
def test_the_interval_is_that_of_all_draws(shared: bool) -> None:
    old, new = np.array(BEFORE), np.array(AFTER)
    seeds = list(product(range(2), repeat=2))
    every = [
        new[np.ix_(mine, questions)].mean() - old[np.ix_(other, questions)].mean()
        for questions in product(range(3), repeat=3)
        for mine in seeds
        for other in ([mine] if shared else seeds)
    ]
    expected = tuple(np.quantile(every, [0.1, 0.9]))
    found = seeds_interval(BEFORE, AFTER, shared=shared, level=0.8, draws=40_000)
    assert found == pytest.approx(expected, abs=0.012)


def test_one_seed_gives_the_interval_over_questions() -> None:
    before, after = list(np.linspace(0, 1, 50)), list(np.linspace(1, 0.3, 50))
    assert seeds_interval([before], [after]) == pytest.approx(bootstrap_interval(before, after), abs=0.01)


def test_seeds_that_differ_widen_the_interval() -> None:
    alike, apart = [[0.5] * 30] * 4, [[0.2] * 30, [0.4] * 30, [0.6] * 30, [0.8] * 30]
    assert seeds_interval([[0.0] * 30] * 4, alike) == pytest.approx((0.5, 0.5))
    low, high = seeds_interval([[0.0] * 30] * 4, apart)
    # The mean of four seeds varies by their spread, root of 0.05, over 2; its draws are multiples of 0.05.
    assert (low, high) == pytest.approx((0.3, 0.7), abs=0.051)


@pytest.mark.parametrize(
    ("before", "after"), [([], []), ([[]], [[]]), ([[1.0], [1.0, 0.0]], [[1.0]]), ([[1.0]], [[1.0], [0.0]])]
)
def test_tables_that_do_not_fit(before: list[list[float]], after: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="expected the same questions"):
        seeds_interval(before, after)
