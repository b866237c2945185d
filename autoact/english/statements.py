"""Finds what texts say to a yes/no question, and sentences that say what is needed, where they have the same words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from autoact.english.answer_forms import word_set
from autoact.english.verbs import AUXILIARIES, BE, PAST
from autoact.english.words import SMALL_WORDS, plain_words, stem

_NEGATIONS = word_set("no not cannot never without neither nor unable 0")
"""With 0, since `plain_words` writes numbers as digits, and `no` as 0."""
_UNCLEAR = _NEGATIONS | word_set("same different than or before after either")
"""Words of questions that compare or deny: what they ask for stands in no sentence in these words."""
_BARE = SMALL_WORDS | AUXILIARIES | word_set("both there any other all who which that")
_ASKING = _BARE | word_set("what how many where when name")
_NEEDED = re.compile(r"^the [\w -]+? (?:where|who|that|(?:in|on|at|to|from|of|by|near|under|after|for) which) ")
"""The beginning of what is needed, before what a text says of it: `the year in which` Orm was founded."""
_VERBS = frozenset((*BE, "has", "have", *PAST.values()))
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+")
_ALTERING = word_set("dwarf former fictional proposed nearly almost")
"""Words after which the next one means something else: a dwarf planet is no planet."""
_DENIED = 3
"""Words before a statement among which a negation denies it, as in `It can hardly swim and cannot fly`."""


def find_verdict(question: str, texts: Iterable[tuple[str, str]]) -> str:
    """Returns yes or no, where texts say that what an English question asks is so or not so; else nothing.

    Texts are given with what each is about; those about something that the question does not name are not asked. A
    sentence says that it is so if it has the words of the question without its subjects, in the same order, no other
    verb between them, and none such as *former* before one of them; it denies that if a negation stands before the last
    of them. Of two subjects that a question joins by `both` each must have its text.
    """
    asked = plain_words(question)
    if not _UNCLEAR.isdisjoint(asked):
        return ""
    stems = {stem(word) for word in asked}
    about = {
        text: subject
        for name, text in texts
        if (subject := {stem(word) for word in plain_words(name)} - SMALL_WORDS) and subject <= stems
    }
    subjects = set().union(*about.values())
    predicate = [stem(word) for word in asked if word not in _BARE and stem(word) not in subjects]
    verdicts = [_find_verdict(predicate, text) for text in about]
    if "no" in verdicts:
        return "no"
    return "yes" if verdicts.count("yes") == len(verdicts) >= (2 if "both" in asked else 1) else ""


def _find_verdict(predicate: Sequence[str], text: str) -> str:
    for sentence in _SENTENCE_END.split(re.sub(r"n['’]t\b", " not", text)):
        words = plain_words(sentence)
        for places in _find_places(predicate, [stem(word) for word in words]):
            altered = any(at and words[at - 1] in _ALTERING and stem(words[at - 1]) not in predicate for at in places)
            if not altered and not _has_other_verb(words[places[0] : places[-1]], predicate):
                denied = words[max(0, places[0] - _DENIED) : places[-1]]
                return "yes" if _NEGATIONS.isdisjoint(denied) else "no"
    return ""


def _find_places(predicate: Sequence[str], stems: Sequence[str]) -> Iterator[list[int]]:
    """Yields the places of the words of a predicate in a sentence, in order, from each place of the first one."""
    for first in (at for at, word in enumerate(stems) if predicate and word == predicate[0]):
        places = [first]
        for word in predicate[1:]:
            if word not in stems[places[-1] + 1 :]:
                return
            places.append(stems.index(word, places[-1] + 1))
        yield places


def _has_other_verb(words: Sequence[str], predicate: Sequence[str]) -> bool:
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
    sentences = _SENTENCE_END.split(text) if wanted else []
    return [sentence for sentence in sentences if wanted <= {stem(word) for word in plain_words(sentence)}]
