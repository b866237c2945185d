"""Divides pages into clauses that name their subject, and finds the possible answers in a text."""

from __future__ import annotations

import re
from itertools import pairwise

from msgspec import Struct

from autoact.stages.by_type.lead import list_statements, plain_sentences
from autoact.trajectory import Page

SLOT = "{}"
"""Stands for the subject of a page in templates of questions and clauses."""
NUMBER_WORDS = (
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
)  # fmt: skip
UNITS = ("meters", "kilometers", "miles", "feet", "years", "percent", "days", "minutes", "seconds", "degrees")


def word_set(text: str) -> frozenset[str]:
    """Returns the words of a text."""
    return frozenset(text.split())


_CAPITALISED = r"(?:(?:[A-Z]|Mr|Mrs|Dr|St)\.(?= ?[A-Z])|[A-Z][\w'-]*)"
NAME = (
    rf"{_CAPITALISED}(?: ?(?<=\.){_CAPITALISED}| (?:(?:of|the|de|da|van|von|del|la) ){{0,2}}"
    rf"(?:{_CAPITALISED}|\d{{1,2}}(?= [A-Z])))*"
)
"""A run of capitalised words, with small words between them, as in `Peter the Great` or `J. R. R. Tolkien`."""
YEAR = r"(?:1\d{3}|20\d\d)"
AMOUNT = rf"\d[\d,]*(?:\.\d+)? (?:{'|'.join(UNITS)})"
NUMBER = rf"(?:\d[\d,]*(?:\.\d+)?|{'|'.join(NUMBER_WORDS)})"
_SUBJECT_PRONOUN = re.compile(r"^(?:It|He|She)\b")
_POSSESSIVE = re.compile(r"^(?:Its|His|Her)\b")
_PERSONAL = re.compile(r"(?:In \d+ )?(?:He|She|he|she|His|Her)\b")
_NEXT_CLAUSE = re.compile(r", (?:and|but) (?=(?:its|his|her|it|he|she)\b)|; ")
_OBJECT = re.compile(r"(?<=ed) it\b|(?<=\b(?:led|ate|met) )it\b|(?<= (?:wrote|found|built|first|named) )it\b")
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


class Clause(Struct, frozen=True):
    """One statement of a page, with its subject named in place of a pronoun."""

    page: Page
    name: str
    """The subject in running text, such as `the harp` for the page Harp."""
    text: str
    source: str = ""
    """The sentence of the page, where the text is in other words."""
    question: str = ""
    """The question that it answers, with SLOT for the subject; empty where the model writes questions."""

    @property
    def template(self) -> str:
        """The text with SLOT in place of the subject."""
        return to_template(self.text, self.page.title)


def split_clauses(page: Page, name: str) -> list[Clause]:
    """Returns the clauses of a page that name its subject, in order.

    A pronoun at the beginning of a sentence stands for the page's subject if the sentence before is about it.
    """
    found = [Clause(page, name, one.text, one.source, one.question) for one in list_statements(page)]
    person = is_person(page)
    continued = False
    for sentence in plain_sentences(page):
        text = sentence.rstrip(".")
        if not person and continued and not _names(text, page.title):
            text = _replace_object(text, name)
        begins = continued and _begins_with_pronoun(text, person=person)
        if begins or _names(text, page.title):
            found += [Clause(page, name, one) for one in _split(text, name)]
        continued = begins or re.match(rf"(?:The )?{re.escape(page.title)}\b", text, re.IGNORECASE) is not None
    return found


def is_person(page: Page) -> bool:
    """Returns whether a page says when its subject was born, or calls it he or she: right after a sentence about it.

    After `The Scream is a painting by Edvard Munch`, it is the painter who is called so.
    """
    about = re.compile(rf"(?:The )?{re.escape(page.title)}\b(?!.* by [A-Z])", re.IGNORECASE)
    texts = plain_sentences(page)
    born = any(one.question.endswith("born?") for one in list_statements(page))
    return born or any(about.match(text) and _PERSONAL.match(following) for text, following in pairwise(texts))


def to_template(text: str, title: str) -> str:
    """Returns a text with SLOT in place of a title, with or without its article."""
    return re.sub(rf"\b(?:the )?{re.escape(title)}(?![\w-])", SLOT, text, flags=re.IGNORECASE)


def find_answers(text: str, title: str) -> dict[str, None]:
    """Returns the possible answers in a text, in order: names, numbers, amounts and short nouns; not the title."""
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


def capitalise(text: str) -> str:
    """Returns a text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def _names(text: str, title: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(title)}(?![\w-])", text, re.IGNORECASE) is not None


def _begins_with_pronoun(text: str, *, person: bool) -> bool:
    return re.match(r"(?:He|She|His|Her)\b" if person else r"(?:It|Its)\b", text) is not None


def _replace_object(text: str, name: str) -> str:
    """Returns a sentence with the subject's name in place of an object `it` or of `there`."""
    replaced = _OBJECT.sub(lambda match: f" {name}" if match[0].startswith(" ") else name, text, count=1)
    return re.sub(r"\bthere\b", f"in {name}", replaced, count=1) if replaced == text else replaced


def _split(text: str, name: str) -> list[str]:
    parts = _NEXT_CLAUSE.split(text)
    return [_resolve(capitalise(part), name) for part in parts]


def _resolve(text: str, name: str) -> str:
    text = _SUBJECT_PRONOUN.sub(capitalise(name), text)
    return _POSSESSIVE.sub(f"{capitalise(name)}'s", text)
