"""A trajectory as one token sequence, with spans owned by plan, tool and reflect.

The published recipe cuts a trajectory into one training sample a turn, each repeating the turns before it. One
sequence with several loss-bearing spans has the same summed loss and gradient, because attention is causal: what a
span sees is exactly its sample's prompt.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from autoact import scratchpad
from autoact.model.tokens import Tokens
from autoact.script import Card, Lesson
from autoact.trajectory import Role


class Span(Struct, frozen=True):
    """Tokens `start` to `end` (exclusive) are one part of one turn."""

    owner: Role
    part: str
    start: int
    end: int


class Encoded(Struct, frozen=True):
    """Token ids of the opening and the whole scratchpad, with the spans that anyone owns."""

    ids: tuple[int, ...]
    spans: tuple[Span, ...]

    def owned(self, role: Role, parts: Iterable[str]) -> list[Span]:
        """The spans that carry loss for `role`."""
        wanted = set(parts)
        return [span for span in self.spans if span.owner == role and span.part in wanted]


def encode(lesson: Lesson, card: Card, tokens: Tokens) -> Encoded:
    """Token ids and spans of a lesson's trajectory, under the prompt the sub-agents will be asked with."""
    opening = scratchpad.opening(card, lesson.trajectory.question)
    ids = tokens.prompt(opening)
    spans: list[Span] = []
    for piece in scratchpad.pieces(lesson.trajectory.steps):
        start = len(ids)
        ids += tokens.segment(piece.text)
        if piece.owner is None:
            continue
        before = spans[-1] if spans else None
        if before and (before.owner, before.part, before.end) == (piece.owner, piece.part, start):
            spans[-1] = Span(before.owner, before.part, before.start, len(ids))
        else:
            spans.append(Span(piece.owner, piece.part, start, len(ids)))
    return Encoded(tuple(ids), tuple(spans))
