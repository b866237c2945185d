"""Options of multiple-choice questions: the meta-agent writes wrong options for a right answer, as in the seeds."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from string import ascii_uppercase

from autoact.metrics import find_option, normalise
from autoact.project.config import Task
from autoact.trajectory import Example, Question

WRONG = "Wrong option:"
DEFAULT_WRONG_OPTIONS = 3
"""The number of wrong options where no seed has options."""


def count_wrong_options(task: Task, seeds: Iterable[Example]) -> int:
    """Returns the number of wrong options that most seeds have; 0 for a task without multiple choice."""
    if task.answer != "choice":
        return 0
    counts = Counter(len(seed.question.choices) - 1 for seed in seeds if seed.question.choices)
    return counts.most_common(1)[0][0] if counts else DEFAULT_WRONG_OPTIONS


def right_answer(question: Question) -> str:
    """Returns the answer in words: for a letter, the text of its option."""
    answer = (question.answer or "").strip()
    index = find_option(answer, question.choices)
    return answer if index is None else question.choices[index]


def wrong_options(question: Question) -> list[str]:
    """Returns the options that are not the answer."""
    return [choice for choice in question.choices if choice != right_answer(question)]


def shuffle_options(question: Question, others: tuple[str, ...], seed: str) -> tuple[tuple[str, ...], str]:
    """Returns the answer and the other options in an order drawn from `seed`, and the letter of the answer."""
    answer = question.answer or ""
    choices = tuple(random.Random(seed).sample([answer, *others], 1 + len(others)))
    return choices, ascii_uppercase[choices.index(answer)]


def find_defect(answer: str, others: tuple[str, ...]) -> str:
    """Returns the reason why these options cannot be used; empty when they can."""
    texts = [normalise(words) for words in (answer, *others)]
    letters = ascii_uppercase[: len(texts)]
    if any(words.strip() in letters for words in (answer, *others) if words.strip()):
        return "a letter without its option"
    if not all(texts):
        return "an empty option"
    return "two options alike" if len(set(texts)) < len(texts) else ""
