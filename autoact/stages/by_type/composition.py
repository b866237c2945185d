"""Composes two-hop, comparison and yes/no questions from confirmed facts; the answers follow by rule."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from autoact.english.answer_forms import NUMBER_WORDS
from autoact.metrics import normalise
from autoact.stages.by_type.clauses import SLOT, capitalise
from autoact.stages.by_type.corpus_words import PLACES, CorpusWords
from autoact.stages.by_type.facts import Fact
from autoact.stages.by_type.forms import SentenceForm
from autoact.trajectory import Evidence

MAKERS = {
    "wrote": "author", "painted": "painter", "composed": "composer", "invented": "inventor", "designed": "designer",
    "founded": "founder", "directed": "director",
}  # fmt: skip
"""The noun for a person who did this to something."""
COMPARATIVES = {
    "tall": ("shorter", "taller"), "long": ("shorter", "longer"), "high": ("lower", "higher"),
    "deep": ("less deep", "deeper"), "wide": ("narrower", "wider"), "heavy": ("lighter", "heavier"),
}  # fmt: skip
_COMPARED_BY = re.compile(
    rf"\b(first|later|fewer|more|{'|'.join(word for pair in COMPARATIVES.values() for word in pair)})\b"
)
PLURAL = {
    "was": "Were", "were": "Were", "is": "Are", "are": "Are", "did": "Did", "does": "Do", "do": "Do", "has": "Have",
    "have": "Have", "had": "Had",
}  # fmt: skip


class Composed(Struct, frozen=True):
    """A question made of facts, before it is checked against others."""

    type: str
    text: str
    answer: str
    facts: tuple[Fact, ...]
    other: str = ""
    """The answer that a yes/no question suggests in place of the fact's answer, if they differ."""

    @property
    def gold(self) -> tuple[str, ...]:
        """Titles of its pages, in the order in which they must be read."""
        return tuple(dict.fromkeys(fact.page for fact in self.facts))

    @property
    def pattern(self) -> str:
        """Its text without subjects, for variety."""
        return "/".join(fact.template for fact in self.facts)


def pattern_of(fact: Fact) -> tuple[str, str, str]:
    """Returns what facts that can be compared have in common."""
    unit = fact.answer.split()[-1] if fact.form.kind == "amount" else ""
    return fact.form.kind, f"{fact.form.statement} {fact.form.preposition} {fact.form.noun}", unit


def list_evidence(composed: Composed, words: CorpusWords) -> tuple[Evidence, ...]:
    """Returns what each page says towards the answer of a question."""
    return tuple(
        Evidence(fact.clause, fact.answer, find_need(fact, words).replace(SLOT, fact.name), composed.other)
        for fact in composed.facts
    )


def find_need(fact: Fact, words: CorpusWords) -> str:
    """Returns a noun phrase for what a fact's question asks, with SLOT for its subject; empty when it has none."""
    form = fact.form
    match form.kind:
        case "year":
            return f"the year in which {form.statement}"
        case "amount":
            return f"how {form.noun} {SLOT} {form.auxiliary}"
        case "count":
            return f"how many {form.noun} {form.statement}"
        case "object" if not form.noun:
            return f"what {form.statement}"
        case "introduction":
            return f"what {SLOT} {form.auxiliary}"
    return describe(fact, words) or ""


# -- two-hop -----------------------------------------------------------------------------------------------------------


def compose_two_hop(first: Fact, second: Fact, words: CorpusWords) -> Composed | None:
    """Returns the question of `second` with its subject described by `first`, whose answer is that subject."""
    description = describe(first, words)
    page = words.page(first.answer)
    if description is None or page is None or page.title != second.page or first.page == second.page:
        return None
    text = description.replace(SLOT, first.name)
    answer = normalise(second.answer)
    reached = f" {answer} " in f" {normalise(words.pages[first.page.lower()].text)} "
    named = f" {normalise(second.page)} " in f" {normalise(text)} "
    shown = reached or named or f" {answer} " in f" {normalise(text)} "
    if shown or second.form.kind == "introduction" or f"{SLOT}'" in second.template:
        return None
    return Composed("two-hop", second.ask(text), second.answer, (first, second))


