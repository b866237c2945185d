"""Stage 6: a question through an episode, each part played by its own adapter (paper, section 3.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autoact.config import GroupPlanning
from autoact.episode import Episode, Limits
from autoact.events import QuestionSolved
from autoact.lab.metrics import exact_match, f1, reward
from autoact.script import Card, Round, Sampling, Stage, Unit
from autoact.trajectory import CASTS, Question, Trajectory


def group_planning(questions: Sequence[Question], cards: Mapping[str, Card], settings: GroupPlanning) -> Stage:
    """Every question by every cast in `cards`, one cast after the other; the meta-agent alone is the yardstick."""
    sampling = Sampling(settings.temperature, settings.top_p)
    limits = Limits(steps=settings.steps, reflections=settings.reflections)
    for name, card in cards.items():
        units = []
        for question in questions:
            unit = f"{name}-{question.id}"
            units.append(Unit(unit, Episode(unit, question, card, CASTS[name], sampling, limits, reward).play()))
        yield Round(units, commits=solved)


def spread(questions: Sequence[Question], limit: int) -> list[Question]:
    """At most `limit` questions (0: all), evenly spaced: data sets come sorted by level."""
    if not 0 < limit < len(questions):
        return list(questions)
    return [questions[index * len(questions) // limit] for index in range(limit)]


def solved(trajectory: Trajectory, seconds: float, tokens: int) -> QuestionSolved:
    """The event of an answered question, scored when the gold answer is known."""
    question, answer = trajectory.question, trajectory.answer
    if question.answer is None:
        return QuestionSolved(trajectory.cast, trajectory, seconds=seconds, tokens=tokens)
    if question.choices:
        em = score = reward(answer, question)
    else:
        em, score = exact_match(answer, question.answer), f1(answer, question.answer)
    return QuestionSolved(trajectory.cast, trajectory, em, score, True, seconds, tokens)
