"""A loss curve in a fixed number of columns, so that drawing it costs the same at ten steps and at ten million."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from autoact.events import TrainStepped

COLUMNS = 512

Column = tuple[float, float]
"""Lowest and highest loss of the steps that fall into it."""


class Losses:
    """The columns of one role's curve, kept up to date step by step."""

    def __init__(self) -> None:
        self.of = 0
        self._columns: list[Column | None] = [None] * COLUMNS

    def put(self, event: TrainStepped, curve: Mapping[int, TrainStepped]) -> None:
        """Take in a step that `curve` already holds. A step done again replaces the first. Steps count from 0."""
        if event.of != self.of:
            self.of, self._columns = event.of, [None] * COLUMNS
            for place in {self._place(step) for step in curve}:
                self._renew(place, curve)
        self._renew(self._place(event.step), curve)

    def columns(self, count: int) -> list[Column | None]:
        """The whole length of the training in `count` columns; None where there is no step (yet)."""
        edges = [index * COLUMNS // count for index in range(count + 1)]
        return [merged(self._columns[left : max(right, left + 1)]) for left, right in pairwise(edges)]

    def _place(self, step: int) -> int:
        return min(step * COLUMNS // max(self.of, 1), COLUMNS - 1)

    def _renew(self, place: int, curve: Mapping[int, TrainStepped]) -> None:
        first, last = place * self.of // COLUMNS, (place + 1) * self.of // COLUMNS + 2
        steps = [curve[step].loss for step in range(first, last) if step in curve and self._place(step) == place]
        self._columns[place] = merged([(loss, loss) for loss in steps if math.isfinite(loss)])


def merged(columns: Iterable[Column | None]) -> Column | None:
    """What several columns span together."""
    known = [column for column in columns if column is not None]
    return (min(low for low, _ in known), max(high for _, high in known)) if known else None


def span(columns: Sequence[Column | None]) -> Column:
    """The lowest and highest loss in sight; (0, 0) when there is none."""
    return merged(columns) or (0.0, 0.0)
