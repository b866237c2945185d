"""Finds the first words of the questions that a clause may answer, from the names, numbers and verbs in it.

A small model that is free to begin asks mostly for capitals; after `In what year did` it asks for the year of the
sentence. Where the subject begins the clause, the first words hold it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from autoact.english.answer_forms import AMOUNT, NAME, NUMBER, UNITS, YEAR
from autoact.english.verbs import PAST
from autoact.stages.by_type.clauses import SLOT, Clause, capitalise
from autoact.stages.by_type.corpus_words import PERSON_NOUNS, CorpusWords

_MEASURED = re.compile(rf"\b(is|was) (?:[a-z]+ ){{0,2}}{AMOUNT} (tall|high|long|deep|wide|old|heavy)\b")
_COUNTED = re.compile(rf"\b(?!{YEAR}\b){NUMBER} ((?:[a-z-]+ )?[a-z-]+s)\b")
_LOCATED = re.compile(r" (in|on|at|from) (?:the )?([a-z]+ )?(?:of )?(?=[A-Z])")
_INTRODUCES = re.compile(r"\{\} (?:is|was|are|were) (?:an?|the)\b")
_VERB = re.compile(r"\{\} (?:[a-z]+ly |also |first )?([a-z]+)\b")
"""The verb after a subject that begins the clause."""
_IRREGULAR = frozenset(PAST.values())


def find_openings(clause: Clause, words: CorpusWords) -> list[str]:
    """Returns the first words of questions, each once."""
    template = clause.template
    subject = f" {clause.name}" if template.startswith(f"{SLOT} ") else ""
    found = [*_for_numbers(template, subject), *_for_names(template, subject, words), *_for_places(template, subject)]
    found += _for_nouns(template) if not subject else _for_objects(template, subject)
    return list(dict.fromkeys(found))


def _for_numbers(template: str, subject: str) -> Iterator[str]:
    if re.search(rf"\b{YEAR}\b", template):
        yield f"In what year {_auxiliary(template)}{subject}"
    if measured := _MEASURED.search(template):
        yield f"How {measured[2]} {measured[1]}{subject}"
    elif (counted := _COUNTED.search(template)) and not set(UNITS) & set(counted[1].split()):
        yield f"How many {counted[1].split()[-1]}"


def _for_names(template: str, subject: str, words: CorpusWords) -> Iterator[str]:
    if made := re.search(r" (novel|book|play|poem|painting|picture|opera)s? by [A-Z]", template):
        yield f"Who {_MADE[made[1]]}{subject}"
    elif any(words.is_person(name) for name in re.findall(NAME, template)):
        yield "Who"
    if named := re.search(r" named after (?:the )?([a-z]+) [A-Z]", template):
        yield f"Which {named[1]} {'was' if ' was ' in template else 'is'}{subject}"
    elif re.match(r"(?:The|A|An) (?:[\w-]+ )?[a-z]+ [A-Z]", template):
        yield "Which"


_MADE = {
    "novel": "wrote", "book": "wrote", "play": "wrote", "poem": "wrote", "painting": "painted", "picture": "painted",
    "opera": "composed",
}  # fmt: skip


def _for_places(template: str, subject: str) -> Iterator[str]:
    for preposition, noun in _LOCATED.findall(template):
        if subject:
            yield f"Where {_auxiliary(template)}{subject}"
        yield f"{capitalise(preposition)} which {noun}".strip()


def _for_nouns(template: str) -> Iterator[str]:
    """Yields first words for clauses such as `the capital of {} is Lima`."""
    person = bool(PERSON_NOUNS & set(re.split(r"\W+", template.lower())))
    for verb in ("is", "was", "are"):
        if f" {verb} " in template:
            yield f"{'Who' if person else 'What'} {verb} the"
    if called := re.search(r" (is|was|are) called ", template):
        yield f"What {called[1]}"


def _for_objects(template: str, subject: str) -> Iterator[str]:
    """Yields first words for what follows the verb of a subject, as in `{} eats krill`."""
    if not _INTRODUCES.match(template):
        yield f"What {_auxiliary(template)}{subject}"


def _auxiliary(template: str) -> str:
    """Returns the auxiliary of a question about a clause: was, is, are, did or does."""
    verb = _VERB.match(template)
    if verb is None:
        return "was" if re.search(r" was [a-z]+(?:ed|n)\b", template) else "did"
    if verb[1] in ("was", "is", "are", "were", "can"):
        return verb[1]
    return "did" if verb[1].endswith("ed") or verb[1] in _IRREGULAR else "does"
