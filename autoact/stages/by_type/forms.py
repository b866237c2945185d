"""The form of a question, and the answer that a clause gives to it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Kind = Literal["year", "place", "where", "count", "amount", "noun", "object", "subject", "introduction"]
"""An introduction says what its subject is, as in `{} was a Norwegian painter`; its question is only material."""
UNREADABLE = "not in a form that can be checked"
UNSAID = "not what the sentence says"
UNFIT = "answer does not fit the question"
SEVERAL = "one of several answers"


class SentenceForm(Struct, frozen=True):
    """The form of a question: the words by which it asks something of its subject."""

    kind: Kind
    statement: str
    """The statement of the clause without the answer, such as `{} was born`; of a noun, `the capital of {}`."""
    noun: str = ""
    """The noun that is asked for, such as `city`; empty if the question has none. Of an amount its adjective."""
    preposition: str = ""
    auxiliary: str = ""
    rest: str = ""
    """The words after the auxiliary, such as `{} born`."""
    person: bool = False
    """Whether it asks for a person."""


class Reading(Struct, frozen=True):
    """A form, and the answer that the clause gives."""

    form: SentenceForm
    answer: str
    article: str = ""
    """The article before the answer in the clause, and the noun before a name: `the `, `the island of `."""
