"""A SPARQL endpoint: facts by name, and SELECT queries as a model writes them."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any
from urllib.parse import urlsplit

from autoact.errors import ToolFailed
from autoact.tools.database.sqlite import QueryRows

MOST_FACTS = 300
LONGEST_QUERY = 5_000
_ASKS = re.compile(r"\s*(?:(?:prefix|base)\b[^>]*>\s*)*(?:select|ask)\b", re.IGNORECASE)
_ANY = """SELECT ?item ?relation ?value WHERE {{
  ?item <http://www.w3.org/2000/01/rdf-schema#label> ?label . FILTER(STR(?label) = {name})
  ?item ?p ?v .
  OPTIONAL {{ ?p <http://www.w3.org/2000/01/rdf-schema#label> ?said }}
  OPTIONAL {{ ?v <http://www.w3.org/2000/01/rdf-schema#label> ?named }}
  BIND(COALESCE(?said, STR(?p)) AS ?relation) BIND(COALESCE(?named, STR(?v)) AS ?value)
}} LIMIT {most}"""
# Wikidata labels its properties, not the predicates that statements use.
_WIKIDATA = """SELECT ?item ?relation ?value WHERE {{
  ?item rdfs:label {name}@en ; ?p ?v .
  ?property wikibase:directClaim ?p ; wikibase:propertyType ?type ; rdfs:label ?relation .
  FILTER(?type != wikibase:ExternalId && LANG(?relation) = "en")
  OPTIONAL {{ ?v rdfs:label ?named FILTER(LANG(?named) = "en") }}
  FILTER(BOUND(?named) || ISLITERAL(?v))
  BIND(COALESCE(?named, STR(?v)) AS ?value)
}} LIMIT {most}"""


class Endpoint:
    """A SPARQL service over HTTP."""

    def __init__(self, url: str, seconds: float) -> None:
        from autoact.tools.web.client import Client
        from autoact.tools.web.guard import Guard

        parts = urlsplit(url)
        self._url = url
        self._form = _WIKIDATA if (parts.hostname or "").endswith("wikidata.org") else _ANY
        # A person named this host, so it may be in their own network; hosts it redirects to may not.
        self._client = Client(Guard(allowed=[parts.netloc]), timeout_s=seconds)

    def facts(self, thing: str) -> tuple[str, list[tuple[str, str]]] | None:
        """Returns the facts of the thing with this name; of several things, of the one with the most facts. None for an
        unknown name.

        Raises ToolFailed.
        """
        found = self.select(self._form.format(name=quote_literal(thing), most=MOST_FACTS), MOST_FACTS)
        by_item: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for item, relation, value in found.rows:
            if relation is not None and value is not None:  # a blank node has no text
                by_item[item].append((relation, value))
        return (thing, max(by_item.values(), key=len)) if by_item else None

    def similar(self, thing: str, count: int) -> list[str]:
        """Returns no names: an endpoint cannot be searched for them."""
        return []

    def select(self, query: str, rows: int) -> QueryRows:
        """Returns the first rows of a SELECT, or `yes` or `no` for an ASK. Raises ToolFailed."""
        from autoact.tools.web.client import HttpRequest

        if not is_query(query) or len(query) > LONGEST_QUERY:
            raise ToolFailed(f"expected a SELECT or ASK query of at most {LONGEST_QUERY} characters")
        reply = self._client.fetch(
            HttpRequest(self._url, parameters={"query": query}, headers={"Accept": "application/sparql-results+json"})
        )
        if reply.status != 200:
            raise ToolFailed(f"the endpoint answered {reply.status}: {reply.text()[:200]}")
        return _rows(reply.json(), rows)


def is_query(text: str) -> bool:
    """Returns whether the text is a query that only reads."""
    return _ASKS.match(text) is not None


def quote_literal(text: str) -> str:
    """Returns any text as a SPARQL literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def _rows(answer: Any, most: int) -> QueryRows:
    """Reads the rows of SPARQL's JSON results. Raises ToolFailed when it is something else."""
    try:
        if "boolean" in answer:
            return QueryRows(["answer"], [["yes" if answer["boolean"] else "no"]], False)
        columns: list[str] = answer["head"]["vars"]
        bindings = answer["results"]["bindings"]
        rows = [[_value_text(one.get(column)) for column in columns] for one in bindings[:most]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ToolFailed("the endpoint sent JSON that is no answer to a query") from error
    return QueryRows(columns, rows, len(bindings) > most)


def _value_text(value: Any) -> str | None:
    """Returns a value as text; of an address, its last part."""
    if value is None:
        return None
    text = str(value["value"])
    return re.split(r"[#/]", text.rstrip("#/"))[-1].replace("_", " ") if value.get("type") == "uri" else text
