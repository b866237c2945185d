"""An index of the lines that each paragraph takes: counted around the lines in sight, estimated elsewhere.

Paragraphs are counted in blocks. Counting a block costs the same wherever it lies, so that opening a document, changing
its width and moving in it take a time that does not depend on its length.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

BLOCK = 128
"""Paragraphs per block."""


class LineIndex:
    """Maps paragraphs to lines and lines to paragraphs; both are counted from 0."""

    def __init__(self, count: Callable[[int], int], estimate: Callable[[int, int], int]):
        """`count` returns the lines of a paragraph; `estimate` those of a range of paragraphs, roughly."""
        self._count = count
        self._estimate = estimate
        self.paragraphs = 0
        """Number of paragraphs, as set by `change`."""
        self._known: list[list[int] | None] = []
        """For each block the line after each of its paragraphs, relative to the block; None for a block not counted."""
        self._lines: list[int] = []
        """Lines of each block, counted or estimated."""
        self._tops: list[int] = [0]
        """First line of each block, and at the end the number of all lines."""

    @property
    def total(self) -> int:
        """Lines of all paragraphs, in part estimated."""
        return self._tops[-1]

    def change(self, first: int, paragraphs: int) -> None:
        """Notes that the paragraphs from `first` on are new or different, and that there are `paragraphs` now."""
        block = min(first, self.paragraphs) // BLOCK
        self.paragraphs = paragraphs
        known = self._known[block] if block < len(self._known) else []
        blocks = range(block, -(-paragraphs // BLOCK))
        self._known[block:] = [None for _ in blocks]
        self._lines[block:] = [
            self._estimate(number * BLOCK, min((number + 1) * BLOCK, paragraphs)) for number in blocks
        ]
        del self._tops[block + 1 :]
        if len(blocks) == 1 and known is not None:
            self._put(block, self._ends(block, known[: first - block * BLOCK]))
        else:
            self._sum_up(block)

    def count_range(self, first: int, last: int, anchor: int) -> int:
        """Counts every block from line `first` to `last`; returns how many lines further down `anchor` is then."""
        moved, block = 0, self._block(first)
        while block < len(self._known) and self._tops[block] <= last + moved:
            end, before = self._tops[block + 1], self._lines[block]
            self._block_ends(block)
            if end <= anchor + moved:
                moved += self._lines[block] - before
            block += 1
        return moved

    def find(self, line: int) -> tuple[int, int]:
        """Returns the paragraph on this line and the line's number within it; the last one for lines after the end."""
        block = self._block(line)
        ends = self._block_ends(block)
        within = min(line - self._tops[block], ends[-1] - 1)
        at = bisect_right(ends, within)
        return block * BLOCK + at, within - (ends[at - 1] if at else 0)

    def span(self, paragraph: int) -> tuple[int, int]:
        """Returns the first line of a paragraph and the line after its last."""
        block, at = divmod(paragraph, BLOCK)
        ends = self._block_ends(block)
        top = self._tops[block]
        return top + (ends[at - 1] if at else 0), top + ends[at]

    def _block_ends(self, block: int) -> list[int]:
        ends = self._known[block]
        if ends is None:
            ends = self._ends(block, [])
            self._put(block, ends)
        return ends

    def _put(self, block: int, ends: list[int]) -> None:
        self._known[block] = ends
        self._lines[block] = ends[-1]
        self._sum_up(block)

    def _block(self, line: int) -> int:
        return max(0, min(bisect_right(self._tops, line) - 1, len(self._known) - 1))

    def _ends(self, block: int, kept: list[int]) -> list[int]:
        """Returns the line after each paragraph of a block; those in `kept` are known already."""
        first = block * BLOCK + len(kept)
        lines = (self._count(paragraph) for paragraph in range(first, min((block + 1) * BLOCK, self.paragraphs)))
        return kept + list(accumulate(lines, initial=kept[-1] if kept else 0))[1:]

    def _sum_up(self, block: int) -> None:
        """Computes the first lines of the blocks from this one on."""
        self._tops[block:] = accumulate(self._lines[block:], initial=self._tops[block])
