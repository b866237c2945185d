"""The gutter of a transcript: the sign of the role and the name of the part, left of a paragraph."""

from __future__ import annotations

from studio.terminal.glyphs import Glyphs

GUTTERS = ((70, 15), (44, 11), (0, 3))
"""Least width of the view and width of the gutter, in cells: for sign and part, sign and short part, sign alone."""
SPARE = 4
"""Cells of the gutter beside the name of a part."""
SHORT = {
    "argument": "arg", "observation": "obs", "reflection": "reflect", "question": "asked", "sampling": "sample",
    "assistant": "model", "probability": "chance", "generated": "written",
}  # fmt: skip
"""Names of parts for the narrower gutter."""


def gutter(width: int, longest: int = 0) -> int:
    """Returns the width of the gutter in cells, for a view of `width` cells, with room for parts of `longest` cells as
    long as that takes at most a third of the view."""
    usual = next(cells for least, cells in GUTTERS if width >= least)
    return max(usual, min(longest + SPARE, width // 3)) if longest else usual


def label(glyphs: Glyphs, role: str, part: str, cells: int) -> str:
    """Returns the text in a gutter of so many cells."""
    sign, width = glyphs.role(role), cells - SPARE
    name = part if len(part) <= width else SHORT.get(part, part[: max(0, width)])
    return f"{sign} {name}" if width > 0 else sign
