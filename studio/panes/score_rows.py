"""How well the casts answered, from the questions a run solved."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from autoact.events import QuestionSolved


@dataclass(frozen=True, slots=True)
class Score:
    """One cast's means over its scored questions, 0 to 1."""

    cast: str
    questions: int
    em: float
    f1: float
    seconds: float
    """Per question."""


def by_cast(solved: Iterable[QuestionSolved]) -> list[Score]:
    """A score for each cast that answered a question with a known answer, the best first."""
    answers: dict[str, list[QuestionSolved]] = {}
    for event in solved:
        if event.scored:
            answers.setdefault(event.cast, []).append(event)
    scores = [
        Score(cast, len(rows), *(_mean([getattr(row, key) for row in rows]) for key in ("em", "f1", "seconds")))
        for cast, rows in answers.items()
    ]
    return sorted(scores, key=lambda score: (-score.f1, score.cast))


def result(solved: Iterable[QuestionSolved]) -> str:
    """F1 in percent, group / meta; empty when nothing was scored."""
    known = {score.cast: f"{100 * score.f1:.1f}" for score in by_cast(solved)}
    return f"{known.get('group', '-')} / {known.get('meta', '-')}" if known else ""


def _mean(values: Collection[float]) -> float:
    return math.fsum(values) / len(values)
