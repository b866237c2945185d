"""Several attempts at a question, of which one answer is kept: the reflect part's choice, or the most frequent one.

The first attempt is as without these methods; the others are drawn at SAMPLED. No attempt continues after *wrong*.
With a limit of tokens, attempts are made until it is reached.

Self-consistency (arXiv 2203.11171) takes the most frequent answer of several chains of thought. The original draws 40
chains, also the first, and this makes five.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator, Sequence
from typing import Any, Protocol

from msgspec.structs import replace

from autoact.episode import Script
from autoact.methods.chain_of_thought import think_and_answer
from autoact.methods.episode import answer_question
from autoact.methods.settings import MethodSettings
from autoact.metrics import normalise
from autoact.script import Request, Sampling
from autoact.trajectory import REFLECT, Question, Trajectory

ATTEMPTS = 5
MOST_ATTEMPTS = 100
"""With a limit of tokens; attempts that generate none would never reach it."""
SAMPLED = Sampling(0.7, 0.95)


class MakeScript(Protocol):
    """A method of one attempt."""

    def __call__(self, unit: str, question: Question, settings: MethodSettings) -> Script:
        """Returns the script of one question."""


def choose_by_verdict(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script that keeps the attempt with the lowest probability of *wrong*."""
    made = yield from _play_attempts(answer_question, unit, question, settings)
    return min(made, key=lambda one: (one.answer is None, _wrong_chance(one)))


def choose_by_majority(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script that keeps the first attempt with the most frequent answer."""
    return _most_frequent((yield from _play_attempts(answer_question, unit, question, settings)))


def self_consistency(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script that keeps the first chain of thought with the most frequent answer."""
    return _most_frequent((yield from _play_attempts(think_and_answer, unit, question, settings)))


def _play_attempts(
    make: MakeScript, unit: str, question: Question, settings: MethodSettings
) -> Generator[Request, Any, Sequence[Trajectory]]:
    """Plays attempts, at least one; the last one ends early when the limit of tokens is reached in it."""
    once = replace(settings, limits=replace(settings.limits, reflections=0))
    made: list[Trajectory] = []
    for number in range(MOST_ATTEMPTS if settings.tokens else ATTEMPTS):
        made.append((yield from make(unit, question, replace(once, sampling=SAMPLED) if number else once)))
        if made[-1].halt == "tokens":
            break
    return made


def _most_frequent(made: Sequence[Trajectory]) -> Trajectory:
    counts = Counter(normalise(one.answer) for one in made if one.answer)
    return max(made, key=lambda one: counts[normalise(one.answer)] if one.answer else 0)


def _wrong_chance(trajectory: Trajectory) -> float:
    """Returns the probability of *wrong* of an attempt's answer; infinity without an answer."""
    last = trajectory.steps[-1] if trajectory.steps else None
    if trajectory.answer is None or last is None or last.action != REFLECT:
        return math.inf
    return math.inf if last.wrong_chance is None else last.wrong_chance
