"""The differences of two episodes: their passages aligned, and within those that differ the words."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from autoact.registry.roles import speaker
from studio.episodes.document import Document, Mark, Paragraph
from studio.terminal import untrusted_text

if TYPE_CHECKING:
    from rapidfuzz.distance import Opcodes

WORDS = re.compile(r"\d+(?:[.,]\d+)+|\w+|\s+|[^\w\s]")
"""A number such as 4,800.5 is one word."""
ALIKE = 0.3
"""The share of a passage's letters that must be the same, else it is shown whole, once for each episode."""
SIGNS = {"removed": ("[-", "-]"), "added": ("{+", "+}")}
"""Signs around changed words, as in `git diff --word-diff`: they need no colour."""
WHOLE = {"removed": "- ", "added": "+ "}
"""Signs before a passage that only one of the episodes has."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The passages of two episodes in one order, and how many of them are of which kind."""

    document: Document
    same: int
    changed: int
    removed: int
    """Passages that only the first episode has."""
    added: int
    """Passages that only the second episode has."""

    @property
    def is_empty(self) -> bool:
        return not (self.changed or self.removed or self.added)

    @property
    def summary(self) -> str:
        """The counts in words, those of 0 left out."""
        if self.is_empty:
            return "no difference"
        counts = {
            "the same": self.same, "changed": self.changed, "only in -": self.removed, "only in +": self.added
        }  # fmt: skip
        return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)


def find_differences(one: Sequence[Paragraph], other: Sequence[Paragraph]) -> Difference:
    """Returns the differences of two episodes, given as their paragraphs."""
    document, counts = Document(), dict.fromkeys(("same", "changed", "removed", "added"), 0)
    for kind, passages in _aligned(_clean(one), _clean(other)):
        counts[kind] += 1
        for paragraph, marks in passages:
            document.mark(document.add(paragraph), marks)
    return Difference(document, **counts)


Passage = tuple[Paragraph, tuple[Mark, ...]]


def _clean(paragraphs: Sequence[Paragraph]) -> list[Paragraph]:
    return [replace(one, text=untrusted_text.clean(one.text.strip())) for one in paragraphs]


def _opcodes(one: Sequence[Hashable], other: Sequence[Hashable]) -> Opcodes:
    """Returns the steps from one sequence to the other, by their longest common subsequence."""
    from rapidfuzz.distance import LCSseq  # slow to import, and rarely used

    return LCSseq.opcodes(one, other)


def _aligned(one: Sequence[Paragraph], other: Sequence[Paragraph]) -> Iterator[tuple[str, list[Passage]]]:
    """Yields the kind of each passage, and the paragraphs with marks that show it."""
    keys = [(each.part, each.text) for each in one], [(each.part, each.text) for each in other]
    removed: list[Paragraph] = []
    added: list[Paragraph] = []
    for step in _opcodes(*keys):
        if step.tag == "equal":
            yield from _pairs(removed, added)
            removed, added = [], []
            same = zip(one[step.src_start : step.src_end], other[step.dest_start : step.dest_end], strict=True)
            for old, new in same:
                yield "same", [(_join_speakers(old, new, old.text), ())]
        removed += one[step.src_start : step.src_end] if step.tag == "delete" else ()
        added += other[step.dest_start : step.dest_end] if step.tag == "insert" else ()
    yield from _pairs(removed, added)


def _pairs(removed: Sequence[Paragraph], added: Sequence[Paragraph]) -> Iterator[tuple[str, list[Passage]]]:
    """Yields passages that differ; those of the same part are compared in order, thought with thought."""
    for step in _opcodes([each.part for each in removed], [each.part for each in added]):
        mine, others = removed[step.src_start : step.src_end], added[step.dest_start : step.dest_end]
        if step.tag == "equal":
            for old, new in zip(mine, others, strict=True):
                yield "changed", _compare_words(old, new)
        elif step.tag == "delete":
            for old in mine:
                yield "removed", [_whole(old, "removed")]
        else:
            for new in others:
                yield "added", [_whole(new, "added")]


def _whole(paragraph: Paragraph, kind: str) -> Passage:
    text = WHOLE[kind] + paragraph.text
    return replace(paragraph, text=text), ((0, len(text), kind),)


def _compare_words(old: Paragraph, new: Paragraph) -> list[Passage]:
    """Returns one paragraph in which the changed words are marked, or both where most words differ."""
    pieces = _word_changes(WORDS.findall(old.text), WORDS.findall(new.text))
    same = sum(len(left) for left, right in pieces if left == right)
    if same < ALIKE * max(len(old.text), len(new.text), 1):
        return [_whole(old, "removed"), _whole(new, "added")]
    text, marks = "", list[Mark]()
    for left, right in pieces:
        if left == right:
            text += left
            continue
        for kind, words in (("removed", left), ("added", right)):
            if words:
                begin, end = SIGNS[kind]
                marks.append((len(text), len(text) + len(begin + words + end), kind))
                text += begin + words + end
    return [(_join_speakers(old, new, text), tuple(marks))]


def _join_speakers(old: Paragraph, new: Paragraph, text: str) -> Paragraph:
    """Returns a passage of both episodes: with the speaker of the first, and a note of the second's if it differs."""
    same = speaker(old.role, old.part) == speaker(new.role, new.part)
    note = "" if same else f"   · + by {untrusted_text.line(new.role)}"
    return replace(old, text=text + note)


def _word_changes(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, str]]:
    """Returns the pieces of both texts in order; blanks between two changes belong to the change."""
    pieces: list[tuple[str, str]] = []
    for step in _opcodes(old, new):
        piece = "".join(old[step.src_start : step.src_end]), "".join(new[step.dest_start : step.dest_end])
        follows = bool(pieces) and pieces[-1][0] != pieces[-1][1]
        if follows and (step.tag != "equal" or piece[0].isspace()):
            pieces[-1] = pieces[-1][0] + piece[0], pieces[-1][1] + piece[1]
        else:
            pieces.append(piece)
    return [part for piece in pieces for part in _without_blanks(piece)]


def _without_blanks(piece: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """Yields a piece without the blanks that both of its texts end with, and these blanks."""
    old, new = piece
    if old == new:
        yield piece
        return
    end = old[len(old.rstrip()) :]
    if end and new.endswith(end):
        yield old.removesuffix(end), new.removesuffix(end)
        yield end, end
    else:
        yield piece
