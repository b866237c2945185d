"""Loss curves of the three sub-agents side by side, in braille."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content

from autoact.events import TrainStepped
from autoact.trajectory import SUB_AGENTS
from studio.follow import Follow
from studio.glyphs import Glyphs
from studio.loss import Column, Losses, span
from studio.widgets.rows import Rows, padded

AXIS = 6
"""Cells for the loss at the upper and the lower edge."""
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Braille: bits by row and column within a cell."""


class Curves(Rows):
    """Title line with the last loss and step, then the plot."""

    def rows(self, follow: Follow, width: int, height: int) -> Sequence[Content]:
        cell = width // len(SUB_AGENTS)
        charts = [chart(follow, role, cell, height, self.glyphs) for role in SUB_AGENTS]
        return [Content("").join(line) for line in zip(*charts, strict=True)]


def chart(follow: Follow, role: str, width: int, height: int, glyphs: Glyphs) -> list[Content]:
    """One role's curve as `height` pieces of `width` cells."""
    steps = follow.state.curves.get(role, {})
    last = steps[max(steps)] if steps else None
    lines = [title(role, last, width, glyphs), *plot(follow.losses.get(role), role, width - 1, height - 1, glyphs)]
    return [padded(line, width) for line in lines]


def title(role: str, last: TrainStepped | None, width: int, glyphs: Glyphs) -> Content:
    """Who learns, the last loss, and the step of how many."""
    name = Content.styled(f" {glyphs.role(role)} {role}", f"bold $role-{role}")
    if last is None:
        return Content.assemble(name, (" waits", "$quiet"))
    figures = Content.assemble((f" {last.loss:.3f}", "bold"), (f" {last.step + 1}/{last.of}", "$quiet"))
    if name.cell_length + figures.cell_length > width:  # the letter says who it is
        name = Content.styled(f" {glyphs.role(role)}", f"bold $role-{role}")
    return Content.assemble(name, figures)


def plot(losses: Losses | None, role: str, width: int, height: int, glyphs: Glyphs) -> list[Content]:
    """The curve with the loss at its edges; empty lines before the first step."""
    across = width - AXIS - 1
    columns = losses.columns(across * 2) if losses and across > 0 else []
    if not any(columns) or height < 1:
        return [Content()] * height
    low, high = span(columns)
    edges = {0: f"{high:.2f}", height - 1: f"{low:.2f}"} if height > 1 else {0: f"{high:.2f}"}
    cells = drawn(columns, low, high, height, ascii=glyphs.ascii)
    return [
        Content.assemble((f"{edges.get(index, ''):>{AXIS}} ", "$quiet"), (row, f"$role-{role}"))
        for index, row in enumerate(cells)
    ]


def drawn(columns: Sequence[Column | None], low: float, high: float, height: int, *, ascii: bool) -> list[str]:
    """Columns of dots as text, two columns and four rows of dots a cell. Gaps between steps are bridged."""
    dots = height * 4
    cells = [[0] * ((len(columns) + 1) // 2) for _ in range(height)]
    for x, top, bottom in _strokes(columns, low, (high - low) or 1.0, dots - 1):
        for y in range(top, bottom + 1):
            cells[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
    sign = _ascii if ascii else _braille
    return ["".join(map(sign, row)) for row in cells]


def _strokes(columns: Sequence[Column | None], low: float, span: float, most: int) -> Iterator[tuple[int, int, int]]:
    """For each dot column the upper and the lower dot, counted from above."""
    before: tuple[int, int] | None = None
    for x, column in enumerate(columns):
        if column is None:
            continue
        top, bottom = (most - round((loss - low) / span * most) for loss in (column[1], column[0]))
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


def _braille(bits: int) -> str:
    return chr(0x2800 + bits) if bits else " "


def _ascii(bits: int) -> str:
    upper, lower = bits & 0x1B, bits & 0xE4
    return ":" if upper and lower else "'" if upper else "." if lower else " "
