"""A local RDF file as facts by name: the statements that have a thing as their subject or their value."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from autoact.errors import BadProject
from autoact.tools.pages.title_search import Titles, fold

FORMATS = {".ttl": "turtle", ".n3": "n3", ".nt": "nt", ".rdf": "xml", ".owl": "xml", ".xml": "xml"}
"""Formats by the ending of the file's name. JSON-LD is not among them: it may name contexts that are downloaded."""
LARGEST = 50_000_000
_NAMES = (
    "http://www.w3.org/2000/01/rdf-schema#label", "http://www.w3.org/2004/02/skos/core#prefLabel",
    "http://schema.org/name", "https://schema.org/name", "http://xmlns.com/foaf/0.1/name",
)  # fmt: skip


class Statement(NamedTuple):
    """A subject, a relation and a value, as addresses or text."""

    subject: str
    relation: str
    value: str
    thing: bool
    """Whether the value is an address."""


class RdfFile:
    """Facts of an RDF file, by the names of things."""

    def __init__(self, file: Path) -> None:
        """Raises BadProject when the file cannot be read."""
        self._facts: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        names, statements = _read(file)
        for subject, relation, value, thing in statements:
            name_of_relation, name = _words_of(relation).lower(), names.get(subject) or _words_of(subject)
            other = (names.get(value) or _words_of(value)) if thing else value
            self._facts[name].append((name_of_relation, other))
            if thing:
                self._facts[other].append((f"{name_of_relation} of", name))
        self._names = sorted(self._facts)
        self._titles = Titles.of(self._names)

    def facts(self, thing: str) -> tuple[str, list[tuple[str, str]]] | None:
        """Returns the name of a thing as the file has it, and its facts; None for an unknown one."""
        found = self._titles.find(thing)
        return None if found is None else (self._names[found], self._facts[self._names[found]])

    def similar(self, thing: str, count: int) -> list[str]:
        """Returns names like this one."""
        return self._titles.similar(thing, count)

    def first(self) -> str:
        """Returns the first name in alphabetical order; empty when the file has no statements."""
        return next(iter(self._names), "")


def _read(file: Path) -> tuple[dict[str, str], list[Statement]]:
    """Returns names by node, and every statement that does not give a name."""
    from xml.sax import SAXException

    import rdflib
    from rdflib.exceptions import Error

    # The parser of each format raises other exceptions, without a common base class.
    troubles = (OSError, SyntaxError, ValueError, SAXException, Error)
    try:
        if file.stat().st_size > LARGEST:
            raise BadProject(f"expected at most {LARGEST:,} bytes of RDF", file=file)
        graph = rdflib.Graph()
        graph.parse(data=file.read_bytes(), format=FORMATS[file.suffix.casefold()])
    except troubles as error:
        raise BadProject(f"cannot be read as RDF: {str(error)[:200]}", file=file) from error
    names: dict[str, str] = {}
    statements = []
    for parts in sorted(graph, key=lambda one: [str(part) for part in one]):
        if any(isinstance(part, rdflib.BNode) for part in parts):
            continue  # a blank node has no name to ask for
        subject, relation, value = (str(part) for part in parts)
        if relation not in _NAMES:
            statements.append(Statement(subject, relation, value, isinstance(parts[2], rdflib.URIRef)))
        elif (getattr(parts[2], "language", None) or "en").startswith("en"):
            names.setdefault(subject, value)
    return names, statements


def _words_of(node: str) -> str:
    """Returns the last part of an address as words: placeOfBirth is place of birth."""
    last = re.split(r"[#/]", node.rstrip("#/"))[-1] or node
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", " ", last).replace("_", " ").replace("%20", " ")


def match_relation(facts: list[tuple[str, str]], relation: str) -> list[tuple[str, str]]:
    """Returns the facts with a relation of this name, or else with one that has all its words."""
    wanted = fold(relation)
    same = [fact for fact in facts if fold(fact[0]) == wanted]
    words = set(wanted.split()) - {"of", "the", "is", "a", "an", "in"}
    return same or [fact for fact in facts if words and words <= set(fold(fact[0]).split())]
