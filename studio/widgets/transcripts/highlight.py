"""Divides one line into pieces of different style: the matches of a search, the changes of a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add

from rich.segment import Segment
from rich.style import Style

Span = tuple[int, int, Style]
"""First character, the one after the last, and the style that is added to that of the line."""


def pieces(line: str, style: Style, spans: Sequence[Span]) -> Iterator[Segment]:
    """Yields a line in pieces; where spans overlap, the style of the later one comes on top."""
    inside = [(max(0, start), min(len(line), end), own) for start, end, own in spans]
    cuts = sorted({0, len(line), *(cut for start, end, _ in inside if start < end for cut in (start, end))})
    for first, last in zip(cuts, cuts[1:], strict=False):
        over = [own for start, end, own in inside if start <= first and last <= end]
        yield Segment(line[first:last], reduce(add, over, style))
