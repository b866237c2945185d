"""A figure that changes from step to step, kept so that drawing it costs the same at ten steps and at ten million."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence

BINS = 1_024
"""The most bins a series has: when they are full, two become one."""

Column = tuple[float, float]
"""Lowest and highest value of the steps that fall into it."""


class Series:
    """Values by step, from 0 on. A step put again replaces the first; what is not a number leaves a gap."""

    def __init__(self, values: Iterable[float] = ()) -> None:
        self._values = array("d", values)
        self._stride = 1
        """Steps to a bin."""
        self._bins: list[Column | None] = []
        self._sums: list[tuple[float, int]] = []
        """Of the values in each bin, and how many they are."""
        while len(self._values) > self._stride * BINS:
            self._stride *= 2
        self._renew(0, (len(self._values) - 1) // self._stride)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def last(self) -> float:
        """The newest value; NaN when there is none."""
        return self._values[-1] if self._values else math.nan

    def at(self, step: int) -> float:
        """NaN where there is none."""
        return self._values[step] if 0 <= step < len(self._values) else math.nan

    def put(self, step: int, value: float) -> None:
        """Take in one step."""
        values = self._values
        if step == len(values) and step < self._stride * BINS:
            values.append(value)
            self._add(step // self._stride, value)
            return
        first = min(step, len(values))
        values.extend([math.nan] * (step + 1 - len(values)))
        values[step] = value
        while len(values) > self._stride * BINS:
            self._halve()
        self._renew(first // self._stride, step // self._stride)

    def columns(self, count: int, of: int = 0, *, smooth: float = 0.0) -> list[Column | None]:
        """The whole length, or `of` steps if those are more, in `count` columns; None where there is no step (yet).

        `smooth` is the weight, below 1, that a step's average gives to what was before it.
        """
        found: list[Column | None] = [None] * count
        total = max(of, len(self._values), 1)
        for number, bin in enumerate(self.smoothed(smooth) if smooth else self._bins):
            if bin is not None:
                place = min(number * self._stride * count // total, count - 1)
                known = found[place]
                found[place] = bin if known is None else (min(known[0], bin[0]), max(known[1], bin[1]))
        return found

    def smoothed(self, weight: float) -> list[Column | None]:
        """The running average of each bin."""
        average, found = math.nan, list[Column | None]()
        for total, count in self._sums:
            if count:
                mean = total / count
                kept = weight**count
                average = mean if math.isnan(average) else mean + (average - mean) * kept
            found.append((average, average) if count else None)
        return found

    def _add(self, place: int, value: float) -> None:
        if place == len(self._bins):
            self._bins.append(None)
            self._sums.append((0.0, 0))
        if math.isfinite(value):
            bin, (total, count) = self._bins[place], self._sums[place]
            self._bins[place] = (value, value) if bin is None else (min(bin[0], value), max(bin[1], value))
            self._sums[place] = total + value, count + 1

    def _halve(self) -> None:
        """Twice the steps to a bin, half the bins."""
        self._stride *= 2
        pairs = range(0, len(self._bins), 2)
        self._bins = [_merged(self._bins[at : at + 2]) for at in pairs]
        self._sums = [
            (sum(total for total, _ in pair), sum(count for _, count in pair))
            for pair in (self._sums[at : at + 2] for at in pairs)
        ]

    def _renew(self, first: int, last: int) -> None:
        """Fill the bins from `first` to `last` again."""
        for place in range(first, last + 1):
            steps = self._values[place * self._stride : (place + 1) * self._stride]
            known = [value for value in steps if math.isfinite(value)]
            if place == len(self._bins):
                self._bins.append(None)
                self._sums.append((0.0, 0))
            self._bins[place] = (min(known), max(known)) if known else None
            self._sums[place] = math.fsum(known), len(known)


def _merged(columns: Sequence[Column | None]) -> Column | None:
    known = [column for column in columns if column is not None]
    return (min(low for low, _ in known), max(high for _, high in known)) if known else None


def span(columns: Sequence[Column | None]) -> Column:
    """The lowest and highest value in sight; (0, 0) when there is none."""
    return _merged(columns) or (0.0, 0.0)
