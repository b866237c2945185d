"""Answer scores: exact match, token F1, multiple-choice accuracy, and intervals over questions.

Normalisation and F1 follow the SQuAD evaluation as HotpotQA uses it: lower case, no punctuation, no articles; a
yes/no/noanswer mismatch scores 0.
"""

from __future__ import annotations

import random
import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean
from string import ascii_uppercase

from autoact.trajectory import Question

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_CLOSED = {"yes", "no", "noanswer"}
_NAME = r"(?P<name>(?:the\s+)?(?:(?:correct|right)\s+)?(?:option|answer|choice)(?:\s+is)?(?:\s*:\s*|\s+|(?=[(\[])))?"
_MARK = r"[*\"']*"
_LETTER = re.compile(rf"{_NAME}{_MARK}(?:[(\[](?P<round>[a-z])[)\]]|(?P<plain>[a-z]))[.:)]*{_MARK}", re.IGNORECASE)
"""As B, (B), B. and Option B, also in bold or in quotes."""
_LABELLED = re.compile(
    rf"{_NAME}{_MARK}(?:[(\[](?P<round>[a-z])[)\]]{_MARK}[.:]?\s*"
    rf"|(?P<plain>[a-z])(?:[):]{_MARK}\s*|\.{_MARK}\s+|\s+[-–—]\s+|(?(name)\s+|(?!))))(?P<words>.+)",
    re.IGNORECASE,
)
"""As (B) blue, B. blue and Option B: blue."""


def normalise(answer: str) -> str:
    """Lower case, without punctuation, articles and surplus space."""
    return " ".join(_ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split())


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _undotted(text: str) -> str:
    return _spaced(text).rstrip(".")


_LOOSE = (_undotted, lambda text: _undotted(text).casefold(), normalise)
"""Forms in which an option's words are looked for, from strict to loose."""


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
    """1.0 when the answer names the gold option, by letter or by its words. No answer is wrong."""
    said, gold = (option(one or "", question.choices) for one in (answer, question.answer))
    if said is None or gold is None:
        return 0.0
    return float(question.choices[said] == question.choices[gold])


def option(answer: str, choices: Sequence[str]) -> int | None:
    """The index of the option that an answer names; None when it names none, or more than one.

    An answer may be a letter (`B`, `(B)`, `B.`, `Option B`), a letter with the option's words (`B. blue`), or the
    words alone. Exact words count before looser ones, so that options which differ only in case or punctuation are
    told apart. A letter beside the words of another option names none.
    """
    said = _spaced(answer)
    letter = _index(_LETTER.fullmatch(said), choices)
    if letter is not None and len(said) == 1 and said.isupper():
        return letter
    exact = _with_words(said, choices, (_spaced,))
    if exact is not None or letter is not None:
        return letter if exact is None else exact
    loose = _with_words(said, choices, _LOOSE)
    labelled = _LABELLED.fullmatch(said)
    if loose is not None or labelled is None:
        return loose
    named = _with_words(labelled["words"], choices, (_spaced, *_LOOSE))
    letter = _index(labelled, choices)
    return letter if named in (None, letter) else None


def _index(label: re.Match[str] | None, choices: Sequence[str]) -> int | None:
    """The index of the letter in a label; None without a label, or when there are fewer options."""
    if label is None:
        return None
    index = ascii_uppercase.index((label["round"] or label["plain"]).upper())
    return index if index < len(choices) else None


def _with_words(said: str, choices: Sequence[str], forms: Iterable[Callable[[str], str]]) -> int | None:
    """The option whose words are those said, in the first of these forms in which some option's are."""
    for form in forms:
        words = form(said)
        found = [index for index, choice in enumerate(choices) if words and form(choice) == words]
        if found:
            same = len({choices[index] for index in found}) == 1
            return found[0] if same else None
    return None


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
