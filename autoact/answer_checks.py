"""Checks of an answer that need no gold answer: its form, the question or what was read can show that it is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from autoact import scratchpad
from autoact.answer_forms import find_answers, find_kind
from autoact.metrics import normalise
from autoact.trajectory import FINISH, REFLECT, Question, Step

REPEATED = 2.0
"""The log-odds of *wrong* of an answer after a tool call that had been made before."""
BRIEF = 5
"""Most words of an answer that should be in what was read; a longer one may say it in its own words."""
_ASKS_YEAR = re.compile(r"\b(?:what|which) year\b", re.IGNORECASE)
_ASKS_NUMBER = re.compile(r"\bhow (?:many|tall|high|deep|wide|heavy)\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"\d|\b(?:zero|no|none|a|an|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|hundreds?|"
    r"thousands?|millions?|billions?|dozens?|pair|several|half)\b",
    re.IGNORECASE,
)
_ASKS_WHICH = re.compile(r"\b(?:who|whom|whose|what|which|when|where|how)\b", re.IGNORECASE)
_NAMES_SEVERAL = re.compile(r"\bor\b|\b(?:which|who|one) of\b|\bbetween\b", re.IGNORECASE)


def find_defect(question: Question, answer: str, steps: Iterable[Step]) -> str:
    """Returns why an answer to an English question cannot be right, as a sentence; empty where nothing shows it."""
    if question.choices or question.played:
        return ""
    asked, words = question.text, normalise(answer)
    if scratchpad.asks_yes_or_no(asked) or words in ("yes", "no"):
        return _find_polar_defect(asked, words)
    if alternatives := read_alternatives(asked):
        fits = words in map(normalise, alternatives)
        return "" if fits else f"The answer is neither {alternatives[0]} nor {alternatives[1]}."
    if _ASKS_YEAR.search(asked) and not re.search(r"\d", answer):
        return "The question asks for a year."
    if _ASKS_NUMBER.search(asked) and not _NUMBER.search(answer):
        return "The question asks for a number."
    if not _NAMES_SEVERAL.search(asked) and f" {words} " in f" {normalise(asked)} ":
        return f"{answer} stands in the question."
    copied = question.scorer != "number" and len(words.split()) <= BRIEF
    seen = observed_words(steps) if copied else ""
    return f"Nothing that was read says {answer}." if seen and f" {words} " not in f" {seen} " else ""


def _find_polar_defect(asked: str, words: str) -> str:
    closed = words in ("yes", "no")
    if scratchpad.asks_yes_or_no(asked):
        return "" if closed else "The question asks for yes or no."
    return "The question does not ask for yes or no." if closed and _ASKS_WHICH.search(asked) else ""


def read_alternatives(question: str) -> tuple[str, ...]:
    """Returns the two answers that a question such as `Which is longer, the Nile or the Rhine?` offers, else none."""
    found = re.search(r", (?:the )?([^,?]+?),? or (?:the )?([^,?]+?) ?\?$", question.strip(), re.IGNORECASE)
    return found.groups() if found else ()


def list_candidates(question: Question, refused: Sequence[str], steps: Iterable[Step]) -> list[str]:
    """Returns what may be the answer in place of those `refused`: what the question offers, else what was read.

    Of two alternatives it is the one that shares words with the last of `refused`, if only one does. What was read is
    of the kind that is asked for, where the question says so, and no part of the question.
    """
    known = {normalise(one) for one in refused}
    if alternatives := read_alternatives(question.text):
        meant = set(normalise(refused[-1]).split())
        near = [one for one in alternatives if meant & set(normalise(one).split())]
        return near if len(near) == 1 else list(alternatives)
    asked = f" {normalise(question.text)} "
    read = " ".join(step.observation for step in steps if step.action not in (FINISH, REFLECT) and not step.failed)
    kinds = _kinds_asked(question.text)
    return [
        one
        for one in find_answers(read, "")
        if find_kind(one) in kinds and normalise(one) not in known and f" {normalise(one)} " not in asked
    ]


def _kinds_asked(question: str) -> tuple[str, ...]:
    if _ASKS_YEAR.search(question):
        return ("year",)
    if _ASKS_NUMBER.search(question):
        return ("amount", "number")
    return ("name",) if re.search(r"\b(?:who|whom|where|which)\b", question, re.IGNORECASE) else ("name", "noun")


def reword(thought: str, answer: str, others: Iterable[str]) -> tuple[str, ...]:
    """Returns a thought that ends with an answer, such as `I found ...: Lima, so the answer is Lima.`, for others.

    Returns none if it does not end so.
    """
    found = re.fullmatch(rf"(.*: ){re.escape(answer)}(, .*){re.escape(answer)}\.?", thought.strip(), re.IGNORECASE)
    return tuple(f" {found[1]}{one}{found[2]}{one}." for one in others) if found else ()


def observed_words(steps: Iterable[Step]) -> str:
    """Returns the words of all that tools answered, normalised as answers are; empty if none did."""
    return " ".join(normalise(step.observation) for step in steps if step.action not in (FINISH, REFLECT))


def repeats_call(steps: Sequence[Step]) -> bool:
    """Returns whether a tool was called with the same argument twice since the last verdict."""
    begin = 1 + max((at for at, step in enumerate(steps) if step.action == REFLECT), default=-1)
    calls = [(step.action, normalise(step.argument)) for step in steps[begin:] if step.action != FINISH]
    return len(set(calls)) < len(calls)
