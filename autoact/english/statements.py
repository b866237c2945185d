"""Finds what texts say to a yes/no question, and sentences that say what is needed, where they have the same words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise

from autoact.english.answer_forms import word_set
from autoact.english.sentences import sentences
from autoact.english.verbs import AUXILIARIES, BE, PAST
from autoact.english.words import SMALL_WORDS, plain_words, stem

_NEGATIONS = word_set("not cannot never without neither nor unable")
_NO = re.compile(r"n['’]t\b|\bno\b(?!\.? \d)", re.IGNORECASE)
"""Written as `not`, since `plain_words` writes `no` as a digit."""
_UNCLEAR = _NEGATIONS | word_set("same different than or before after either all only still always every")
"""Words of questions that compare, deny or limit: what they ask for stands in no sentence in these words."""
_BARE = SMALL_WORDS | AUXILIARIES | word_set("both there any other all who which that")
_ASKING = _BARE | word_set("what how many where when name")
_NEEDED = re.compile(r"^the [\w -]+? (?:where|who|that|(?:in|on|at|to|from|of|by|near|under|after|for) which) ")
"""The beginning of what is needed, before what a text says of it: `the year in which` Orm was founded."""
_VERBS = frozenset((*BE, "has", "have", *PAST.values()))
_ALTERING = word_set("dwarf former fictional proposed nearly almost")
"""Words after which the next one means something else: a dwarf planet is no planet."""
_TURNING = word_set(
    "of in on at to by for from with as like near than over under until before after once few many some hardly "
    "only lacks instead"
)
"""Words that change what a sentence says of its subject: a city near France, a film by Holm."""
_BRACKET = re.compile(r"\s?\([^()]*\)")
_IN_PAST, _IN_PRESENT = word_set("was were had"), word_set("is are has have does do")
_HAVING = word_set("have has had with without")
"""Words one of which a sentence needs to say what its subject has."""
_PRONOUNS = word_set("it he she they there this these both")
_OPENING = AUXILIARIES | _NEGATIONS | _PRONOUNS | word_set("the a an")
"""Words that may stand before a statement."""
_MOST_BETWEEN = 2
"""Most words between those of a statement, without small ones."""


def find_yes_or_no(question: str, texts: Iterable[tuple[str, str]]) -> str:
    """Returns yes or no, where texts say that what an English question asks is so or not so; else nothing.

    Texts are given with what each is about; those about something that the question does not name are not asked. A
    sentence says that it is so if it has the words of the question without its subjects, in the same order, and little
    else before and between them (`_is_statement`); it denies that if a negation is among those. Of two subjects that a
    question joins by `both` each must have its text.
    """
    asked = plain_words(_NO.sub(" not", question))
    if not _UNCLEAR.isdisjoint(asked):
        return ""
    stems = {stem(word) for word in asked}
    about = {
        text: subject
        for name, text in texts
        if (subject := {stem(word) for word in plain_words(name)}) - SMALL_WORDS and subject <= stems | SMALL_WORDS
    }
    subjects = set().union(*about.values())
    predicate = [stem(word) for word in asked if word not in _BARE and stem(word) not in subjects]
    verdicts = [_find_yes_or_no(asked, predicate, subject, text) for text, subject in about.items()]
    if "no" in verdicts:
        return "no"
    return "yes" if verdicts.count("yes") == len(verdicts) >= (2 if "both" in asked else 1) else ""


def _find_yes_or_no(asked: Sequence[str], predicate: Sequence[str], subject: set[str], text: str) -> str:
    """Returns yes or no if all sentences of a text that say or deny a predicate of its subject agree."""
    said = set()
    for sentence in _split(_NO.sub(" not", _BRACKET.sub("", text))):
        words = plain_words(sentence)
        for places in _find_places(predicate, [stem(word) for word in words]):
            begin = max((at + 1 for at in range(places[0]) if words[at] in ("and", "but")), default=0)
            clause = words[begin : places[-1] + 1]
            if _fits(asked, clause) and _is_statement(clause, [at - begin for at in places], subject):
                said.add("yes" if _NEGATIONS.isdisjoint(clause) else "no")
    return said.pop() if len(said) == 1 else ""


def _fits(asked: Sequence[str], clause: Sequence[str]) -> bool:
    """Returns whether a clause is not about the past where a question is not, and about having where that is asked."""
    past = not _IN_PRESENT.isdisjoint(asked) and not _IN_PAST.isdisjoint(clause)
    return not past and ("have" not in asked or not _HAVING.isdisjoint(clause))


def _is_statement(words: Sequence[str], places: Sequence[int], subject: set[str]) -> bool:
    """Returns whether a clause says the words at some places of its subject, and no other word changes the meaning."""
    predicate = {stem(words[at]) for at in places}
    between = [word for one, after in pairwise(places) for word in words[one + 1 : after]]
    inner = [word for word in between if word not in SMALL_WORDS | _OPENING]
    altered = any(at and words[at - 1] in _ALTERING and stem(words[at - 1]) not in predicate for at in places)
    counted = any(word.isdigit() for word in inner)
    if altered or counted or len(inner) > _MOST_BETWEEN or not _TURNING.isdisjoint(inner):
        return False
    return _opens(words[: places[0]], subject) and not _has_other_verb(words[places[0] : places[-1]], predicate)


def _opens(words: Sequence[str], subject: set[str]) -> bool:
    """Returns whether a statement about a subject can begin with these words, such as `Orm Holm was a Harvian`.

    A negation at their end denies what follows, whatever stands before it.
    """
    if not _NEGATIONS.isdisjoint([word for word in words[-2:] if word not in ("a", "an", "any")][-1:]):
        return True
    others = [word for word in words if word not in _OPENING and stem(word) not in subject]
    verb = max((at for at, word in enumerate(words) if word in BE), default=-1)
    about = verb >= 0 and any(stem(word) in subject or word in _PRONOUNS for word in words[:verb])
    fit = (about and not _has_other_verb(others, ())) or len(others) <= 1
    return fit and _TURNING.isdisjoint(others)


def _split(text: str) -> list[str]:
    """Returns the sentences of a text, and their parts at semicolons."""
    return [part for one in sentences(text) for part in one.split("; ")]


def _find_places(predicate: Sequence[str], stems: Sequence[str]) -> Iterator[list[int]]:
    """Yields the places of the words of a predicate in a sentence, in order, from each place of the first one."""
    for first in (at for at, word in enumerate(stems) if predicate and word == predicate[0]):
        places = [first]
        for word in predicate[1:]:
            if word not in stems[places[-1] + 1 :]:
                return
            places.append(stems.index(word, places[-1] + 1))
        yield places


def _has_other_verb(words: Sequence[str], predicate: Collection[str]) -> bool:
    """Returns whether another verb stands between the words of a predicate: `was born in Ulm and lived in Rome`."""
    return any(
        stem(word) not in predicate
        and (word.endswith("ed") or word in _VERBS or (before == "and" and word.endswith("s")))
        for before, word in zip(["", *words], words, strict=False)
    )


def find_sentences(need: str, subject: str, text: str) -> list[str]:
    """Returns the sentences of a text about a subject that have all words of a need, without what only asks for it.

    A need is a phrase such as `the year in which Orm was founded`, `how long the Telk is` or `the capital of Harvia`.
    """
    known = {stem(word) for word in plain_words(subject)}
    words = (word for word in plain_words(_NEEDED.sub("", need, count=1)) if word not in _ASKING)
    wanted = {stem(word) for word in words} - known
    found = _split(text) if wanted else []
    return [sentence for sentence in found if wanted <= {stem(word) for word in plain_words(sentence)}]
