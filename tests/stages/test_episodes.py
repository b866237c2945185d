"""Synthesis and group planning: which questions are tried by whom, and how they are scored."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from autoact import scratchpad
from autoact.events import QuestionSolved, TrajectoryCommitted
from autoact.methods.settings import MethodSettings
from autoact.project.config import Differentiation, Filtering, GroupPlanning, Synthesis
from autoact.scratchpad import READ
from autoact.script import Ask, Card
from autoact.stages.group_planning import answer_limits, commit_solution, group_planning, method_settings
from autoact.stages.synthesis import synthesis
from autoact.trajectory import FINISH, HINTED, META, Cast, Question, Tool, Trajectory

CARD = Card("Answer.", (Tool("Retrieve", "Reads.", "Retrieve[x]"),))
QUESTIONS = [Question(f"q-{n}", f"What is the number {n}?", str(n)) for n in range(4)]


METHOD_SETTINGS = {
    cast.name: MethodSettings(CARD, cast, *answer_limits(GroupPlanning(checks=False)))
    for cast in (Cast(META), Differentiation().cast())
}


def speak(ask: Ask) -> str:
    if ask.choices:
        return ask.choices[-1] if ask.part == "action" else ask.choices[0]
    return ask.prompt.user.split()[-1].strip("?")


def test_every_question_is_tried_as_often_as_wanted(drive: Any) -> None:
    events = drive(synthesis(QUESTIONS, CARD, Synthesis(samples=3), Filtering()), speak)
    made = [event.trajectory for event in events if isinstance(event, TrajectoryCommitted)]
    assert {one.unit for one in made} == {f"t-q-{n}-{sample}" for n in range(4) for sample in range(3)}
    assert {one.reward for one in made} == {1.0}
    assert {one.cast for one in made} == {"meta"}


RIVER = Question("q-9", "How long is the river of Ulm?", "2850 kilometers", type="two-hop", gold=("Ulm", "Danube"))


def read_pages(asked: list[Ask]) -> Any:
    """A speaker that knows the river's length only when it may not finish before it has read both pages."""

    def speak(ask: Ask) -> str:
        asked.append(ask)
        if ask.part == "action":
            return ask.choices[-1]
        if ask.choices:
            return ask.choices[0]
        return "2850 kilometers" if ask.part == "argument" and READ in ask.prompt.user else "It is long."

    return speak


def test_a_question_without_a_good_try_is_tried_with_the_names_of_its_pages(drive: Any) -> None:
    asked: list[Ask] = []
    events = drive(synthesis([*QUESTIONS, RIVER], CARD, Synthesis(samples=2, hinted=3), Filtering()), read_pages(asked))
    made = {event.trajectory.unit: event.trajectory for event in events if isinstance(event, TrajectoryCommitted)}
    assert {unit for unit in made if unit.startswith("h-")} == {"h-q-9-0", "h-q-9-1", "h-q-9-2"}
    hinted = made["h-q-9-1"]
    assert (hinted.made, hinted.reward, hinted.question) == (HINTED, 1.0, RIVER)
    assert [(step.action, step.argument) for step in hinted.steps[:3]] == [
        ("Retrieve", "Ulm"), ("Retrieve", "Danube"), (FINISH, "2850 kilometers"),
    ]  # fmt: skip
    assert made["t-q-9-0"].made == ""
    assert READ not in scratchpad.join_pieces(scratchpad.pieces(hinted.steps))
    hints = [ask.prompt.user for ask in asked if READ in ask.prompt.user]
    assert set(hints) == {f"Question: {RIVER.text}\n{READ} Ulm, then Danube"}


def test_hard_questions_get_further_tries_until_enough_are_kept(drive: Any) -> None:
    """The second try of the first question is right, no try of the second one, the first try of the third one."""
    answers = {"q-0": ["wrong", "2850 kilometers"], "q-1": ["wrong"], "q-2": ["2850 kilometers"]}
    asked = dict.fromkeys(answers, 0)
    questions = [Question(id, f"How long is {id}?", "2850 kilometers") for id in answers]

    def speak(ask: Ask) -> str:
        id = next(id for id in answers if id in ask.prompt.user)
        said = answers[id][min(asked[id], len(answers[id]) - 1)]
        if ask.choices:
            return ask.choices[-1 if ask.part == "action" else 0]
        asked[id] += ask.part == "argument"
        return said if ask.part == "argument" else f"It is {said}, I know."

    rules = Filtering(per_question=1, grounded=False)
    events = drive(synthesis(questions, CARD, Synthesis(samples=1, further=3), rules), speak)
    units = [event.trajectory.unit for event in events if isinstance(event, TrajectoryCommitted)]
    assert units == ["t-q-0-0", "t-q-1-0", "t-q-2-0", "t-q-0-1", "t-q-1-1", "t-q-1-2", "t-q-1-3"]


def test_a_question_with_a_good_try_is_not_tried_again(drive: Any) -> None:
    def speak_well(ask: Ask) -> str:
        if ask.part == "thought":
            return "It is 2850 kilometers, says the page."
        if ask.choices:
            begun = "Observation" in "".join(ask.prompt.segments)
            return ask.choices[-1 if begun else 0] if ask.part == "action" else ask.choices[0]
        return "2850 kilometers"

    events = drive(synthesis([RIVER], CARD, Synthesis(samples=1, hinted=3), Filtering(grounded=False)), speak_well)
    assert [event.trajectory.unit for event in events if isinstance(event, TrajectoryCommitted)] == ["t-q-9-0"]


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


@pytest.mark.parametrize(("threshold", "certain"), [(0.4, True), (None, False)])
def test_only_verdicts_with_a_threshold_know_the_certainty_of_thoughts(threshold: float | None, certain: bool) -> None:
    context: Any = SimpleNamespace(
        config=SimpleNamespace(group_planning=GroupPlanning()),
        state=SimpleNamespace(calibrated=None if threshold is None else SimpleNamespace(threshold=threshold)),
        casts=lambda: {"meta": Cast(META), "group": Differentiation().cast()}, card=lambda cast: CARD,
    )  # fmt: skip
    found = method_settings(context)
    assert {name: one.limits.certainty for name, one in found.items()} == {"meta": False, "group": certain}
    assert found["group"].limits.threshold == threshold
