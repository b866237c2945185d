"""The pairs of questions that are most alike, within a set and between two."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from rapidfuzz import fuzz, process

from autoact.metrics import normalise
from autoact.trajectory import Question

NEAR = 90.0
"""Similarity (0 to 100: edit ratio of the normalised texts) from which two questions are near duplicates."""


class LikePair(Struct, frozen=True):
    """Two questions and how alike they are."""

    similarity: float
    """100 for texts that are equal when normalised."""
    first: str
    """The text of a question."""
    second: str


def nearest_pairs(
    questions: Sequence[Question], others: Sequence[Question] | None = None, *, least: float = NEAR
) -> list[LikePair]:  # fmt: skip
    """Returns for each question the one among `others` that is most like it, if it is alike by `least` or more.

    Without `others`, it is sought among the questions before it. The pairs that are most alike come first. Time grows
    with the product of both numbers.
    """
    texts = [normalise(one.text) for one in questions]
    against = texts if others is None else [normalise(one.text) for one in others]
    named = questions if others is None else others
    pairs = []
    for at, text in enumerate(texts):
        earlier = against[:at] if others is None else against
        found = process.extractOne(text, earlier, scorer=fuzz.ratio, score_cutoff=least)
        if found is not None:
            pairs.append(LikePair(found[1], questions[at].text, named[found[2]].text))
    return sorted(pairs, key=lambda pair: -pair.similarity)
