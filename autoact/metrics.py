"""Scores answers as benchmarks' own scorers do, and intervals over questions.

Normalisation and F1 follow the SQuAD evaluation as HotpotQA uses it: lower case, no punctuation, no articles; a
yes/no/noanswer mismatch scores 0. An empty answer is never right.
"""

from __future__ import annotations

import math
import random
import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from statistics import NormalDist, fmean
from string import ascii_uppercase

from autoact.trajectory import Question

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_CLOSED = {"yes", "no", "noanswer"}
_TRUTH = {"yes": True, "true": True, "no": False, "false": False}
_MARKED_NUMBER = re.compile(r"#### (-?[0-9.,]+)")
_NUMBER = re.compile(r"-?(?:\d[\d,]*(?:\.\d+)?|\.\d+)")
_NAME = r"(?P<name>(?:the\s+)?(?:(?:correct|right)\s+)?(?:option|answer|choice)(?:\s+is)?(?:\s*:\s*|\s+|(?=[(\[])))?"
_MARK = r"[*\"']*"
_LETTER = re.compile(rf"{_NAME}{_MARK}(?:[(\[](?P<round>[a-z])[)\]]|(?P<plain>[a-z]))[.:)]*{_MARK}", re.IGNORECASE)
"""A letter alone: B, (B), B. or Option B, also in bold or in quotes."""
_LABELLED = re.compile(
    rf"{_NAME}{_MARK}(?:[(\[](?P<round>[a-z])[)\]]{_MARK}[.:]?\s*"
    rf"|(?P<plain>[a-z])(?:[):]{_MARK}\s*|\.{_MARK}\s+|\s+[-–—]\s+|(?(name)\s+|(?!))))(?P<words>.+)",
    re.IGNORECASE,
)
"""A letter and words: (B) blue, B. blue or Option B: blue."""


def normalise(answer: str) -> str:
    """Returns the answer in lower case, without punctuation, articles and extra spaces."""
    return " ".join(_ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split())


def _collapse_spaces(text: str) -> str:
    return " ".join(text.split())


def _strip_dots(text: str) -> str:
    return _collapse_spaces(text).rstrip(".")


_LOOSE = (_strip_dots, lambda text: _strip_dots(text).casefold(), normalise)
"""Normalisations under which an answer is compared with an option's words, from strict to loose."""


def exact_match(answer: str | None, gold: str) -> float:
    """Returns 1.0 when both normalise to the same text, else, or for an empty answer, 0.0."""
    return float(bool(answer and answer.strip()) and normalise(answer or "") == normalise(gold))


def f1(answer: str | None, gold: str) -> float:
    """Returns token F1, 0 to 1, as HotpotQA has it."""
    given, wanted = normalise(answer or ""), normalise(gold)
    if given != wanted and (given in _CLOSED or wanted in _CLOSED):
        return 0.0
    return _token_f1(given.split(), wanted.split())


def squad_f1(answer: str | None, gold: str) -> float:
    """Returns token F1, 0 to 1, as SQuAD 2.0 and MuSiQue have it: without a rule for yes and no."""
    given, wanted = normalise(answer or "").split(), normalise(gold).split()
    if not given or not wanted:
        return exact_match(answer, gold)
    return _token_f1(given, wanted)


def _token_f1(given: Sequence[str], wanted: Sequence[str]) -> float:
    common = sum((Counter(given) & Counter(wanted)).values())
    if not common:
        return 0.0
    precision, recall = common / len(given), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def number_match(answer: str | None, gold: str) -> float:
    """Returns 1.0 when the answer's number is the gold one, else 0.0.

    In an answer with ####, as GSM8K's solutions have it, the number after the first one is compared as text without
    commas, as GSM8K's scorer does. Of any other answer, the last number is compared by its value.
    """
    wanted = gold.replace(",", "").strip()
    if "####" in (answer or ""):
        marked = _MARKED_NUMBER.search(answer or "")
        return float(marked is not None and marked[1].replace(",", "") == wanted)
    numbers = _NUMBER.findall(answer or "")
    try:
        return float(bool(numbers) and Decimal(numbers[-1].replace(",", "")) == Decimal(wanted))
    except InvalidOperation:  # the gold answer is no number
        return exact_match(answer, gold)


def yes_no_match(answer: str | None, gold: str) -> float:
    """Returns 1.0 when the first word of the answer says yes (or true), or no (or false), as the gold one; else 0.0."""
    given, wanted = (_TRUTH.get(normalise(one or "").partition(" ")[0]) for one in (answer, gold))
    return float(given is not None and given == wanted)


