"""Curves as dots in terminal cells: two columns and four rows of dots a cell, or an ASCII sign in its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studio.series import Column

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits by row and column within a cell."""

Grid = list[list[int]]
"""The dots of each cell, by row."""


def drawn(columns: Sequence[Column | None], low: float, high: float, height: int) -> Grid:
    """Columns of dots in `height` rows of cells. Gaps between steps are bridged."""
    cells = [[0] * ((len(columns) + 1) // 2) for _ in range(height)]
    for x, top, bottom in _strokes(columns, low, (high - low) or 1.0, height * 4 - 1):
        for y in range(top, bottom + 1):
            cells[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
    return cells


def sign(bits: int, *, ascii: bool) -> str:
    """What stands for these dots."""
    if not ascii:
        return chr(0x2800 + bits) if bits else " "
    upper, lower = bits & 0x1B, bits & 0xE4
    return ":" if upper and lower else "'" if upper else "." if lower else " "


def _strokes(columns: Sequence[Column | None], low: float, span: float, most: int) -> Iterator[tuple[int, int, int]]:
    """For each dot column the upper and the lower dot, counted from above."""
    before: tuple[int, int] | None = None
    for x, column in enumerate(columns):
        if column is None:
            continue
        top, bottom = (most - round((value - low) / span * most) for value in (column[1], column[0]))
        middle = (top + bottom) // 2
        yield x, top, bottom
        if before is not None:
            yield from _bridge(before, (x, middle))
        before = x, middle


def _bridge(start: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[int, int, int]]:
    (left, y0), (right, y1) = start, end
    previous = y0
    for x in range(left + 1, right + 1):
        y = y0 + round((y1 - y0) * (x - left) / (right - left))
        yield x, min(previous, y), max(previous, y)
        previous = y
