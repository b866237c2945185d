"""Scores agree with the SQuAD and HotpotQA evaluations."""

from __future__ import annotations

import pytest

from autoact.lab.metrics import choice_accuracy, exact_match, f1, interval, normalise, reward
from autoact.trajectory import Question

CHOICE = Question("q", "Which?", "A", choices=("the dog", "a cat", "An Eel"))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("The  Cat's, pyjamas!", "cats pyjamas"),
        ("a an the", ""),
        ("Anna and the theory", "anna and theory"),
        ("U.S.A.", "usa"),
        ("well-known", "wellknown"),
        ("\tÜber\n", "über"),
        ("", ""),
    ],
)
def test_normalisation(text: str, plain: str) -> None:
    assert normalise(text) == plain


@pytest.mark.parametrize(
    ("answer", "gold", "exact", "overlap"),
    [
        ("the Red House", "red house", 1, 1),
        ("red", "red house", 0, 2 / 3),
        ("red red house", "red house", 0, 0.8),
        ("blue", "red house", 0, 0),
        (None, "red", 0, 0),
        ("", "red", 0, 0),
        ("the", "a", 0, 0),
        ("yes", "no", 0, 0),
        ("yes it is", "yes", 0, 0),
        ("Yes.", "yes", 1, 1),
        ("noanswer", "red noanswer", 0, 0),
    ],
)
def test_exact_match_and_f1(answer: str | None, gold: str, exact: float, overlap: float) -> None:
    assert exact_match(answer, gold) == exact
    assert f1(answer, gold) == pytest.approx(overlap)


@pytest.mark.parametrize(
    ("answer", "score"),
    [("A", 1), ("a", 1), ("(A)", 1), ("A.", 1), ("dog", 1), ("The dog", 1), ("B", 0), ("cat", 0), ("", 0), (None, 0),
     ("the", 0), ("D", 0), ("dogs", 0)],
)  # fmt: skip
def test_multiple_choice(answer: str | None, score: float) -> None:
    assert choice_accuracy(answer, CHOICE) == score
    assert reward(answer, CHOICE) == score


def test_multiple_choice_with_the_options_text_as_gold() -> None:
    question = Question("q", "Which?", "a cat", choices=("the dog", "a cat"))
    assert [choice_accuracy(answer, question) for answer in ("B", "cat", "A", "dog")] == [1, 1, 0, 0]


def test_reward_is_f1_or_nothing() -> None:
    assert reward("red", Question("q", "?", "red house")) == pytest.approx(2 / 3)
    assert reward("red", Question("q", "?")) == 0.0


def test_interval() -> None:
    low, high = interval([0.0] * 50 + [1.0] * 50)
    assert 0.38 < low < 0.42
    assert 0.58 < high < 0.62
    assert interval([]) == (0.0, 0.0)
    assert interval([0.5] * 9) == (0.5, 0.5)
