"""Two methods on the same questions with several seeds: an interval over questions and seeds together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autoact.lab.statistics.paired import DRAWS, Floats, ends, split_draws

Table = Sequence[Sequence[float]]
"""Scores by seed and question; every seed answers the same questions in the same order."""


def seeds_interval(
    before: Table, after: Table, *, shared: bool = True, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float]:
    """Returns the interval of the mean of `after` minus `before`, for other questions and other seeds.

    Questions and seeds are drawn anew, each with replacement, in every draw (the pigeonhole bootstrap: Owen, Annals of
    Applied Statistics 1 (2007), 386-411). With `shared`, the two methods share what a seed changes, such as practice
    questions, and a seed is drawn for both; otherwise each has seeds of its own. With one seed only the questions
    vary; with two or three the interval is too narrow, because so few seeds show little of their spread. Raises
    ValueError for tables that are empty, or have other numbers of questions or, if shared, of seeds.
    """
    old, new = seed_table(before), seed_table(after)
    if old.shape[1] != new.shape[1] or (shared and len(old) != len(new)):
        raise ValueError(f"expected the same questions and seeds; got tables of {old.shape} and {new.shape}")
    source, means = np.random.default_rng(seed), []
    for rows in split_draws(draws, old.shape[1]):
        questions = _weights(source, rows, old.shape[1])
        new_seeds = _weights(source, rows, len(new))
        old_seeds = new_seeds if shared else _weights(source, rows, len(old))
        means.append(((new_seeds @ new - old_seeds @ old) * questions).sum(axis=1))
    return ends(np.concatenate(means), level)


def seed_table(scores: Table) -> Floats:
    """Returns scores as an array of seeds x questions. Raises ValueError when there are none, or rows differ."""
    if len({len(row) for row in scores}) != 1 or not len(scores[0]):
        raise ValueError(f"expected the same questions for every seed; got {[len(row) for row in scores]}")
    return np.asarray(scores, float)


def _weights(source: np.random.Generator, rows: int, size: int) -> Floats:
    """Returns the shares of `size` things in draws of as many, with replacement; rows x size."""
    return np.divide(source.multinomial(size, np.full(size, 1 / size), rows), size)