def choice_accuracy(answer: str | None, question: Question) -> float:
    """Returns 1.0 when the answer names the gold option, by letter or by words; else, or without an answer, 0.0."""
    given, gold = (find_option(one or "", question.choices) for one in (answer, question.answer))
    if given is None or gold is None:
        return 0.0
    return float(question.choices[given] == question.choices[gold])


def find_option(answer: str, choices: Sequence[str]) -> int | None:
    """Returns the index of the option that an answer names; None when it names none, or more than one.

    An answer may be a letter (`B`, `(B)`, `B.`, `Option B`), a letter with the option's words (`B. blue`), or the
    words alone. Exact words are matched before looser ones, to distinguish options that differ only in case or
    punctuation. A letter with the words of another option names none.
    """
    given = _collapse_spaces(answer)
    letter = _index(_LETTER.fullmatch(given), choices)
    if letter is not None and len(given) == 1 and given.isupper():
        return letter
    exact = _match_words(given, choices, (_collapse_spaces,))
    if exact is not None or letter is not None:
        return letter if exact is None else exact
    loose = _match_words(given, choices, _LOOSE)
    labelled = _LABELLED.fullmatch(given)
    if loose is not None or labelled is None:
        return loose
    named = _match_words(labelled["words"], choices, (_collapse_spaces, *_LOOSE))
    letter = _index(labelled, choices)
    return letter if named in (None, letter) else None


def _index(label: re.Match[str] | None, choices: Sequence[str]) -> int | None:
    """Returns the index of the letter in a label; None without a label, or when there are fewer options."""
    if label is None:
        return None
    index = ascii_uppercase.index((label["round"] or label["plain"]).upper())
    return index if index < len(choices) else None


def _match_words(given: str, choices: Sequence[str], forms: Iterable[Callable[[str], str]]) -> int | None:
    """Returns the index of the option that equals the answer, under the first normalisation with a match."""
    for form in forms:
        words = form(given)
        found = [index for index, choice in enumerate(choices) if words and form(choice) == words]
        if found:
            same = len({choices[index] for index in found}) == 1
            return found[0] if same else None
    return None


SCORERS: dict[str, tuple[Callable[[str | None, str], float], Callable[[str | None, str], float]]] = {
    "": (exact_match, f1),
    "squad": (exact_match, squad_f1),
    "number": (number_match, number_match),
    "yes-no": (yes_no_match, yes_no_match),
}
"""Exact match and partial score, by the name of a scorer: those of HotpotQA, MuSiQue, GSM8K and StrategyQA."""


def score(answer: str | None, question: Question) -> tuple[float, float]:
    """Returns exact match and partial score (F1, mostly) by the question's scorer, for the best of its gold answers.

    Both are the accuracy for multiple choice, and 0 without a gold answer.
    """
    if question.answer is None:
        return 0.0, 0.0
    if question.choices:
        accuracy = choice_accuracy(answer, question)
        return accuracy, accuracy
    golds = (question.answer, *question.other_answers)
    exact, partial = SCORERS.get(question.scorer, SCORERS[""])
    return max(exact(answer, gold) for gold in golds), max(partial(answer, gold) for gold in golds)


def reward(answer: str | None, question: Question) -> float:
    """Returns the paper's reward: token F1, or accuracy for multiple choice; 0 without a gold answer."""
    return score(answer, question)[1]


def interval(
    values: Sequence[float], *, draws: int = 2000, seed: int = 0, statistic: Callable[[Sequence[float]], float] = fmean
) -> tuple[float, float]:
    """Returns the 95 % percentile bootstrap interval of a statistic over questions; (0, 0) for no values."""
    if not values:
        return 0.0, 0.0
    source = random.Random(seed)
    drawn = sorted(statistic(source.choices(values, k=len(values))) for _ in range(draws))
    return drawn[int(0.025 * draws)], drawn[int(0.975 * draws) - 1]


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Returns the 95 % score interval of a share; (0, 1) for no trials.

    The formula is that of E. B. Wilson, Probable inference, the law of succession, and statistical inference, Journal
    of the American Statistical Association 22 (1927), 209-212.
    """
    if not trials:
        return 0.0, 1.0
    z, share = NormalDist().inv_cdf(0.975), successes / trials
    centre = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    scale = 1 + z * z / trials
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)
