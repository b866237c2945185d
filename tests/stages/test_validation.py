"""Questions that are held back, and what the group's answers to them decide."""

from __future__ import annotations

from collections import Counter
from typing import Any

from autoact.episode import Limits
from autoact.events import QuestionValidated, VerdictCalibrated
from autoact.methods.settings import MethodSettings
from autoact.script import Ask, Card, Round, Sampling
from autoact.stages.validation import held_back, validate
from autoact.trajectory import FINISH, INSTRUCTED, REFLECT, Cast, Question, Step, Tool, Trajectory

CARD = Card("Answer.", (Tool("Retrieve", "Reads.", "Retrieve[x]"),))
TYPES = ("one-hop", "two-hop", "comparison", "yes-no")
QUESTIONS = [
    Question(f"q-{n}", f"What is the number {n}?", str(n), INSTRUCTED, type=TYPES[n % 4]) for n in range(40)
]  # fmt: skip


def test_each_type_gives_the_same_share() -> None:
    held = held_back(QUESTIONS, 0.2)
    assert Counter(one.type for one in held) == dict.fromkeys(TYPES, 2)
    assert {one.id for one in held_back(QUESTIONS[::-1], 0.2)} == {one.id for one in held}


def test_only_self_made_questions_are_held_back() -> None:
    assert held_back([Question(f"r-{n}", f"What is {n}?", str(n), "reference") for n in range(40)], 0.5) == []
    assert held_back(QUESTIONS, 0.0) == []


def play(drive: Any, wrong: set[str]) -> list[Any]:
    """The events of a validation in which the group answers some questions wrongly."""
    settings = MethodSettings(CARD, Cast("group", {"reflect": "reflect"}), Sampling(), Limits())

    def speak(ask: Ask) -> str:
        number = ask.prompt.user.split()[-1].strip("?")
        if ask.choices:
            return ask.choices[-1] if ask.part == "action" else ask.choices[0]
        return f"not {number}" if ask.part == "argument" and number in wrong else number

    return drive(validate(QUESTIONS[:12], settings), speak)  # type: ignore[no-any-return]


def test_every_question_is_answered_twice_and_not_tried_again(drive: Any) -> None:
    events = play(drive, {"1", "2"})
    answers = [event for event in events if isinstance(event, QuestionValidated)]
    assert Counter(one.trajectory.question.id for one in answers) == {f"q-{n}": 2 for n in range(12)}
    assert {len(one.trajectory.steps) for one in answers} == {2}
    assert {one.trajectory.question.id for one in answers if one.f1 < 1} == {"q-1", "q-2"}


def test_no_threshold_without_probabilities(drive: Any) -> None:
    assert not [event for event in play(drive, {"1", "2", "3"}) if isinstance(event, VerdictCalibrated)]


def test_a_threshold_is_chosen_from_probabilities() -> None:
    settings = MethodSettings(CARD, Cast("group", {"reflect": "reflect"}), Sampling(), Limits())
    script = validate(QUESTIONS[:12], settings)
    wanted = next(script)
    assert isinstance(wanted, Round)
    answered = [_answer(unit.question, number) for number, unit in enumerate(wanted.units) if unit.question]
    found = script.send(answered)
    assert isinstance(found, VerdictCalibrated)
    assert found.threshold == 0.9
    assert (found.quality.wrong, found.quality.found, found.quality.called_wrong, found.quality.auc) == (8, 8, 8, 1.0)


def _answer(question: Question, number: int) -> Trajectory:
    """An answer that is wrong, and doubted, every third time."""
    wrong = number % 3 == 0
    chance, answer = (0.9, "none") if wrong else (0.2, question.answer or "")
    steps = (Step("So.", FINISH, answer), Step("I see.", REFLECT, "right", wrong_chance=chance))
    return Trajectory(f"v-{number}", question, steps, answer)
