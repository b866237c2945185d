"""The stage: rounds of facts, and after each round the questions that can be composed of all facts so far."""

from __future__ import annotations

import random
import re
from collections.abc import Generator, Iterator
from functools import partial
from itertools import count, islice
from typing import Any

from msgspec.structs import replace

from autoact.english.answer_forms import NAME
from autoact.events import Event, QuestionRefused, StageProgressed
from autoact.project.config import SelfInstruct
from autoact.registry.stages import SELF_INSTRUCT
from autoact.script import Round, Unit
from autoact.stages.by_type.clauses import Clause
from autoact.stages.by_type.corpus_words import CorpusWords
from autoact.stages.by_type.facts import FactDraft, FactWriter
from autoact.stages.by_type.lead import name_pages
from autoact.stages.by_type.practice import TypedPractice
from autoact.stages.material import SeedMaterial
from autoact.trajectory import Page, Question


def instruct_by_type(material: SeedMaterial, settings: SelfInstruct) -> Generator[Round | Event, Any, list[Question]]:
    """Reads the corpus once, clause by clause, until there are enough questions of each type. Returns them.

    When the corpus is used up, or `stall` rounds gave no fact, types that lack questions are filled with more from the
    same facts, at last with questions of other types.
    """
    material = replace(material, passages=name_pages(material.passages))
    words = CorpusWords(material.passages)
    writer = FactWriter(material.task, material.examples, settings, words)
    practice = TypedPractice(material, settings, words)
    clauses = (clause for page in order_pages(material, words) for clause in writer.clauses(page))
    names = (f"fact-{number:04d}" for number in count())
    stalled = 0
    while batch := list(islice(clauses, settings.round)):
        units = [_unit(writer, name, clause) for clause, name in zip(batch, names, strict=False)]
        known = len(practice.facts)
        for drafts in (yield Round(units)):
            yield from _add(practice, drafts or [])
        yield from practice.compose()
        yield StageProgressed(SELF_INSTRUCT, len(practice.accepted), settings.target)
        stalled = 0 if len(practice.facts) > known else stalled + 1
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


def order_pages(material: SeedMaterial, words: CorpusWords) -> Iterator[Page]:
    """Yields the pages in random order, but each followed by those that it names: two-hop questions need both."""
    seen: set[str] = set()
    for page in random.Random(material.seed).sample(material.passages, len(material.passages)):
        named = (words.page(name) for name in re.findall(NAME, page.text))
        for one in (page, *(other for other in named if other)):
            if one.title not in seen:
                seen.add(one.title)
                yield one
