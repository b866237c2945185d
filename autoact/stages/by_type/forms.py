"""Reads what a question asks, and finds the answer that a clause gives to it: only what the clause says is accepted.

A question template such as "In which city was {} born?" is turned into the statement "{} was born", which must stand in
the clause; the answer is what follows in the place where the form expects it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from autoact.stages.by_type.clauses import AMOUNT, NAME, NUMBER, SLOT, YEAR, Clause, word_set
from autoact.stages.by_type.corpus_words import PERSON_NOUNS, PLACES, CorpusWords
from autoact.stages.by_type.verbs import BE, inflect

Kind = Literal["year", "place", "where", "count", "amount", "noun", "object", "subject"]
UNREADABLE = "not in a form that can be checked"
UNSAID = "not what the sentence says"
UNFIT = "answer does not fit the question"
SEVERAL = "one of several answers"


class Form(Struct, frozen=True):
    """What a question asks of its subject."""

    kind: Kind
    statement: str
    """What the clause says without the answer, such as `{} was born`; of a noun, `the capital of {}`."""
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

    form: Form
    answer: str
    article: str = ""
    """The article before the answer in the clause, and the noun before a name: `the `, `the island of `."""


_AUX = r"(was|were|is|are|did|does|do|has|have|had)"
_PREPOSITION = r"(In|On|At|Near|By|From|Under|To|After|For)"
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
_SMALL = r"(?:(?:the|a|an|also|later|then|about|once|now|still|often|usually|mainly|well) )*"
"""Words that a question may leave out."""
_BOUNDARY = (
    r"(?=$|[,.;]| (?:in|on|at|near|by|from|to|for|of|with|and|or|but|who|which|that|when|where|while|after|before|"
    r"until|since|as|because|into|through|above|below|under|during|every|each|is|was)\b)"
)
_ARTICLE = r"(?P<article>the |a |an )?"
_WORDS = rf"(?:(?!the\b|a\b|an\b|{'|'.join(BE)})[a-z][\w'-]+(?: [a-z][\w'-]+)?(?: [a-z][\w'-]+)?)"
_ANSWER = rf"(?P<answer>{NAME}|{AMOUNT}|{NUMBER}|{_WORDS})"
_BREAK = re.compile(r"\b(?:who|which|that|when|where|while|after|before|because|and|but|until)\b|;")
_ENDS_IN_LIST = re.compile(r"(?:, [\w' -]{1,40})*,? (?:and|or) (?!(?:is|are|was|were|has|had|[a-z]+ed|[a-z]+s)\b)")
ONLY_ONE_DOES = word_set(
    "discovered invented wrote painted composed designed founded built created developed patented carved named made "
    "directed introduced drew gave proposed began started united conquered"
)
"""What one person does, so that the question `who did it` has one answer."""
WORKS = {
    "wrote": "novel|book|play|poem|story|tragedy|comedy|diary|epic", "painted": "painting|picture|portrait|fresco",
    "composed": "opera|symphony|ballet|song|piece", "directed": "film|movie",
}  # fmt: skip
"""Nouns for what is made in this way."""
_SAME_ADJECTIVE = {"tall": "high", "high": "tall"}


def read_form(template: str, clause: Clause, words: CorpusWords) -> Reading | str:
    """Returns the reading of a question template, or the reason why it is not one that the clause answers."""
    text = template.rstrip("?").strip()
    for kind, pattern in _PATTERNS:
        if match := pattern.fullmatch(text):
            return _READERS[kind](match, clause, words)
    return UNREADABLE


def says(clause: str, statement: str) -> re.Match[str] | None:
    """Returns where a clause has the words of a statement, one after the other but for small words."""
    return re.search(rf"(?<![\w-]){_words_pattern(statement)}", clause, re.IGNORECASE)


def _words_pattern(statement: str) -> str:
    words = [re.escape(word) for word in statement.split() if word not in ("the", "a", "an")]
    return rf"{f' {_SMALL}'.join(words)}(?![\w-])"


def _find_statement(auxiliary: str, rest: str, clause: str) -> tuple[str, re.Match[str]] | None:
    """Returns the question's words as a statement that the clause has, and where; None when it has none."""
    for statement in _statements(auxiliary, rest):
        if SLOT in statement and (match := says(clause, statement)):
            return statement, match
    return None


