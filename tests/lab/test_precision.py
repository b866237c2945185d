"""The sample of self-made questions that a person marks, and what the marks say of all of them."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from autoact.lab.precision import SAMPLE, choose_sample, describe_precision, estimate_precision, question_key
from autoact.trajectory import INSTRUCTED, Question


def made(number: int, kind: str = "one-hop", origin: str = INSTRUCTED) -> Question:
    return Question(f"s-{number}", f"Question {number}?", f"answer {number}", origin, type=kind)


QUESTIONS = [made(number, "two-hop" if number % 4 == 0 else "one-hop") for number in range(200)]


def test_the_sample_does_not_depend_on_the_order() -> None:
    mixed = random.Random(1).sample(QUESTIONS, len(QUESTIONS))
    assert choose_sample(mixed) == choose_sample(QUESTIONS)
    assert len(set(choose_sample(QUESTIONS))) == SAMPLE


def test_the_sample_has_types_in_proportion() -> None:
    kinds = {question_key(question): question.type for question in QUESTIONS}
    assert Counter(kinds[key] for key in choose_sample(QUESTIONS)) == {"one-hop": 15, "two-hop": 5}


def test_only_self_made_questions_are_sampled() -> None:
    others = [made(number, origin="reference") for number in range(200, 300)]
    assert choose_sample([*QUESTIONS, *others]) == choose_sample(QUESTIONS)
    assert choose_sample(others) == []


def test_all_of_a_few_are_sampled_once() -> None:
    few = QUESTIONS[:3]
    assert sorted(choose_sample([*few, *few])) == sorted(map(question_key, few))


def test_only_marks_of_the_sample_count() -> None:
    sample = choose_sample(QUESTIONS)
    marks = {key: place > 0 for place, key in enumerate(sample[:12])}
    rest = {question_key(question): False for question in QUESTIONS} | dict.fromkeys(sample[12:], True)
    others = {key: right for key, right in rest.items() if key not in sample}
    found = estimate_precision(sample, marks | others)
    assert (found.sample, found.marked, found.right) == (20, 12, 11)
    assert found.share == pytest.approx(11 / 12)
    assert describe_precision(found) == "marked 12 of 20: 11 right, 92 % (65 to 99)"


def test_without_marks_there_is_no_estimate() -> None:
    found = estimate_precision(choose_sample(QUESTIONS), {})
    assert (found.share, found.interval) == (None, (0.0, 1.0))
    assert describe_precision(found) == "marked 0 of 20"