def describe(fact: Fact, words: CorpusWords) -> str | None:
    """Returns a noun phrase for the answer of a fact, with SLOT for its subject; None when it has none."""
    form = fact.form
    if form.kind == "place":
        return f"the {form.noun} {form.preposition} which {form.statement}"
    if form.kind == "where":
        return f"the {_place_noun(fact.answer, words)} where {form.statement}"
    if form.kind == "noun":
        return form.statement
    if form.kind == "object" and form.noun:
        return f"the {form.noun} that {form.statement}"
    if form.kind == "subject":
        verb, _, rest = form.statement.partition(" ")
        if form.person and rest == SLOT and verb in MAKERS:
            return f"the {MAKERS[verb]} of {SLOT}"
        return f"the {'person who' if form.person else f'{form.noun} that'} {form.statement}"
    return None


def _place_noun(name: str, words: CorpusWords) -> str:
    page = words.page(name)
    if page and "capital" in words.nouns(page.title):
        return "city"
    return next((noun for noun in PLACES if words.is_a(name, noun)), "place")


# -- comparisons -------------------------------------------------------------------------------------------------------


def compose_comparison(
    one: Fact, other: Fact, words: CorpusWords, *, least: bool, winner_first: bool
) -> Composed | None:
    """Returns the question which of two subjects has the smaller or larger value, the winner named first or second."""
    first, second = find_value(one), find_value(other)
    if first is None or second is None or first == second:
        return None
    asked = _comparison(one, other, words, least=least)
    if asked is None:
        return None
    winner, loser = (one, other) if (first < second) == least else (other, one)
    pair = (winner, loser) if winner_first else (loser, winner)
    text = f"{asked}, {pair[0].name} or {pair[1].name}?"
    return Composed("comparison", text, capitalise(winner.name.removeprefix("the ")), pair)


def _comparison(one: Fact, other: Fact, words: CorpusWords, *, least: bool) -> str | None:
    """Returns the question without the two subjects; None when the facts cannot be compared."""
    compared = _compare(one.form, least=least)
    if compared is None or one.page == other.page or pattern_of(one) != pattern_of(other):
        return None
    asks = _which(one, other, words)
    return f"{asks} {compared}" if asks else None


def _compare(form: SentenceForm, *, least: bool) -> str | None:
    """Returns what a comparison by a form asks for, such as `was born first`; None when its values have no order."""
    predicate = form.statement.removeprefix(f"{SLOT} ")
    if form.kind == "noun" and (match := re.fullmatch(rf"the ([\w ]*number) of {re.escape(SLOT)}", form.statement)):
        return f"has the {'lower' if least else 'higher'} {match[1]}"
    if SLOT in predicate:
        return None
    if form.kind == "year" and "first" not in predicate:
        return f"{predicate} {'first' if least else 'later'}"
    if form.kind == "amount" and form.noun in COMPARATIVES:
        return f"{form.auxiliary} {COMPARATIVES[form.noun][0 if least else 1]}"
    if form.kind == "count":
        return f"{predicate} {'fewer' if least else 'more'} {form.noun}"
    return None


def find_comparative(text: str) -> str:
    """Returns the word by which a comparison's text compares, such as `later`; empty if it has none that is known."""
    found = _COMPARED_BY.search(text.partition(",")[0])
    return found[0] if found else ""


def find_value(fact: Fact) -> float | None:
    """Returns the number that a fact's answer begins with; None if it begins with no number."""
    number = fact.answer.split()[0].replace(",", "")
    if number in NUMBER_WORDS:
        return 2.0 + NUMBER_WORDS.index(number)
    return float(number) if re.fullmatch(r"\d+(?:\.\d+)?", number) else None


def _which(one: Fact, other: Fact, words: CorpusWords) -> str | None:
    """Returns who, which, or which with the noun that both subjects are called; None when only one is a person."""
    persons = [words.is_person(fact.page) for fact in (one, other)]
    if any(persons):
        return "Who" if all(persons) else None
    shared = [noun for noun in words.nouns(one.page) if noun in words.nouns(other.page)]
    return f"Which {shared[-1]}" if shared else "Which"