def _statements(auxiliary: str, rest: str) -> Iterator[str]:
    """Yields the statements that a question may come from, one for each word that may end its subject."""
    words = rest.split()
    for at in range(1, len(words) + 1):
        subject, predicate = " ".join(words[:at]), words[at:]
        if auxiliary in ("did", "does", "do"):
            for verb in inflect(predicate[0], auxiliary) if predicate else ():
                yield " ".join((subject, verb, *predicate[1:]))
        else:
            yield " ".join((subject, auxiliary, *predicate))


# -- readers, one for each kind ----------------------------------------------------------------------------------------


def _read_year(match: re.Match[str], clause: Clause, words: CorpusWords) -> Reading | str:
    auxiliary, rest = match.groups()
    found = _find_statement(auxiliary, rest, clause.template)
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
    if year.start() > place.end() and (_BREAK.search(between) or len(between.split()) > 6):
        return UNSAID
    if year.start() < place.start() and clause.template[: year.start()].strip():
        return UNSAID
    return Reading(Form("year", statement, "year", "in", auxiliary, rest), year[1])


def _read_place(match: re.Match[str], clause: Clause, words: CorpusWords) -> Reading | str:
    preposition, noun, auxiliary, rest = match.groups()
    return _read_location(Form("place", "", noun, preposition.lower(), auxiliary, rest), clause, words)


def _read_where(match: re.Match[str], clause: Clause, words: CorpusWords) -> Reading | str:
    auxiliary, rest = match.groups()
    return _read_location(Form("where", "", "", "in|on|at|near", auxiliary, rest), clause, words)


def _read_location(form: Form, clause: Clause, words: CorpusWords) -> Reading | str:
    found = _find_statement(form.auxiliary, form.rest, clause.template)
    if found is None:
        return UNSAID
    statement, place = found
    after = clause.template[place.end() :]
    before = rf" (?P<preposition>{form.preposition}) {_ARTICLE}(?P<apposition>[a-z-]+ (?:of )?)?"
    located = re.search(rf"{before}(?P<answer>{NAME}){_BOUNDARY}", after)
    if located is None:
        return UNFIT
    if _BREAK.search(after[: located.start()]) or len(after[: located.start()].split()) > 5:
        return UNSAID
    name, apposition = located["answer"], (located["apposition"] or "").split()
    same = apposition[:1] if apposition[-1:] != ["of"] or apposition[0] in PLACES else []
    if form.noun and not (form.noun.split()[-1] in same or words.is_a(name, form.noun)):
        return UNFIT
    if not form.noun and not words.may_be_place(name):
        return UNFIT
    if _in_list(after, located):
        return SEVERAL
    read = Form(form.kind, statement, form.noun, located["preposition"], form.auxiliary, form.rest)
    return Reading(read, name, f"{located['article'] or ''}{located['apposition'] or ''}")


def _read_count(match: re.Match[str], clause: Clause, words: CorpusWords) -> Reading | str:
    noun, auxiliary, rest = match.groups()
    found = _find_statement(auxiliary, rest, clause.template)
    if found is None:
        return UNSAID
    statement, place = found
    pattern = rf" (?:about |only |more than |over )?(?P<answer>{NUMBER}) (?:[a-z-]+ ){{0,2}}?{re.escape(noun)}\b"
    counted = re.match(pattern, clause.template[place.end() :])
    if counted is None:
        return UNFIT
    return Reading(Form("count", statement, noun, "", auxiliary, rest), counted["answer"])


def _read_amount(match: re.Match[str], clause: Clause, words: CorpusWords) -> Reading | str:
    adjective, auxiliary, rest = match.groups()
    either = "|".join(filter(None, (adjective, _SAME_ADJECTIVE.get(adjective))))
    pattern = rf"^\{{\}} [^;]*?\b{auxiliary} (?:[a-z]+ ){{0,2}}(?P<answer>{AMOUNT}) (?:{either})\b"
    measured = re.search(pattern, clause.template)
    if measured is None:
        return UNSAID
    if len(re.findall(AMOUNT, clause.template)) > 1:
        return SEVERAL
    return Reading(Form("amount", f"{SLOT} {auxiliary}", adjective, "", auxiliary, rest), measured["answer"])


