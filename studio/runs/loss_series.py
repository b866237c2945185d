"""A series of values by step, binned so that drawing it costs the same for ten steps and for ten million."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

BINS = 1_024
"""Most bins of a series: when they are full, each two are merged."""

Column = tuple[float, float]
"""Lowest and highest value of the steps in one column of a plot."""


class Series:
    """Values by step, from 0. A step put again replaces its value; NaN and infinity leave a gap."""

    def __init__(self, values: Iterable[float] = ()) -> None:
        self._values = array("d", values)
        self._stride = 1
        """Steps per bin."""
        self._lows, self._highs = array("d"), array("d")
        """Lowest and highest value of each bin; NaN where it has none."""
        self._sums, self._counts = array("d"), array("q")
        """Sum and number of the values of each bin."""
        self._averages: dict[float, array[float]] = {}
        """Cached running averages after each bin, by weight; as far as they are valid."""
        while len(self._values) > self._stride * BINS:
            self._stride *= 2
        self._fill(0, (len(self._values) - 1) // self._stride)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def last(self) -> float:
        """The newest value; NaN when there is none."""
        return self._values[-1] if self._values else math.nan

    def at(self, step: int) -> float:
        """Returns the value of a step; NaN where there is none."""
        return self._values[step] if 0 <= step < len(self._values) else math.nan

    def put(self, step: int, value: float) -> None:
        """Adds or replaces the value of a step."""
        values = self._values
        if step == len(values) and step < self._stride * BINS:
            values.append(value)
            self._add(step // self._stride, value)
            return
        first = min(step, len(values))
        values.extend([math.nan] * (step + 1 - len(values)))
        values[step] = value
        while len(values) > self._stride * BINS:
            self._merge_bins()
        self._fill(first // self._stride, step // self._stride)

    def columns(self, count: int, of: int = 0, *, smooth: float = 0.0) -> list[Column | None]:
        """Returns `count` columns for all steps, or for `of` steps if that is more; None where a column has no value.

        The first step is in the first column, and the last of several in the last.
        `smooth` is the weight of the previous average, from 0 for no smoothing to below 1.
        """
        last, known = max(1, (max(of, len(self._values)) - 1) // self._stride), len(self._counts)
        edges = [min(known, -(-at * last // max(1, count - 1))) for at in range(count)]
        lows, highs = (self._averages_by(smooth),) * 2 if smooth else (self._lows, self._highs)
        return [_extremes(lows[left:right], highs[left:right]) for left, right in pairwise([*edges, known])]

    def _averages_by(self, weight: float) -> array[float]:
        """Returns the running average after each bin, NaN where the bin is empty."""
        found = self._averages.setdefault(weight, array("d"))
        average = next((known for known in reversed(found) if known == known), math.nan)  # NaN is not equal to itself
        for total, count in zip(self._sums[len(found) :], self._counts[len(found) :], strict=True):
            if count:
                mean = total / count
                average = mean if math.isnan(average) else mean + (average - mean) * weight**count
            found.append(average if count else math.nan)
        return found

    def _add(self, index: int, value: float) -> None:
        if index == len(self._counts):
            self._add_bin()
        if math.isfinite(value):
            first = not self._counts[index]
            self._lows[index] = value if first else min(self._lows[index], value)
            self._highs[index] = value if first else max(self._highs[index], value)
            self._sums[index] += value
            self._counts[index] += 1
        self._drop_averages(index)

    def _add_bin(self) -> None:
        """Adds an empty bin."""
        self._lows.append(math.nan)
        self._highs.append(math.nan)
        self._sums.append(0.0)
        self._counts.append(0)

    def _drop_averages(self, index: int) -> None:
        """Drops the cached averages from this bin on."""
        for averages in self._averages.values():
            del averages[index:]

    def _merge_bins(self) -> None:
        """Doubles the steps per bin, which halves the number of bins."""
        self._stride *= 2
        pairs = [slice(at, at + 2) for at in range(0, len(self._counts), 2)]
        columns = [_extremes(self._lows[pair], self._highs[pair]) or (math.nan, math.nan) for pair in pairs]
        self._lows, self._highs = array("d", (low for low, _ in columns)), array("d", (high for _, high in columns))
        self._sums = array("d", (sum(self._sums[pair]) for pair in pairs))
        self._counts = array("q", (sum(self._counts[pair]) for pair in pairs))
        self._averages.clear()

    def _fill(self, first: int, last: int) -> None:
        """Computes the bins from `first` to `last` from the values."""
        for index in range(first, last + 1):
            if index == len(self._counts):
                self._add_bin()
            steps: Sequence[float] = self._values[index * self._stride : (index + 1) * self._stride]
            if not math.isfinite(sum(steps)):
                steps = [value for value in steps if math.isfinite(value)]
            self._lows[index], self._highs[index] = _extremes(steps, steps) or (math.nan, math.nan)
            self._sums[index], self._counts[index] = math.fsum(steps), len(steps)
        self._drop_averages(first)


def _extremes(lows: Sequence[float], highs: Sequence[float]) -> Column | None:
    """Returns the lowest and highest number, NaN left out; None without a number.

    Python's min and max ignore NaN unless it is the first value, so only then the values are filtered.
    """
    if not lows:
        return None
    if math.isnan(lows[0]):
        lows, highs = ([value for value in values if not math.isnan(value)] for values in (lows, highs))
        return (min(lows), max(highs)) if lows else None
    return min(lows), max(highs)


def span(columns: Sequence[Column | None]) -> Column:
    """Returns the lowest and highest value of the columns; (0, 0) when there is none."""
    known = [column for column in columns if column is not None]
    return (min(low for low, _ in known), max(high for _, high in known)) if known else (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class RunCurve:
    """The curve of another run."""

    run: str
    """The name of the run's folder."""
    series: Series
