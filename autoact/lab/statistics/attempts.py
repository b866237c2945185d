"""The chance that one of several attempts at a question is right."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from statistics import fmean


def pass_at_k(attempts: int, right: int, k: int) -> float:
    """Returns the unbiased estimate of the chance that at least one of `k` attempts at a question is right.

    It is the share of the choices of k among all attempts that hold a right one (Chen et al., arXiv 2107.03374).
    Raises ValueError unless 1 <= k <= attempts and 0 <= right <= attempts.
    """
    if not (1 <= k <= attempts and 0 <= right <= attempts):
        raise ValueError(f"expected 1 to {attempts} attempts of {attempts}, {right} of them right; got k = {k}")
    return 1 - comb(attempts - right, k) / comb(attempts, k)


def mean_pass_at_k(right: Sequence[Sequence[bool]], k: int) -> float:
    """Returns the mean of `pass_at_k` over questions, from whether each attempt at each question was right."""
    return fmean(pass_at_k(len(one), sum(one), k) for one in right)
