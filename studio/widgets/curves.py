"""Loss curves of the three sub-agents side by side, in braille."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from autoact.events import TrainStepped
from autoact.registry.roles import SUB_AGENTS
from studio.runs.follow import Follow
from studio.runs.loss_series import Series, span
from studio.terminal.glyphs import Glyphs
from studio.widgets.braille import drawn, signs
from studio.widgets.rows import Rows, padded

AXIS = 6
"""Cells for the loss at the upper and the lower edge."""


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
    of = last.of if last else 0
    lines = [title(role, last, width, glyphs), *plot(follow.losses.get(role), of, role, width - 1, height - 1, glyphs)]
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


def plot(losses: Series | None, of: int, role: str, width: int, height: int, glyphs: Glyphs) -> list[Content]:
    """The curve with the loss at its edges; empty lines before the first step."""
    across = width - AXIS - 1
    columns = losses.columns(across * 2, of) if losses and across > 0 else []
    if not any(columns) or height < 1:
        return [Content()] * height
    low, high = span(columns)
    edges = {0: f"{high:.2f}", height - 1: f"{low:.2f}"} if height > 1 else {0: f"{high:.2f}"}
    rows = [signs(row, ascii=glyphs.ascii) for row in drawn(columns, low, high, height)]
    return [
        Content.assemble((f"{edges.get(index, ''):>{AXIS}} ", "$quiet"), (row, f"$role-{role}"))
        for index, row in enumerate(rows)
    ]
