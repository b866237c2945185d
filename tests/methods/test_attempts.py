"""Several attempts at a question: which answer is kept."""

from __future__ import annotations

from typing import Any

import pytest

from autoact.episode import Limits, Script
from autoact.methods.attempts import ATTEMPTS, choose_by_majority, choose_by_verdict
from autoact.methods.settings import MethodSettings
from autoact.script import Answer, Ask, Card, Sampling
from autoact.trajectory import Cast, Question, Trajectory

QUESTION = Question("q-1", "Who wrote Fidelio?", "Beethoven")
SETTINGS = MethodSettings(Card("Answer.", ()), Cast("group", {"reflect": "reflect"}), Sampling(), Limits())


def play(script: Script, answers: list[str], doubts: list[float]) -> tuple[Trajectory, list[Ask]]:
    """Plays attempts that give these answers, and whose verdicts give these probabilities to *wrong*."""
    asked: list[Ask] = []
    reply: Any = None
    while True:
        try:
            ask = script.send(reply)
        except StopIteration as end:
            return end.value, asked
        assert isinstance(ask, Ask)
        asked.append(ask)
        number = sum(one.part == "argument" for one in asked) - 1
        if ask.part == "verdict":
            doubt = doubts[number]
            reply = Answer(" wrong" if doubt > 0.5 else " right", chance=max(doubt, 1 - doubt))
        else:
            reply = Answer(ask.choices[-1] if ask.choices else answers[number])


ANSWERS = ["Mozart", "Beethoven", "Haydn", "Beethoven", "Mozart"]


def test_the_verdict_chooses() -> None:
    made, asked = play(choose_by_verdict("u", QUESTION, SETTINGS), ANSWERS, [0.6, 0.3, 0.1, 0.4, 0.9])
    assert (made.answer, made.unit) == ("Haydn", "u")
    assert sum(ask.part == "verdict" for ask in asked) == ATTEMPTS


@pytest.mark.parametrize(("last", "kept"), [("Beethoven", "Beethoven"), ("Mozart", "Mozart")])
def test_the_majority_chooses_and_the_first_of_equals(last: str, kept: str) -> None:
    made, asked = play(choose_by_majority("u", QUESTION, SETTINGS), [*ANSWERS[:4], last], [])
    assert made.answer == kept
    assert not any(ask.part == "verdict" for ask in asked)


@pytest.mark.parametrize(
    ("answers", "made"), [(["Mozart"] * 5, 3), (["Haydn", *["Mozart"] * 4], 4), (["Haydn", "Bach", *["Mozart"] * 3], 5)]
)
def test_no_attempt_is_made_that_could_not_change_the_majority(answers: list[str], made: int) -> None:
    kept, asked = play(choose_by_majority("u", QUESTION, SETTINGS), answers, [])
    assert kept.answer == "Mozart"
    assert sum(ask.part == "argument" for ask in asked) == made


def test_only_the_first_attempt_is_as_without_the_method() -> None:
    _, asked = play(choose_by_verdict("u", QUESTION, SETTINGS), ANSWERS, [0.1] * ATTEMPTS)
    drawn = [ask.sampling for ask in asked if ask.part == "argument"]
    assert drawn[0] == Sampling()
    assert {one.temperature for one in drawn[1:]} == {0.7}
