"""Multiple choice: the wrong options beside a right answer, which the meta-agent writes as the seeds show them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from string import ascii_uppercase

from autoact.metrics import find_option, normalise
from autoact.project.config import Task
from autoact.trajectory import Example, Question

WRONG = "Wrong option:"
USUAL = 3
"""Wrong options of a question where no seed has any."""


def wanted(task: Task, seeds: Iterable[Example]) -> int:
    """How many wrong options a question of this task has, as most of its seeds do; 0 when answers are short."""
    if task.answer != "choice":
        return 0
    counts = Counter(len(seed.question.choices) - 1 for seed in seeds if seed.question.choices)
    return counts.most_common(1)[0][0] if counts else USUAL


def right(question: Question) -> str:
    """The answer in words: where it is a letter, the option that it stands for."""
    answer = (question.answer or "").strip()
    index = find_option(answer, question.choices)
    return answer if index is None else question.choices[index]


def wrong(question: Question) -> list[str]:
    """The options that are not the answer."""
    return [choice for choice in question.choices if choice != right(question)]


def mixed(question: Question, others: tuple[str, ...], seed: str) -> tuple[tuple[str, ...], str]:
    """The options of a question in an order drawn from `seed`, and the letter of its answer."""
    answer = question.answer or ""
    choices = tuple(random.Random(seed).sample([answer, *others], 1 + len(others)))
    return choices, ascii_uppercase[choices.index(answer)]


def refusal(answer: str, others: tuple[str, ...]) -> str:
    """Why such options will not do; empty when they will."""
    said = [normalise(words) for words in (answer, *others)]
    letters = ascii_uppercase[: len(said)]
    if any(words.strip() in letters for words in (answer, *others) if words.strip()):
        return "a letter without its option"
    if not all(said):
        return "an empty option"
    return "two options alike" if len(set(said)) < len(said) else ""
