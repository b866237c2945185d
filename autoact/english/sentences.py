"""Splits text into sentences, with regard to abbreviations and initials, and shortens it."""

from __future__ import annotations

import re

from autoact.english.answer_forms import word_set

_PARAGRAPH = re.compile(r"\n\s*\n")
# Possessive, so that a megabyte of dots takes no longer than a megabyte of words.
_END = re.compile(r"(?<![.!?])[.!?]++[\"'”’)\]]*+\s+(?=[\"'“‘(\[]*+[^\W_])")
_LONGEST_WORD = 60
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+")

_BEFORE_NAME = word_set(
    "adm brig capt cmdr col cpl dr fr gen gov hon lt maj messrs mlle mme mr mrs ms mt pres prof rep rev sen sgt st "
    "ste vs viz cf"
)
"""Abbreviations that never end a sentence."""
_BEFORE_NUMBER = word_set(
    "no nos vol vols pp p ed c ca fig figs op ch art sec jan feb mar apr jun jul aug sep sept oct nov dec"
)
"""Abbreviations that do not end a sentence when a number follows."""
_EITHER = word_set("inc ltd co corp bros jr sr etc dept est univ assn ave blvd rd ft approx")
"""Abbreviations that end a sentence only when the next word is typical for a first word."""
_FIRST_WORDS = word_set(
    "the a an he she it they we his her its their this that these those there in on at by for from with after before "
    "during since when while although though however as but and following both some many most one two"
)


def sentences(text: str) -> list[str]:
    """Returns the sentences of `text` in order, each on one line; a blank line always ends one."""
    found: list[str] = []
    for paragraph in _PARAGRAPH.split(text):
        folded = " ".join(paragraph.split())
        start = 0
        for end in _END.finditer(folded):
            if _ends_here(folded, start, end):
                found.append(folded[start : end.end()].strip())
                start = end.end()
        if start < len(folded):
            found.append(folded[start:])
    return found


def first_sentences(text: str, room: int) -> str:
    """Returns the first sentences that fit into `room` characters, or the first one shortened."""
    first, *others = sentences(text)
    if len(first) > room:
        return shorten(first, room)
    for sentence in others:
        if len(first) + 1 + len(sentence) > room:
            break
        first = f"{first} {sentence}"
    return first


def shorten(text: str, room: int) -> str:
    """Returns `text` on one line, cut after a word with an ellipsis where it is longer than `room` characters."""
    line = " ".join(text.split())
    if len(line) <= room:
        return line
    cut = line[: max(room - 1, 0)]
    head, space, _ = cut.rpartition(" ")
    # A single long word is cut anywhere rather than left out.
    keep = head if space and len(head) * 2 > room and line[len(cut)] != " " else cut
    return keep.rstrip() + "…"


def _ends_here(text: str, start: int, end: re.Match[str]) -> bool:
    """Returns whether the mark at `end` closes the sentence that began at `start`."""
    following = text[end.end() : end.end() + _LONGEST_WORD].lstrip("\"'“‘([").split(" ", 1)[0]
    if following[0].islower():
        return False
    if end.group().strip() != ".":
        return True
    word = text[max(start, end.start() - _LONGEST_WORD) : end.start() + 1].rsplit(" ", 1)[-1].lstrip("\"'“‘([")
    bare = word[:-1].casefold()
    if bare in _BEFORE_NAME:
        return False
    if bare in _BEFORE_NUMBER and following[0].isdigit():
        return False
    if _INITIALS.fullmatch(word):
        return not word.islower() and following.rstrip(",").casefold() in _FIRST_WORDS
    return bare not in _EITHER or following.rstrip(",").casefold() in _FIRST_WORDS
