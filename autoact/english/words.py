"""The words of a text, in a form in which those of two texts can be compared."""

from __future__ import annotations

import re

from autoact.english.answer_forms import NUMBER_WORDS, word_set
from autoact.english.verbs import PAST

SMALL_WORDS = word_set(
    "a an the of in on at to by for from with as it its he his she her they their this also not about into and or but"
)
"""Words that say little by themselves."""
_DIGITS = {word: str(number) for number, word in enumerate(("no", "one", *NUMBER_WORDS))}
_PRESENT = {past: verb for verb, past in PAST.items()}
_ENDINGS = ("ing", "es", "ed", "s", "e")


def plain_words(text: str) -> list[str]:
    """Returns the words of a text in lower case, without *'s*; number words up to thirteen, and *no*, become digits."""
    found = re.findall(r"\w+", re.sub(r"['’]s\b|(?<=\d),(?=\d)", "", text.lower()))
    return [_DIGITS.get(word, word) for word in found]


def stem(word: str) -> str:
    """Returns what the forms of a word have in common: `city` and `cities`, `stands` and `stood`."""
    word = _PRESENT.get(word, word)
    if len(word) > 4 and word.endswith(("ies", "ied")):
        return f"{word[:-3]}y"
    return next((word.removesuffix(end) for end in _ENDINGS if word.endswith(end) and len(word) - len(end) >= 2), word)
