"""Several attempts at a question, of which one answer is kept: the reflect part's choice, or the most frequent one.

The first attempt is as without these methods; the others are drawn at SAMPLED. No attempt continues after *wrong*.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator, Sequence
from typing import Any

from msgspec.structs import replace

from autoact.episode import Script
from autoact.methods.episode import answer_question
from autoact.methods.settings import MethodSettings
from autoact.metrics import normalise
from autoact.script import Request, Sampling
from autoact.trajectory import REFLECT, Question, Trajectory

ATTEMPTS = 5
SAMPLED = Sampling(0.7, 0.95)


def choose_by_verdict(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script that keeps the attempt with the lowest probability of *wrong*."""
    made = yield from _play_attempts(unit, question, settings)
    return min(made, key=_wrong_chance)


def choose_by_majority(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script that keeps the first attempt with the most frequent answer (self-consistency, 2203.11171)."""
    made = yield from _play_attempts(unit, question, settings)
    counts = Counter(normalise(one.answer) for one in made if one.answer)
    return max(made, key=lambda one: counts[normalise(one.answer)] if one.answer else 0)


def _play_attempts(
    unit: str, question: Question, settings: MethodSettings
) -> Generator[Request, Any, Sequence[Trajectory]]:
    once = replace(settings, limits=replace(settings.limits, reflections=0))
    made: list[Trajectory] = []
    for number in range(ATTEMPTS):
        made.append((yield from answer_question(unit, question, replace(once, sampling=SAMPLED) if number else once)))
    return made


def _wrong_chance(trajectory: Trajectory) -> float:
    """Returns the probability of *wrong* of an attempt's answer; infinity without an answer."""
    last = trajectory.steps[-1] if trajectory.steps else None
    if trajectory.answer is None or last is None or last.action != REFLECT:
        return math.inf
    return math.inf if last.wrong_chance is None else last.wrong_chance
