"""A figure that changes from step to step, kept so that drawing it costs the same at ten steps and at ten million."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise

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
        self._lows, self._highs = array("d"), array("d")
        """Of each bin; NaN where it has no value."""
        self._sums, self._counts = array("d"), array("q")
        """Of the values in each bin, and how many they are."""
        self._averages: dict[float, array[float]] = {}
        """By weight, the running average after each bin, as far as it was asked for and still holds."""
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
        total, known = max(of, len(self._values), 1), len(self._counts)
        edges = [min(known, -(-place * total // (count * self._stride))) for place in range(count + 1)]
        lows, highs = (self._smoothed(smooth),) * 2 if smooth else (self._lows, self._highs)
        return [_extremes(lows[left:right], highs[left:right]) for left, right in pairwise(edges)]

    def _smoothed(self, weight: float) -> array[float]:
        """The running average after each bin, NaN where the bin is empty."""
        found = self._averages.setdefault(weight, array("d"))
        average = next((known for known in reversed(found) if known == known), math.nan)  # NaN is not itself
        for total, count in zip(self._sums[len(found) :], self._counts[len(found) :], strict=True):
            if count:
                mean = total / count
                average = mean if math.isnan(average) else mean + (average - mean) * weight**count
            found.append(average if count else math.nan)
        return found

    def _add(self, place: int, value: float) -> None:
        if place == len(self._counts):
            self._open()
        if math.isfinite(value):
            first = not self._counts[place]
            self._lows[place] = value if first else min(self._lows[place], value)
            self._highs[place] = value if first else max(self._highs[place], value)
            self._sums[place] += value
            self._counts[place] += 1
        self._changed(place)

    def _open(self) -> None:
        """One bin more."""
        self._lows.append(math.nan)
        self._highs.append(math.nan)
        self._sums.append(0.0)
        self._counts.append(0)

    def _changed(self, place: int) -> None:
        """The averages from this bin on hold no longer."""
        for averages in self._averages.values():
            del averages[place:]

    def _halve(self) -> None:
        """Twice the steps to a bin, half the bins."""
        self._stride *= 2
        pairs = [slice(at, at + 2) for at in range(0, len(self._counts), 2)]
        columns = [_extremes(self._lows[pair], self._highs[pair]) or (math.nan, math.nan) for pair in pairs]
        self._lows, self._highs = array("d", (low for low, _ in columns)), array("d", (high for _, high in columns))
        self._sums = array("d", (sum(self._sums[pair]) for pair in pairs))
        self._counts = array("q", (sum(self._counts[pair]) for pair in pairs))
        self._averages.clear()

    def _renew(self, first: int, last: int) -> None:
        """Fill the bins from `first` to `last` again."""
        for place in range(first, last + 1):
            if place == len(self._counts):
                self._open()
            steps: Sequence[float] = self._values[place * self._stride : (place + 1) * self._stride]
            if not math.isfinite(sum(steps)):
                steps = [value for value in steps if math.isfinite(value)]
            self._lows[place], self._highs[place] = _extremes(steps, steps) or (math.nan, math.nan)
            self._sums[place], self._counts[place] = math.fsum(steps), len(steps)
        self._changed(first)


def _extremes(lows: Sequence[float], highs: Sequence[float]) -> Column | None:
    """Of all that are numbers. Only in the first place does NaN keep others from being the lowest or the highest."""
    if not lows:
        return None
    if math.isnan(lows[0]):
        lows, highs = ([value for value in values if not math.isnan(value)] for values in (lows, highs))
        return (min(lows), max(highs)) if lows else None
    return min(lows), max(highs)


def span(columns: Sequence[Column | None]) -> Column:
    """The lowest and highest value in sight; (0, 0) when there is none."""
    known = [column for column in columns if column is not None]
    return (min(low for low, _ in known), max(high for _, high in known)) if known else (0.0, 0.0)
