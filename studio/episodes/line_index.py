"""How many lines each of many passages takes: counted where someone looks, estimated everywhere else.

Passages lie in blocks. Counting a block costs the same wherever it lies, so opening a long document, changing the
width and moving about in it do not depend on how long it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

BLOCK = 128
"""Passages counted at a time."""


class LineIndex:
    """Lines by passage, and the line on which each begins."""

    def __init__(self, count: Callable[[int], int], estimate: Callable[[int, int], int]):
        """`count` gives a passage's lines; `estimate` those of the passages from its first argument to its second."""
        self._count = count
        self._estimate = estimate
        self.passages = 0
        """How many there are, as last told."""
        self._known: list[list[int] | None] = []
        """For each block that was counted, where its passages end, from the block's own beginning."""
        self._lines: list[int] = []
        """Of each block, counted or estimated."""
        self._tops: list[int] = [0]
        """Where each block begins; one more at the end is where the last one ends."""

    @property
    def total(self) -> int:
        """Lines of all passages; as exact as the blocks that were counted."""
        return self._tops[-1]

    def change(self, first: int, passages: int) -> None:
        """The passages from `first` on are new or different, and there are `passages` of them now."""
        block = min(first, self.passages) // BLOCK
        self.passages = passages
        known = self._known[block] if block < len(self._known) else []
        blocks = range(block, -(-passages // BLOCK))
        self._known[block:] = [None for _ in blocks]
        self._lines[block:] = [self._estimate(at * BLOCK, min((at + 1) * BLOCK, passages)) for at in blocks]
        del self._tops[block + 1 :]
        if len(blocks) == 1 and known is not None:
            self._put(block, self._ends(block, known[: first - block * BLOCK]))
        else:
            self._weigh(block)

    def settle(self, first: int, last: int, anchor: int) -> int:
        """Count every block from line `first` to `last`; how much further down that moved the line `anchor`."""
        moved, block = 0, self._block(first)
        while block < len(self._known) and self._tops[block] <= last + moved:
            end, before = self._tops[block + 1], self._lines[block]
            self._counted(block)
            if end <= anchor + moved:
                moved += self._lines[block] - before
            block += 1
        return moved

    def find(self, line: int) -> tuple[int, int]:
        """The passage on this line, and which of its lines that is; the last one for lines behind the end."""
        block = self._block(line)
        ends = self._counted(block)
        within = min(line - self._tops[block], ends[-1] - 1)
        place = bisect_right(ends, within)
        return block * BLOCK + place, within - (ends[place - 1] if place else 0)

    def span(self, passage: int) -> tuple[int, int]:
        """The line on which a passage begins and the one after its end."""
        block, place = divmod(passage, BLOCK)
        ends = self._counted(block)
        top = self._tops[block]
        return top + (ends[place - 1] if place else 0), top + ends[place]

    def _counted(self, block: int) -> list[int]:
        ends = self._known[block]
        if ends is None:
            ends = self._ends(block, [])
            self._put(block, ends)
        return ends

    def _put(self, block: int, ends: list[int]) -> None:
        self._known[block] = ends
        self._lines[block] = ends[-1]
        self._weigh(block)

    def _block(self, line: int) -> int:
        return max(0, min(bisect_right(self._tops, line) - 1, len(self._known) - 1))

    def _ends(self, block: int, kept: list[int]) -> list[int]:
        """Where the passages of a block end; the first ones are known already."""
        first = block * BLOCK + len(kept)
        lines = (self._count(passage) for passage in range(first, min((block + 1) * BLOCK, self.passages)))
        return kept + list(accumulate(lines, initial=kept[-1] if kept else 0))[1:]

    def _weigh(self, block: int) -> None:
        """Blocks from this one on begin elsewhere now."""
        self._tops[block:] = accumulate(self._lines[block:], initial=self._tops[block])
