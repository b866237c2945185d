"""Agreement of two raters, and the sign test."""

from __future__ import annotations

import pytest

from autoact.lab.statistics.agreement import cohen_kappa
from autoact.lab.statistics.paired import sign_p


def test_kappa_of_a_published_table() -> None:
    # Cohen's own kind of table: 20 both yes, 15 both no, 5 and 10 apart; observed 0.7, chance 0.5
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert cohen_kappa(*zip(*pairs, strict=True)) == pytest.approx(0.4)


def test_kappa_at_its_ends() -> None:
    assert cohen_kappa("abab", "abab") == 1.0
    assert cohen_kappa("aabb", "bbaa") == -1.0
    assert cohen_kappa("aabb", "abab") == 0.0
    assert cohen_kappa("aaa", "aaa") is None  # chance alone would agree as well
    assert cohen_kappa("", "") is None
    with pytest.raises(ValueError, match="expected ratings of the same items; got 1 and 2"):
        cohen_kappa("a", "ab")


def test_the_sign_test() -> None:
    assert (sign_p(0, 0), sign_p(1, 0), sign_p(3, 3)) == (1.0, 1.0, 1.0)
    assert sign_p(0, 6) == sign_p(6, 0) == 2 / 64
    assert sign_p(9, 1) == 22 / 1024
