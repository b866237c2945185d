"""The forms of short answers in an English text: names, years, amounts, numbers and nouns."""

from __future__ import annotations

import re

NUMBER_WORDS = (
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
)  # fmt: skip
UNITS = ("meters", "kilometers", "miles", "feet", "years", "percent", "days", "minutes", "seconds", "degrees")


def word_set(text: str) -> frozenset[str]:
    """Returns the words of a text."""
    return frozenset(text.split())


_CAPITAL = "[A-ZÀ-ÖØ-ÞĀĆČĎĐĒĖĘĚĞĢĪĮİĶŁĻŃŅŇŌŐŒŘŚŞŠŤŪŮŰŲŹŻŽȘȚ]"
_CAPITALISED = rf"(?<!\w)(?:(?:{_CAPITAL}|Mr|Mrs|Dr|St)\.(?= ?{_CAPITAL})|{_CAPITAL}[\w'-]*)"
NAME = (
    rf"{_CAPITALISED}(?: ?(?<=\.){_CAPITALISED}| (?:(?:of|the|de|da|van|von|del|la) ){{0,2}}"
    rf"(?:{_CAPITALISED}|\d{{1,2}}(?= [A-Z])))*"
)
"""A run of capitalised words, with small words between them, as in `Peter the Great` or `J. R. R. Tolkien`."""
YEAR = r"(?:1\d{3}|20\d\d)"
_DIGITS = r"(?<!\d)(?<!\d,)\d++(?:,\d++)*+(?:\.\d+)?"
AMOUNT = rf"{_DIGITS} (?:{'|'.join(UNITS)})"
NUMBER = rf"(?:{_DIGITS}|{'|'.join(NUMBER_WORDS)})"
_FIRST_WORDS = word_set(
    "It He She They Its His Her Their The A An In On At From After Before For To Most Many Some About Old Today Large "
    "Unlike Each When One Two Three With Only All During Very Both This That These There Until Since By Of As And But "
    "While People Inside Near Over Under Between According Later First"
)
"""First words of sentences that are capitalised only for that reason."""
_NOUNS = re.compile(
    r"\b(?:the|a|an|called|named|means|eats|eat|and|is|are|was|by|with|from|of|on) "
    r"((?:(?!the\b|a\b|an\b|called\b|named\b)[a-z][\w-]+ ){0,2}[a-z][\w-]+)"
    r"(?=[,.;]|$| (?:and|or|of|in|that|with|from)\b)"
)


def find_answers(text: str, title: str) -> dict[str, None]:
    """Returns the possible answers in a text: amounts, numbers, names and short nouns without a word of the title."""
    own = set(title.lower().split())
    found: dict[str, None] = {}
    for pattern in (AMOUNT, rf"\b{NUMBER}\b", NAME, _NOUNS):
        for match in re.finditer(pattern, text):
            words = (match[1] if match.re.groups else match[0]).removesuffix("'s").split()
            if words and words[0] in _FIRST_WORDS and match.re.pattern == NAME:
                words = words[1:]
            if words and not own & {word.lower() for word in words}:
                found[" ".join(words)] = None
    return found


def find_kind(answer: str) -> str:
    """Returns the kind of an answer: year, amount, number, name or noun."""
    if re.fullmatch(YEAR, answer):
        return "year"
    if re.fullmatch(AMOUNT, answer):
        return "amount"
    if re.fullmatch(NUMBER, answer):
        return "number"
    return "name" if answer[0].isupper() else "noun"
