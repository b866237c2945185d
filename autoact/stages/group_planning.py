"""Stage 6: a question through an episode, each part played by its own adapter (paper, section 3.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autoact.episode import Episode, Limits
from autoact.events import QuestionSolved
from autoact.metrics import exact_match, f1, reward
from autoact.project.config import GroupPlanning
from autoact.script import Card, Round, Sampling, Stage, Unit, is_fork
from autoact.trajectory import CASTS, Question, Trajectory


def group_planning(questions: Sequence[Question], cards: Mapping[str, Card], settings: GroupPlanning) -> Stage:
    """Every question by every cast in `cards`, one cast after the other; the meta-agent alone is the yardstick."""
    for cast, card in cards.items():
        yield Round([turn(cast, question, card, settings) for question in questions], commits=solved)


def session(cards: Mapping[str, Card], settings: GroupPlanning, idle: float) -> Stage:
    """Whatever a person asks, until nothing has been asked for `idle` seconds."""

    def admit(question: Question, cast: str) -> Unit:
        return turn(cast, question, cards[cast], settings)

    yield Round((), commits=solved, admits=admit, patience=idle)


def turn(cast: str, question: Question, card: Card, settings: GroupPlanning) -> Unit:
    """A cast's answer to one question."""
    name = f"{cast}-{question.id}"
    sampling = Sampling(settings.temperature, settings.top_p)
    limits = Limits(steps=settings.steps, reflections=settings.reflections)
    return Unit(name, lambda: Episode(name, question, card, CASTS[cast], sampling, limits, reward).play(), question)


def solved(trajectory: Trajectory, seconds: float, tokens: int) -> QuestionSolved:
    """The event of an answered question, scored when the gold answer is known and no person had a hand in it."""
    question, answer = trajectory.question, trajectory.answer
    if question.answer is None or is_fork(trajectory.unit):
        return QuestionSolved(trajectory.cast, trajectory, seconds=seconds, tokens=tokens)
    if question.choices:
        em = score = reward(answer, question)
    else:
        em, score = exact_match(answer, question.answer), f1(answer, question.answer)
    return QuestionSolved(trajectory.cast, trajectory, em, score, True, seconds, tokens)
