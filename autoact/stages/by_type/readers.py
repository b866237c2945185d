"""Reads question templates: only those that the clause answers are accepted, with the answer that it gives.

A template such as "In which city was {} born?" is turned into the statement "{} was born", which must stand in the
clause; the answer is what follows in the place where the form expects it. There is a reader for each kind of form.
"""

from __future__ import annotations

import re

from autoact.english.answer_forms import AMOUNT, NAME, NUMBER, YEAR
from autoact.english.verbs import BE
from autoact.stages.by_type.clauses import SLOT, Clause
from autoact.stages.by_type.corpus_words import PERSON_NOUNS, PLACES, CorpusWords
from autoact.stages.by_type.forms import SEVERAL, UNFIT, UNREADABLE, UNSAID, Kind, Reading, SentenceForm
from autoact.stages.by_type.phrases import (
    ANSWER,
    ARTICLE,
    BOUNDARY,
    FILLERS,
    LINKING,
    ONLY_ONE_DOES,
    SAME_ADJECTIVE,
    SUBORDINATE,
    WORKS,
    content_words,
    find_statement,
    in_list,
    words_pattern,
)

_MANY = "hundred|thousand|million|billion"
_AUX = r"(was|were|is|are|did|does|do|has|have|had)"
_PREPOSITION = r"(In|On|At|Near|By|From|Under|To|After|For|Of)"
_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("year", re.compile(rf"(?:In (?:what|which) year|When) {_AUX} (.+)")),
    ("where", re.compile(rf"Where {_AUX} (.+)")),
    ("place", re.compile(rf"{_PREPOSITION} (?:which|what) ((?:[a-z-]+ ){{0,2}}[a-z-]+?) {_AUX} (.+)")),
    ("count", re.compile(rf"How many ((?:[a-z-]+ ){{0,2}}[a-z-]+?) {_AUX} (.+)")),
    ("amount", re.compile(r"How (tall|high|long|deep|wide|old|heavy) (is|was) (\{\})")),
    ("noun", re.compile(r"(What|Who) (is|was|are|were) ((?:the |\{\}'s? ).+)")),
    ("object", re.compile(rf"(?:What|Which)((?: [a-z-]+){{0,2}}?) {_AUX} (.+)")),
    ("subject", re.compile(r"(Who|Which(?: [a-z-]+)+?|What [a-z-]+) ([a-z]+(?: .*)?\{\}.*)")),
)


def read_form(template: str, clause: Clause, words: CorpusWords) -> Reading | str:
    """Returns the reading of a question template, or the reason why it is not one that the clause answers."""
    text = template.rstrip("?").strip()
    for kind, pattern in _PATTERNS:
        if match := pattern.fullmatch(text):
            return _READERS[kind](match, clause, words)
    return UNREADABLE


def read_introduction(clause: Clause) -> Reading | None:
    """Returns what a clause such as `{} was a Norwegian painter who ...` says that its subject is."""
    introduced = _INTRODUCTION.match(clause.template)
    if introduced is None:
        return None
    auxiliary = introduced[1]
    form = SentenceForm("introduction", f"{SLOT} {auxiliary}", "", "", auxiliary, SLOT)
    return Reading(form, introduced["answer"], introduced["article"])


_INTRODUCTION = re.compile(
    r"\{\} (is|was|are|were) (?P<article>an? )(?P<answer>(?:[\w-]+ ){0,3}?[\w-]+)"
    r"(?=$|[.;]| (?:in|of|that|who|which|with|from|at|on|near|by|between|for|made|known|and|where|off|called|found)\b"
    r"| (?:directed|written|composed|produced|released|recorded|developed|created|published|founded|formed|established|"
    r"based|located|designed|set|hosted|fought|starring|consisting|appearing|best) )"
)


def _read_year(match: re.Match[str], clause: Clause, words: CorpusWords) -> Reading | str:
    auxiliary, rest = match.groups()
    found = find_statement(auxiliary, rest, clause.template)
    if found is None:
        return UNSAID
    statement, place = found
    years = list(re.finditer(rf"\b[Ii]n ({YEAR})\b", clause.template))
    if not years:
        return UNFIT
    if len(re.findall(rf"\b{YEAR}\b", clause.template)) > 1:
        return SEVERAL
    (year,) = years
    between = clause.template[place.end() : year.start()]
    if year.start() > place.end() and (SUBORDINATE.search(between) or len(between.split()) > 6):
        return UNSAID
    if year.start() < place.start() and clause.template[: year.start()].strip():
        return UNSAID
    return Reading(SentenceForm("year", statement, "year", "in", auxiliary, rest), year[1])


