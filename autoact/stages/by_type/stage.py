"""The stage: rounds of facts, and after each round the questions that can be composed of all facts so far."""

from __future__ import annotations

import random
import re
from collections.abc import Generator, Iterable, Iterator
from functools import partial
from itertools import chain, count, islice
from typing import Any

from msgspec.structs import replace

from autoact.english.answer_forms import NAME
from autoact.events import Event, QuestionRefused, StageProgressed
from autoact.project.config import SelfInstruct
from autoact.registry.stages import SELF_INSTRUCT
from autoact.script import Round, Unit
from autoact.stages.by_type.clauses import Clause
from autoact.stages.by_type.composition import compose_two_hop
from autoact.stages.by_type.corpus_words import CorpusWords
from autoact.stages.by_type.facts import FactDraft, FactWriter
from autoact.stages.by_type.lead import name_pages
from autoact.stages.by_type.practice import TypedPractice
from autoact.stages.material import SeedMaterial
from autoact.trajectory import Page, Question


def instruct_by_type(material: SeedMaterial, settings: SelfInstruct) -> Generator[Round | Event, Any, list[Question]]:
    """Reads the corpus once, clause by clause, until there are enough questions of each type. Returns them.

    When the corpus is used up, or `stall` rounds gave no question, types that lack questions are filled with more from
    the same facts, at last with questions of other types.
    """
    material = replace(material, passages=name_pages(material.passages))
    words = CorpusWords(material.passages)
    writer = FactWriter(material.task, material.examples, settings, words)
    practice = TypedPractice(material, settings, words)
    clauses = (clause for page in order_pages(material, writer) for clause in writer.clauses(page))
    names = (f"fact-{number:04d}" for number in count())
    stalled = 0
    while batch := list(islice(clauses, settings.round)):
        units = [_unit(writer, name, clause) for clause, name in zip(batch, names, strict=False)]
        before = len(practice.accepted)
        for drafts in (yield Round(units)):
            yield from _add(practice, drafts or [])
        yield from practice.compose()
        yield StageProgressed(SELF_INSTRUCT, len(practice.accepted), settings.target)
        stalled = 0 if len(practice.accepted) > before else stalled + 1
        if practice.complete or stalled == settings.stall:
            break
    yield from practice.fill()
    yield StageProgressed(SELF_INSTRUCT, len(practice.accepted), settings.target)
    return practice.accepted


def _unit(writer: FactWriter, name: str, clause: Clause) -> Unit:
    return Unit(name, partial(writer.write, name, clause))


def _add(practice: TypedPractice, drafts: list[FactDraft]) -> Iterator[QuestionRefused]:
    """Adds the facts of drafts; yields the refusals of the others."""
    for draft in drafts:
        refusal = draft.refusal or practice.add(draft)
        if refusal:
            yield QuestionRefused(draft.name, draft.question, refusal, draft.answer)


def order_pages(material: SeedMaterial, writer: FactWriter) -> Iterator[Page]:
    """Yields the pages in random order, but each followed by those that it names: two-hop questions need both.

    In a corpus of more pages than questions are wanted, pairs that make a two-hop question come first: chance would
    bring few of those together before the rest is complete.
    """
    shuffled = random.Random(material.seed).sample(material.passages, len(material.passages))
    pairs = _find_pairs(shuffled, writer) if len(shuffled) > writer.settings.target else ()
    named = (one for page in shuffled for one in (page, *_find_named(page, writer.words)))
    seen: set[str] = set()
    for page in chain(pairs, named):
        if page.title not in seen:
            seen.add(page.title)
            yield page


def _find_pairs(pages: Iterable[Page], writer: FactWriter) -> Iterator[Page]:
    """Yields pages of which a fact that comes with its question leads to another page with such a fact, and those."""
    for page in pages:
        for fact in writer.stated(page):
            other = writer.words.page(fact.answer)
            if other and any(compose_two_hop(fact, second, writer.words) for second in writer.stated(other)):
                yield from (page, other)


def _find_named(page: Page, words: CorpusWords) -> Iterator[Page]:
    return (other for name in re.findall(NAME, page.text) if (other := words.page(name)))
