"""Draws curves as dots in terminal cells: two columns and four rows of dots a cell, or ASCII signs instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from studio.runs.loss_series import Column

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits by row and column within a cell."""
_BARS = tuple(
    tuple(tuple(sum(_DOTS[y][x] for y in range(top, bottom + 1)) for bottom in range(4)) for top in range(4))
    for x in range(2)
)
"""Bits of a vertical stroke within a cell, by its dot column, its upper and its lower dot row."""
_SIGNS = " " + "".join(chr(0x2800 + bits) for bits in range(1, 256))
_ASCII_SIGNS = "".join(" .':"[bool(bits & 0xE4) + 2 * bool(bits & 0x1B)] for bits in range(256))

Grid = list[list[int]]
"""The dots of each cell as eight bits, by row and column of cells."""


def draw_dots(columns: Sequence[Column | None], low: float, high: float, height: int) -> Grid:
    """Draws one value range per dot column into `height` rows of cells; lines bridge columns without values."""
    cells = [[0] * ((len(columns) + 1) // 2) for _ in range(height)]
    for x, top, bottom in _strokes(columns, low, (high - low) or 1.0, height * 4 - 1):
        cell, bars, first, last = x // 2, _BARS[x % 2], top // 4, bottom // 4
        if first == last:
            cells[first][cell] |= bars[top % 4][bottom % 4]
            continue
        cells[first][cell] |= bars[top % 4][3]
        for row in range(first + 1, last):
            cells[row][cell] |= bars[0][3]
        cells[last][cell] |= bars[0][bottom % 4]
    return cells


def dot_text(cells: Iterable[int], *, ascii: bool) -> str:
    """Returns the characters for a row of cells."""
    return "".join(map((_ASCII_SIGNS if ascii else _SIGNS).__getitem__, cells))


def _strokes(columns: Sequence[Column | None], low: float, span: float, most: int) -> Iterator[tuple[int, int, int]]:
    """Yields dot column, upper dot row and lower dot row; rows are counted from the top."""
    scale = most / span
    before: tuple[int, int] | None = None
    for x, column in enumerate(columns):
        if column is None:
            continue
        top, bottom = most - round((column[1] - low) * scale), most - round((column[0] - low) * scale)
        middle = (top + bottom) // 2
        if before is not None and before[0] == x - 1:  # adjacent columns: one stroke connects them
            top, bottom = min(top, before[1]), max(bottom, before[1])
        elif before is not None:
            yield from _bridge(before, (x, middle))
        yield x, top, bottom
        before = x, middle


def _bridge(start: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[int, int, int]]:
    (left, y0), (right, y1) = start, end
    previous = y0
    for x in range(left + 1, right + 1):
        y = y0 + round((y1 - y0) * (x - left) / (right - left))
        yield x, min(previous, y), max(previous, y)
        previous = y
