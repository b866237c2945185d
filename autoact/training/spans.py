"""Encodes a trajectory as one token sequence, with spans owned by plan, tool and reflect.

The published recipe makes one training sample of each turn, which repeats the turns before it. One sequence with
several loss-bearing spans has the same summed loss and gradient, because attention is causal: the tokens before a span
are exactly the prompt of its sample.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from autoact import scratchpad
from autoact.model.tokens import Tokens
from autoact.script import Card, Lesson


class Span(Struct, frozen=True):
    """One part of one turn: the tokens from `start` to `end` (exclusive)."""

    part: str
    tool: str
    """The tool that an argument is for; empty for other parts."""
    start: int
    end: int


class Encoded(Struct, frozen=True):
    """Token ids of the opening and the whole scratchpad, with the spans that a role owns."""

    ids: tuple[int, ...]
    spans: tuple[Span, ...]

    def of_parts(self, parts: Iterable[str]) -> list[Span]:
        """Returns the spans of these parts; `argument:TOOL` selects the arguments of one tool."""
        wanted = set(parts)
        return [span for span in self.spans if {span.part, f"{span.part}:{span.tool}"} & wanted]


def encode_lesson(lesson: Lesson, card: Card, tokens: Tokens) -> Encoded:
    """Encodes a lesson's trajectory after the prompt that the sub-agents will be asked with.

    Before a failed try, that prompt also says that it fails.
    """
    opening = scratchpad.opening(card, lesson.trajectory.question, failed=lesson.failed)
    ids = tokens.prompt(opening)
    spans: list[Span] = []
    unlearned = len(scratchpad.pieces(lesson.trajectory.steps[: lesson.first]))
    for number, piece in enumerate(scratchpad.pieces(lesson.trajectory.steps)):
        start = len(ids)
        ids += tokens.segment(piece.text)
        if not piece.owner or number < unlearned:
            continue
        before = spans[-1] if spans else None
        if before and (before.part, before.tool, before.end) == (piece.part, piece.tool, start):
            spans[-1] = Span(before.part, before.tool, before.start, len(ids))
        else:
            spans.append(Span(piece.part, piece.tool, start, len(ids)))
    return Encoded(tuple(ids), tuple(spans))
