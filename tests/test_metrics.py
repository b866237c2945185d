"""Scores agree with the SQuAD and HotpotQA evaluations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from autoact.metrics import (
    choice_accuracy,
    exact_match,
    f1,
    find_option,
    interval,
    normalise,
    reward,
    wilson_interval,
)
from autoact.project.questions import read_questions
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
        ("the", "a", 1, 0),  # as HotpotQA's scorer has it
        (" ", "a", 0, 0),
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


WAYS = (
    lambda letter, words: letter,
    lambda letter, words: f"({letter})",
    lambda letter, words: f"{letter}.",
    lambda letter, words: f"Option {letter}",
    lambda letter, words: f"{letter}. {words}",
    lambda letter, words: words,
    lambda letter, words: f"({letter.lower()}) {words}",
    lambda letter, words: f"option {letter}: {words}",
    lambda letter, words: f"The answer is {letter}.",
    lambda letter, words: f"**{letter}.** {words.lower()}",
)


@pytest.mark.parametrize("way", WAYS)
def test_every_option_of_scienceqa_in_every_way_of_saying_it(way: Callable[[str, str], str], shared: Path) -> None:
    questions = read_questions(shared / "data" / "scienceqa" / "dev.jsonl", "data")
    right, wrong = [], []
    for question in questions:
        for letter, words in zip("ABCDE", question.choices, strict=False):
            (right if letter == question.answer else wrong).append(choice_accuracy(way(letter, words), question))
    assert (len(right), sum(right), sum(wrong)) == (180, 180.0, 0.0)


MARKS = ("***Car and Driver***", '"Car and Driver"')


@pytest.mark.parametrize(
    ("answer", "choices", "named"),
    [
        (MARKS[0], MARKS, 0), (MARKS[1], MARKS, 1), ("Car and Driver", MARKS, None), ("B", MARKS, 1),
        ("I am.", ("i am.", "I am."), 1), ("I am", ("i am.", "I am."), 1), ("i AM", ("i am.", "I am."), None),
        ("B. red", ("red", "blue"), None), ("B. since it shines", ("salt", "iron"), 1),
        ("B blue", ("red", "blue"), None),
        ("E. coli", ("virus", "E. coli"), 1), ("e. COLI", ("virus", "E. coli"), 1),
        ("A", ("B", "A"), 0), ("a", ("b", "a"), 1), ("G", ("g", "G"), 1), ("(G)", ("g", "G"), None),
        ("(b) the bible", ("the Koran", "the Bible"), 1), ("a cat", ("A cat", "the dog"), 0),
        ("The cat.", ("a cat", "x"), 0),
        ("+", ("-", "+"), 1), ("options", ("one", "two"), None), ("right", ("one", "two"), None),
        ("", ("one", "two"), None),
        ("same", ("same", "other", "same"), 0), ("U.S.A.", ("USA", "UK"), 0), ("F", ("one", "two"), None),
    ],
)  # fmt: skip
def test_which_option_an_answer_names(answer: str, choices: tuple[str, ...], named: int | None) -> None:
    assert find_option(answer, choices) == named


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


@pytest.mark.parametrize(
    ("successes", "trials", "ends"),
    [(11, 12, (0.6461, 0.9851)), (0, 10, (0.0, 0.2775)), (10, 10, (0.7225, 1.0)), (81, 263, (0.2553, 0.3662))],
)
def test_wilson_interval(successes: int, trials: int, ends: tuple[float, float]) -> None:
    """The last row is of R. G. Newcombe, Statistics in Medicine 17 (1998), table I."""
    assert wilson_interval(successes, trials) == pytest.approx(ends, abs=1e-4)


def test_wilson_interval_without_trials() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)