def _read_place(match: re.Match[str], clause: Clause, words: CorpusWords) -> Reading | str:
    preposition, noun, auxiliary, rest = match.groups()
    return _read_location(SentenceForm("place", "", noun, preposition.lower(), auxiliary, rest), clause, words)


def _read_where(match: re.Match[str], clause: Clause, words: CorpusWords) -> Reading | str:
    auxiliary, rest = match.groups()
    return _read_location(SentenceForm("where", "", "", "in|on|at|near", auxiliary, rest), clause, words)


def _read_location(form: SentenceForm, clause: Clause, words: CorpusWords) -> Reading | str:
    found = find_statement(form.auxiliary, form.rest, clause.template)
    if found is None:
        return UNSAID
    statement, place = found
    after = clause.template[place.end() :]
    before = rf" (?P<preposition>{form.preposition}) {ARTICLE}(?P<apposition>[a-z-]+ (?:of )?)?"
    located = re.search(rf"{before}(?P<answer>{NAME}){BOUNDARY}", after)
    if located is None:
        return UNFIT
    if SUBORDINATE.search(after[: located.start()]) or len(after[: located.start()].split()) > 5:
        return UNSAID
    name, apposition = located["answer"], (located["apposition"] or "").split()
    same = apposition[:1] if apposition[-1:] != ["of"] or apposition[0] in PLACES else []
    if form.noun and not (form.noun.split()[-1] in same or words.is_a(name, form.noun)):
        return UNFIT
    if not form.noun and not words.may_be_place(name):
        return UNFIT
    if in_list(after, located):
        return SEVERAL
    read = SentenceForm(form.kind, statement, form.noun, located["preposition"], form.auxiliary, form.rest)
    return Reading(read, name, f"{located['article'] or ''}{located['apposition'] or ''}")


def _read_count(match: re.Match[str], clause: Clause, words: CorpusWords) -> Reading | str:
    noun, auxiliary, rest = match.groups()
    found = find_statement(auxiliary, rest, clause.template)
    if found is None:
        return UNSAID
    statement, place = found
    pattern = (
        rf" (?:about |only |more than |over )?(?P<answer>{NUMBER}) (?:(?!{_MANY})[a-z-]+ ){{0,2}}?{re.escape(noun)}\b"
    )
    counted = re.match(pattern, clause.template[place.end() :])
    if counted is None:
        return UNFIT
    return Reading(SentenceForm("count", statement, noun, "", auxiliary, rest), counted["answer"])


def _read_amount(match: re.Match[str], clause: Clause, words: CorpusWords) -> Reading | str:
    adjective, auxiliary, rest = match.groups()
    either = "|".join(filter(None, (adjective, SAME_ADJECTIVE.get(adjective))))
    pattern = (
        rf"^\{{\}} [^;]*?\b{auxiliary} (?:(?!not|less|more|over)[a-z]+ ){{0,2}}(?P<answer>{AMOUNT}) (?:{either})\b"
    )
    measured = re.search(pattern, clause.template)
    if measured is None:
        return UNSAID
    if len(re.findall(AMOUNT, clause.template)) > 1:
        return SEVERAL
    return Reading(SentenceForm("amount", f"{SLOT} {auxiliary}", adjective, "", auxiliary, rest), measured["answer"])


def _read_noun(match: re.Match[str], clause: Clause, words: CorpusWords) -> Reading | str:
    """Reads `What is the capital of {}?`, which asks for the other side of the clause's `is`."""
    asks, auxiliary, phrase = match.groups()
    if asks == "What" and phrase.startswith("the name of "):
        asks, phrase = "name", phrase.removeprefix("the name of ")
    sides = re.split(rf" {auxiliary} ", clause.template, maxsplit=1)
    if len(sides) != 2:
        return UNSAID
    wanted = content_words(phrase)
    if wanted == {SLOT} or not wanted:
        return UNREADABLE
    for side, other in (sides, sides[::-1]):
        pattern = rf"(?:[a-z ]*\b(?:called|named) )?{ARTICLE}(?:[a-z-]+ (?=[A-Z]))?{ANSWER}{BOUNDARY}"
        answer = re.match(pattern, other)
        if answer is None or not (content_words(side) == wanted or (content_words(side) | {SLOT}) == wanted):
            continue
        if side is sides[1] and answer.end() != len(other):
            continue
        return _judge_noun(asks, auxiliary, phrase, answer, other, words)
    return UNSAID


