"""The ticks of an axis: round values at even distances, and their labels in a row of cells."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

ROUND = (1, 2, 5, 10)
"""Distances of ticks, times a power of ten."""
CELLS = 12
"""Least cells between two labels below the plot."""


def round_values(low: float, high: float, most: int) -> list[float]:
    """Returns at most `most` round values from `low` to `high`, at even distances; none without a range."""
    if most < 1 or not (math.isfinite(low) and math.isfinite(high) and high > low):
        return []
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    distance = next(factor * power for factor in ROUND if factor * power >= raw * (1 - 1e-9))
    first = math.ceil(low / distance - 1e-9)
    found = [number * distance for number in range(first, first + most + 2) if number * distance <= high]
    return found[:most] if len(found) > most else found


def round_powers(low: float, high: float) -> list[float]:
    """Returns the values 1, 2 and 5 times a power of ten from `low` to `high`, both above 0: ticks of a log scale."""
    if not 0 < low < high:
        return []
    powers = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    return [value for power in powers for factor in ROUND[:3] if low <= (value := factor * 10.0**power) <= high]


def step_labels(steps: int, across: int) -> str:
    """Returns the labels below a plot of `steps` steps and `across` cells, from 1 to the last at the right edge."""
    last = str(steps) if steps > 1 else ""
    text = [" "] * across
    for value in [1, *round_values(1, steps, max(1, across // CELLS))]:
        label, at = f"{value:.0f}", int((value - 1) / max(1, steps - 1) * (across - 1))
        is_free = not "".join(text[max(0, at - 1) : at + 2]).strip()
        if value == int(value) and is_free and at + len(label) + 1 < across - len(last):
            text[at : at + len(label)] = label
    return "".join(text)[: max(0, across - len(last))] + last


def tick_rows(
    ticks: Sequence[float], low: float, high: float, rows: int, text: Callable[[float], str]
) -> dict[int, str]:
    """Returns the labels left of a plot by row: the edges, and ticks that are not beside another label."""
    found = {0: text(high), rows - 1: text(low)}
    for value in ticks:
        row = round((high - value) / ((high - low) or 1.0) * (rows - 1))
        if all(abs(row - other) > 1 for other in found):
            found[row] = text(value)
    return found