def _read_noun(match: re.Match[str], clause: Clause, words: CorpusWords) -> Reading | str:
    """Reads `What is the capital of {}?`, which asks for the other side of the clause's `is`."""
    asks, auxiliary, phrase = match.groups()
    if asks == "What" and phrase.startswith("the name of "):
        asks, phrase = "What the name", phrase.removeprefix("the name of ")
    sides = re.split(rf" {auxiliary} ", clause.template, maxsplit=1)
    if len(sides) != 2:
        return UNSAID
    wanted = _content(phrase)
    if wanted == {SLOT} or not wanted:
        return UNREADABLE
    for side, other in (sides, sides[::-1]):
        pattern = rf"(?:[a-z ]*\b(?:called|named) )?{_ARTICLE}(?:[a-z-]+ (?=[A-Z]))?{_ANSWER}{_BOUNDARY}"
        answer = re.match(pattern, other)
        if answer is None or not (_content(side) == wanted or (_content(side) | {SLOT}) == wanted):
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
    if person != (asks == "Who") and not (person and asks == "What the name"):
        return UNFIT
    if _in_list(side, answer):
        return SEVERAL
    return Reading(Form("noun", phrase, "", "", auxiliary, phrase, person), name, answer["article"] or "")


def _read_object(match: re.Match[str], clause: Clause, words: CorpusWords) -> Reading | str:
    """Reads `What does {} eat?` and `Which planet is {} named after?`: the answer follows the statement."""
    noun, auxiliary, rest = match[1].strip(), match[2], match[3]
    found = _find_statement(auxiliary, rest, clause.template)
    if found is None:
        return UNSAID
    statement, place = found
    after = clause.template[place.end() :]
    answer = re.match(rf" {_ARTICLE}(?P<apposition>[a-z-]+ (?=[A-Z]))?{_ANSWER}{_BOUNDARY}", after)
    ends_open = statement.split()[-1] in (*BE, *(() if noun else ("in", "on", "at", "from", "with", "by")))
    if answer is None or ends_open:
        return UNFIT
    name = answer["answer"]
    if noun and noun.split()[-1] not in (answer["apposition"] or "").split() and not words.is_a(name, noun):
        return UNFIT
    if not noun and words.is_person(name):
        return UNFIT
    if _in_list(after, answer):
        return SEVERAL
    return Reading(Form("object", statement, noun, "", auxiliary, rest), name, answer["article"] or "")


def _read_subject(match: re.Match[str], clause: Clause, words: CorpusWords) -> Reading | str:
    """Reads `Who discovered {}?`: the answer stands before the statement, or after `by` in the passive."""
    asks, predicate = match.groups()
    if re.search(r"\b(?:in|at|on|from|near|to) \{\}", predicate):
        return SEVERAL
    before = rf"(?P<answer>{NAME}) {_SMALL}{_words_pattern(predicate)}"
    passive = rf"\{{\}} (?:was|were|is) (?:first )?{re.escape(predicate.split()[0])} by (?P<answer>{NAME}){_BOUNDARY}"
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
    return Reading(Form("subject", predicate, noun, "", "", predicate, asks == "Who"), name)


def _find_maker(verb: str, clause: str) -> re.Match[str] | None:
    """Returns the author in a clause such as `{} is a fantasy novel by J. R. R. Tolkien`, for the verb `wrote`."""
    work = WORKS.get(verb, "work")
    return re.search(
        rf"^\{{\}} (?:is|was) (?:an?|the) (?:[\w'-]+ ){{0,3}}(?:{work}) by (?P<answer>{NAME}){_BOUNDARY}", clause
    )


def _in_list(text: str, answer: re.Match[str]) -> bool:
    """Returns whether an answer is one of several that are joined by `and` or `or`."""
    after, before = text[answer.end("answer") :], text[: answer.start("answer")]
    return bool(_ENDS_IN_LIST.match(after) or re.search(r"\b(?:and|or) (?:the )?$", before))


def _content(phrase: str) -> set[str]:
    """Returns the words of a noun phrase without articles and prepositions."""
    words = re.sub(r"\{\}'s?", SLOT, phrase).replace(",", "").lower().split()
    return {word for word in words if word not in ("the", "a", "an", "of", "in", "for", "on", "at", "name", "its")}


_READERS = {
    "year": _read_year, "place": _read_place, "where": _read_where, "count": _read_count, "amount": _read_amount,
    "noun": _read_noun, "object": _read_object, "subject": _read_subject,
}  # fmt: skip