def _judge_noun(
    asks: str, auxiliary: str, phrase: str, answer: re.Match[str], side: str, words: CorpusWords
) -> Reading | str:
    name = answer["answer"]
    head = re.split(r" (?:of|in|for|on|at)\b", phrase.removesuffix(SLOT).strip())[0].split()[-1]
    person = head in PERSON_NOUNS or (words.page(name) is not None and words.is_person(name))
    if person != (asks == "Who") and asks != "name":  # persons and things have names
        return UNFIT
    named = re.search(r"\b(?:called|named) $", side[: answer.start("answer")])
    if name[0].islower() and not answer["article"] and not named:  # `the flag is square`
        return UNFIT
    if in_list(side, answer):
        return SEVERAL
    return Reading(SentenceForm("noun", phrase, "", "", auxiliary, phrase, person), name, answer["article"] or "")


def _read_object(match: re.Match[str], clause: Clause, words: CorpusWords) -> Reading | str:
    """Reads `What does {} eat?` and `Which planet is {} named after?`: the answer follows the statement."""
    noun, auxiliary, rest = match[1].strip(), match[2], match[3]
    found = find_statement(auxiliary, rest, clause.template)
    if found is None:
        return UNSAID
    statement, place = found
    after = clause.template[place.end() :]
    answer = re.match(rf" {ARTICLE}(?P<apposition>[a-z-]+ (?=[A-Z]))?{ANSWER}{BOUNDARY}", after)
    last = statement.split()[-1]
    if answer is None or last in BE or last in LINKING or (not noun and last in ("in", "on", "at", "from", "by")):
        return UNFIT
    name = answer["answer"]
    if noun and noun.split()[-1] not in (answer["apposition"] or "").split() and not words.is_a(name, noun):
        return UNFIT
    if not noun and words.is_person(name):
        return UNFIT
    if in_list(after, answer):
        return SEVERAL
    return Reading(SentenceForm("object", statement, noun, "", auxiliary, rest), name, answer["article"] or "")


def _read_subject(match: re.Match[str], clause: Clause, words: CorpusWords) -> Reading | str:
    """Reads `Who discovered {}?`: the answer stands before the statement, or after `by` in the passive."""
    asks, predicate = match.groups()
    if re.search(r"\b(?:in|at|on|from|near|to) \{\}", predicate):
        return SEVERAL
    before = rf"(?P<answer>{NAME}) {FILLERS}{words_pattern(predicate)}"
    passive = rf"\{{\}} (?:was|were|is) (?:first )?{re.escape(predicate.split()[0])} by (?P<answer>{NAME}){BOUNDARY}"
    verb, _, rest = predicate.partition(" ")
    if verb not in ONLY_ONE_DOES:
        return SEVERAL
    found = re.search(before, clause.template)
    if found is None and rest == SLOT:
        found = re.search(passive, clause.template) or _find_maker(verb, clause.template)
    if found is None:
        return UNSAID
    name = re.sub(r"^(?:The|In|A|An) ", "", found["answer"])
    noun = "" if asks == "Who" else asks.split()[-1]
    apposition = clause.template[: found.start("answer")].split()[-1:]
    if not words.is_person(name) if asks == "Who" else not (noun in apposition or words.is_a(name, noun)):
        return UNFIT
    if re.search(r"(?:,| and| or) $", clause.template[: found.start("answer")]):
        return SEVERAL
    return Reading(SentenceForm("subject", predicate, noun, "", "", predicate, asks == "Who"), name)


def _find_maker(verb: str, clause: str) -> re.Match[str] | None:
    """Returns the author in a clause such as `{} is a fantasy novel by J. R. R. Tolkien`, for the verb `wrote`."""
    work = WORKS.get(verb, "work")
    return re.search(
        rf"^\{{\}} (?:is|was) (?:an?|the) (?:[\w'-]+ ){{0,3}}(?:{work}) by (?P<answer>{NAME}){BOUNDARY}", clause
    )


_READERS = {
    "year": _read_year, "place": _read_place, "where": _read_where, "count": _read_count, "amount": _read_amount,
    "noun": _read_noun, "object": _read_object, "subject": _read_subject,
}  # fmt: skip
