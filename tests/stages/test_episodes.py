"""Synthesis and group planning: which questions are tried by whom, and how they are scored."""

from __future__ import annotations

from typing import Any

import pytest

from autoact.events import QuestionSolved, TrajectoryCommitted
from autoact.methods.settings import MethodSettings
from autoact.project.config import Differentiation, GroupPlanning, Synthesis
from autoact.script import Ask, Card
from autoact.stages.group_planning import answer_limits, commit_solution, group_planning
from autoact.stages.synthesis import synthesis
from autoact.trajectory import META, Cast, Question, Tool, Trajectory

CARD = Card("Answer.", (Tool("Retrieve", "Reads.", "Retrieve[x]"),))
QUESTIONS = [Question(f"q-{n}", f"What is the number {n}?", str(n)) for n in range(4)]


METHOD_SETTINGS = {
    cast.name: MethodSettings(CARD, cast, *answer_limits(GroupPlanning()))
    for cast in (Cast(META), Differentiation().cast())
}


def speak(ask: Ask) -> str:
    if ask.choices:
        return ask.choices[-1] if ask.part == "action" else ask.choices[0]
    return ask.prompt.user.split()[-1].strip("?")


def test_every_question_is_tried_as_often_as_wanted(drive: Any) -> None:
    events = drive(synthesis(QUESTIONS, CARD, Synthesis(samples=3)), speak)
    made = [event.trajectory for event in events if isinstance(event, TrajectoryCommitted)]
    assert {one.unit for one in made} == {f"t-q-{n}-{sample}" for n in range(4) for sample in range(3)}
    assert {one.reward for one in made} == {1.0}
    assert {one.cast for one in made} == {"meta"}


def test_every_cast_answers_every_question(drive: Any) -> None:
    asked: list[Ask] = []

    def note(ask: Ask) -> str:
        asked.append(ask)
        return speak(ask)

    events = drive(group_planning(QUESTIONS[:2], METHOD_SETTINGS), note)
    answers = [(event.cast, event.trajectory.question.id) for event in events if isinstance(event, QuestionSolved)]
    assert answers == [("meta", "q-0"), ("meta", "q-1"), ("group", "q-0"), ("group", "q-1")]
    assert {ask.adapter for ask in asked} == {"meta", "plan", "tool", "reflect"}
    assert all(ask.sampling.temperature == 0 for ask in asked)


@pytest.mark.parametrize(
    ("question", "answer", "scores"),
    [
        (Question("q", "?", "the Red House"), "red house", (1.0, 1.0, True)),
        (Question("q", "?", "Red House"), "red", (0.0, pytest.approx(2 / 3), True)),
        (Question("q", "?", "yes"), "no", (0.0, 0.0, True)),
        (Question("q", "?", "A", choices=("Rome", "Oslo")), "A", (1.0, 1.0, True)),
        (Question("q", "?", "A", choices=("Rome", "Oslo")), None, (0.0, 0.0, True)),
        (Question("q", "?"), "Rome", (0.0, 0.0, False)),
        (Question("q", "?", "Rome"), None, (0.0, 0.0, True)),
    ],
)
def test_answers_are_scored(question: Question, answer: str | None, scores: tuple[float, float, bool]) -> None:
    event = commit_solution(Trajectory("t", question, (), answer, cast="group"), 2.5, 70)
    assert (event.em, event.f1, event.scored) == scores
    assert (event.cast, event.seconds, event.tokens) == ("group", 2.5, 70)
