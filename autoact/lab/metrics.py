"""Answer scores: exact match, token F1, multiple-choice accuracy, and intervals over questions.

Normalisation and F1 follow the SQuAD evaluation as HotpotQA uses it: lower case, no punctuation, no articles; a
yes/no/noanswer mismatch scores 0.
"""

from __future__ import annotations

import random
import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import fmean

from autoact.trajectory import Question

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_CLOSED = {"yes", "no", "noanswer"}


def normalise(answer: str) -> str:
    """Lower case, without punctuation, articles and surplus space."""
    return " ".join(_ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str | None, gold: str) -> float:
    """1.0 when both normalise to the same non-empty text."""
    said = normalise(answer or "")
    return float(bool(said) and said == normalise(gold))


def f1(answer: str | None, gold: str) -> float:
    """Token F1 in [0, 1]."""
    said, wanted = normalise(answer or ""), normalise(gold)
    if said != wanted and (said in _CLOSED or wanted in _CLOSED):
        return 0.0
    ours, theirs = said.split(), wanted.split()
    common = sum((Counter(ours) & Counter(theirs)).values())
    if not common:
        return 0.0
    precision, recall = common / len(ours), common / len(theirs)
    return 2 * precision * recall / (precision + recall)


def choice_accuracy(answer: str | None, question: Question) -> float:
    """1.0 when the answer names the gold option, by letter or by its exact text. No answer is wrong."""
    said, gold = (_option(one or "", question.choices) for one in (answer, question.answer))
    return float(bool(said) and said == gold)


def _option(answer: str, choices: Sequence[str]) -> str:
    """The letter of the option an answer names, else the answer. `A` is a letter here and no article."""
    plain = answer.lower().translate(_PUNCTUATION).strip()
    letters = {chr(97 + index): normalise(choice) for index, choice in enumerate(choices)}
    if plain in letters:
        return plain
    said = normalise(answer)
    return next((letter for letter, choice in letters.items() if said and choice == said), said)


def reward(answer: str | None, question: Question) -> float:
    """The paper's reward: token F1, or accuracy for multiple choice; 0 without a gold answer."""
    if question.answer is None:
        return 0.0
    return choice_accuracy(answer, question) if question.choices else f1(answer, question.answer)


def interval(
    values: Sequence[float], *, draws: int = 2000, seed: int = 0, statistic: Callable[[Sequence[float]], float] = fmean
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of a statistic over questions; (0, 0) for no values."""
    if not values:
        return 0.0, 0.0
    source = random.Random(seed)
    drawn = sorted(statistic(source.choices(values, k=len(values))) for _ in range(draws))
    return drawn[int(0.025 * draws)], drawn[int(0.975 * draws) - 1]
