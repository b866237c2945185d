"""Divides pages into clauses that name their subject."""

from __future__ import annotations

import re
from itertools import pairwise

from msgspec import Struct

from autoact.stages.by_type.lead import PERSONAL, list_statements, plain_sentences
from autoact.trajectory import Page

SLOT = "{}"
"""Stands for the subject of a page in templates of questions and clauses."""
_SUBJECT_PRONOUN = re.compile(r"^(?:It|He|She)\b")
_POSSESSIVE = re.compile(r"^(?:Its|His|Her)\b")
_NEXT_CLAUSE = re.compile(r", (?:and|but) (?=(?:its|his|her|it|he|she)\b)|; ")
_OBJECT = re.compile(r"(?<=ed) it\b|(?<=\b(?:led|ate|met) )it\b|(?<= (?:wrote|found|built|first|named) )it\b")


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
        continued = begins or re.match(rf"(?:The )?{re.escape(page.title)}(?!\w)", text, re.IGNORECASE) is not None
    return found


def is_person(page: Page) -> bool:
    """Returns whether a page says when its subject was born, or calls it he or she: right after a sentence about it.

    After `The Scream is a painting by Edvard Munch`, it is the painter who is called so.
    """
    about = re.compile(rf"(?:The )?{re.escape(page.title)}(?!\w)(?!.* by [A-Z])", re.IGNORECASE)
    texts = plain_sentences(page)
    born = any(one.question.endswith("born?") for one in list_statements(page))
    return born or any(about.match(text) and PERSONAL.match(following) for text, following in pairwise(texts))


def to_template(text: str, title: str) -> str:
    """Returns a text with SLOT in place of a title, with or without its article."""
    return re.sub(rf"\b(?:the )?{re.escape(title)}(?![\w-])", SLOT, text, flags=re.IGNORECASE)


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
