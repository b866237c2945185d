"""The lines of the list of projects, each with the last run of a project and its scores."""

from __future__ import annotations

from textual.content import Content

from studio.runs.project_summary import ProjectSummary
from studio.terminal import untrusted_text
from studio.terminal.glyphs import Glyphs
from studio.widgets.content_lines import pad
from studio.widgets.status import verdict_of

HEADS = ("project", "task", "model", "stage", "last run", "F1 group/meta")
MODEL_FROM = 140
"""Least width in cells at which the model has a column."""
NAME, NAME_AND_TASK, SCROLL_BAR = 14, 20, 2
"""Least width in cells of the name alone, and of name and task; cells that are left for the scroll bar."""


def column_widths(width: int) -> list[int]:
    """Returns the width of each column; name and task share the rest. 0 hides a column: first the task, then the
    scores, the stage and the last run."""
    rest = width - SCROLL_BAR - 1
    others = [23 if width >= MODEL_FROM else 0, 23, 15, 14]
    for hidden in (3, 1, 2):
        others[hidden] = others[hidden] if rest - sum(others) >= NAME else 0
    rest -= sum(others)
    name = min(rest // 2, 24) if rest >= NAME_AND_TASK and all(others[1:]) else rest
    return [name, rest - name, *others]


def heads_line(widths: list[int]) -> Content:
    """Returns the heads of the columns."""
    return _row([Content(head) for head in HEADS], widths)


def project_line(summary: ProjectSummary, widths: list[int], glyphs: Glyphs, title: str) -> Content:
    """Returns a line of the list; for a project that cannot be read, with the error."""
    name = untrusted_text.content(title, "bold")
    if summary.error:
        error = untrusted_text.content(summary.error.replace(f"{summary.project.root}/", ""), "$error")
        room = sum(widths)
        shown = min(widths[0], room // 3)  # also where there is no column but the name
        return _row([name, error], [shown, room - shown])
    return _row(_cells(name, summary, verdict_of(summary.verdict, glyphs)), widths)


def _cells(name: Content, summary: ProjectSummary, verdict: Content) -> list[Content]:
    """Returns the cells of a project's line."""
    return [
        name,
        untrusted_text.content(summary.task, "$quiet"),
        untrusted_text.content(summary.model, "$quiet"),
        untrusted_text.content(summary.stage),
        Content.assemble(verdict, f" x{len(summary.alive)}" if len(summary.alive) > 1 else "")
        if summary.verdict
        else Content.styled("no runs", "$quiet"),
        untrusted_text.content(summary.scores, "$accent"),
    ]


def _row(pieces: list[Content], widths: list[int]) -> Content:
    """Joins pieces, each cut or padded to its width, which includes a gap of one cell."""
    return Content.assemble(" ", *(pad(pad(p, w - 1), w) for p, w in zip(pieces, widths, strict=True) if w))