# -- yes or no ---------------------------------------------------------------------------------------------------------


def compose_polar(fact: Fact, stated: Fact, words: CorpusWords) -> Composed | None:
    """Returns the question whether the answer of `stated` is that of `fact`: yes if both are one fact, else no."""
    value = f"{stated.reading.article}{stated.answer}"
    text = _polar(fact, value)
    if text is None or not (fact is stated or _excludes(fact, stated, words)):
        return None
    question = capitalise(text.replace(SLOT, fact.name))
    if fact is stated:
        return Composed("yes-no", question, "yes", (fact,))
    return Composed("yes-no", question, "no", (fact,), other=value)


def _excludes(fact: Fact, stated: Fact, words: CorpusWords) -> bool:
    """Returns whether the answer of `stated` cannot be one of `fact` too.

    What is in Paris is in France: neither the fact's page nor that of its answer may name the other answer. Somebody
    may be both a writer and a poet, but not a Dutch and a French painter.
    """
    if fact.form.kind != stated.form.kind or normalise(fact.answer) == normalise(stated.answer):
        return False
    pages = (words.page(fact.page), words.page(fact.answer))
    told = normalise(" ".join(f"{page.title} {page.text}" for page in pages if page))
    if f" {normalise(stated.answer)} " in f" {told} ":
        return False
    if fact.form.kind != "introduction":
        return True
    ours, others = fact.answer.split(), stated.answer.split()
    return ours[-1] == others[-1] and ours[0] != others[0] and ours[0][0].isupper() and others[0][0].isupper()


def _polar(fact: Fact, value: str) -> str | None:
    form = fact.form
    begin = f"{capitalise(form.auxiliary)} {form.rest}"
    match form.kind:
        case "year":
            return f"{begin} in {value}?"
        case "place" | "where":
            return f"{begin} {form.preposition} {value}?"
        case "count" | "amount":
            return f"{begin} {value} {form.noun}?"
        case "noun" if form.statement.startswith("the "):
            return f"{capitalise(form.auxiliary)} {value} {form.statement}?"
        case "object" | "introduction":
            return f"{begin} {value}?"
        case "subject" if form.person:
            return f"Was it {value} who {form.statement}?"
    return None


def compose_same(one: Fact, other: Fact, words: CorpusWords) -> Iterator[Composed]:
    """Yields questions whether two subjects have the same answer, and whether both have the first one's."""
    form = one.form
    if pattern_of(one) != pattern_of(other) or one.page == other.page or form.auxiliary in ("are", "were"):
        return
    answer = "yes" if normalise(one.answer) == normalise(other.answer) else "no"
    if answer == "no" and not _excludes(other, one, words):
        return
    auxiliary, tail = PLURAL[form.auxiliary], form.rest.removeprefix(SLOT).strip()
    begin = f"{auxiliary} {one.name} and {other.name}"
    located = form.kind in ("year", "place", "where") and SLOT not in tail
    if form.preposition == "of":  # a country has one capital
        return
    texts = []
    if located and form.kind != "where":
        texts.append(f"{begin} {tail} {form.preposition} the same {form.noun}?")
    if located and form.kind != "year":
        texts.append(f"{begin} both {tail} {form.preposition} {one.reading.article}{one.answer}?")
    if form.kind == "noun" and (match := re.fullmatch(rf"the ([\w ]+) of {re.escape(SLOT)}", form.statement)):
        does = "Do" if form.auxiliary in ("is", "are") else "Did"
        texts.append(f"{does} {one.name} and {other.name} have the same {match[1]}?")
    if form.kind == "introduction":
        texts.append(f"{begin} both {_plural(one.answer)}?")
    if form.kind == "object" and not form.noun and SLOT not in tail:
        texts.append(f"{begin} both {tail} {one.reading.article}{one.answer}?")
    for text in texts:
        yield Composed("yes-no", " ".join(text.split()), answer, (one, other))


def _plural(noun: str) -> str:
    if noun.endswith(("ies", "man")):
        return f"{noun[:-2]}en" if noun.endswith("man") else noun
    if noun.endswith(("s", "x", "ch", "sh", "hero")):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if re.search("[^aeiou]y$", noun) else f"{noun}s"
