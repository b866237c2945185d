"""Contamination: questions of an evaluation that are practised on, in the same words or nearly so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from rapidfuzz import fuzz, process

from autoact.lab.inspection.duplicates import NEAR
from autoact.metrics import normalise
from autoact.trajectory import Question


class Contamination(Struct, frozen=True):
    """A question of an evaluation, and a practised one like it."""

    asked: Question
    practised: Question
    similarity: float
    """100 for texts that are equal when normalised."""

    @property
    def equal(self) -> bool:
        """Whether the normalised texts are equal."""
        return self.similarity == 100


def find_contamination(practised: Iterable[Question], asked: Sequence[Question]) -> list[Contamination]:
    """Returns every asked question that equals a practised one, or nearly does and asks for the same.

    Nearly equal ones ask for the same if they are about the same gold pages, or, where these are not known, have the
    same gold answer other than yes or no: *the capital of Chile* is no duplicate of *the capital of China*.
    """
    known = list({normalise(one.text): one for one in practised}.items())
    texts = [text for text, _ in known]
    found = []
    for one in asked:
        near = process.extract(normalise(one.text), texts, scorer=fuzz.ratio, score_cutoff=NEAR, limit=None)
        same = (Contamination(one, known[at][1], score) for _, score, at in near)  # the most similar come first
        first = next((pair for pair in same if pair.equal or asks_the_same(pair.asked, pair.practised)), None)
        if first is not None:
            found.append(first)
    return found


def asks_the_same(one: Question, other: Question) -> bool:
    """Returns whether two questions of nearly the same words ask for the same thing."""
    if one.gold and other.gold:
        return set(one.gold) == set(other.gold)
    answers = {normalise(one.answer or ""), normalise(other.answer or "")}
    return len(answers) == 1 and not answers & {"", "yes", "no"}
