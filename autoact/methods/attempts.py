"""Several attempts at a question, of which one answer is kept: the reflect part's choice, or the most frequent one.

The first attempt is as without these methods; the others are drawn at SAMPLED. No attempt continues after *wrong*, and
attempts whose verdicts nobody needs have none. With a limit of tokens, attempts are made until it is reached.

Self-consistency (arXiv 2203.11171) takes the most frequent answer of several chains of thought. The original draws 40
chains, also the first, and this makes at most five: none that could not change which answer is the most frequent.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator
from typing import Any, Protocol

from msgspec.structs import replace

from autoact.episode import Script
from autoact.methods.chain_of_thought import think_and_answer
from autoact.methods.episode import answer_question, react
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
    made: list[Trajectory] = []
    for number in range(_most_attempts(settings)):
        made.append((yield from _attempt(number, answer_question, unit, question, settings)))
        if made[-1].halt == "tokens":
            break
    return min(made, key=lambda one: (one.answer is None, _wrong_chance(one)))


def choose_by_majority(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script that keeps the first attempt with the most frequent answer."""
    return _vote(react, unit, question, settings)


def self_consistency(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script that keeps the first chain of thought with the most frequent answer."""
    return _vote(think_and_answer, unit, question, settings)


def _vote(make: MakeScript, unit: str, question: Question, settings: MethodSettings) -> Script:
    """Plays attempts until none that is left could change the result."""
    made: list[Trajectory] = []
    votes: Counter[str] = Counter()
    most = _most_attempts(settings)
    for number in range(most):
        one = yield from _attempt(number, make, unit, question, settings)
        made.append(one)
        if one.answer:
            votes[normalise(one.answer)] += 1
        (_, first), (_, second) = (*votes.most_common(2), ("", 0), ("", 0))[:2]
        if one.halt == "tokens" or first - second > most - len(made):
            break
    return max(made, key=lambda one: votes[normalise(one.answer)] if one.answer else 0)


def _attempt(
    number: int, make: MakeScript, unit: str, question: Question, settings: MethodSettings
) -> Generator[Request, Any, Trajectory]:
    """Plays an attempt, from 0 on."""
    once = replace(settings, limits=replace(settings.limits, reflections=0))
    return (yield from make(unit, question, replace(once, sampling=SAMPLED) if number else once))


def _most_attempts(settings: MethodSettings) -> int:
    return MOST_ATTEMPTS if settings.tokens else ATTEMPTS


def _wrong_chance(trajectory: Trajectory) -> float:
    """Returns the probability of *wrong* of an attempt's answer; infinity without an answer."""
    last = trajectory.steps[-1] if trajectory.steps else None
    if trajectory.answer is None or last is None or last.action != REFLECT:
        return math.inf
    return math.inf if last.wrong_chance is None else last.wrong_chance
