"""Sample pages, tables and facts for checking tools in a project that has no data for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoact.trajectory import Page

RIVERS = "name,country,km\nNile,Egypt,6650\nAmazon,Brazil,6400\nRhine,Germany,1230\n"
FACTS = """@prefix : <http://example.org/> .
:Nile :ends_in :Mediterranean_Sea ; :length_in_km 6650 .
:Rhine :ends_in :North_Sea ; :length_in_km 1230 .
"""
PAGES = (
    Page("Nile", "The Nile is a river in Africa. It ends in the Mediterranean Sea."),
    Page("Rhine", "The Rhine is a river in Europe. It ends in the North Sea."),
)
SETTINGS: Mapping[str, Mapping[str, Any]] = {"Database": {"tables": "tables"}, "KnowledgeGraph": {"file": "facts.ttl"}}
"""The settings of the tools that read the sample files."""
TOOLS = frozenset({"WebSearch", "Retrieve", "Lookup", *SETTINGS})
"""The tools that the samples are for."""


def write_samples(folder: Path) -> None:
    """Writes the sample files into a folder."""
    (folder / "tables").mkdir()
    (folder / "tables" / "rivers.csv").write_text(RIVERS, encoding="utf-8")
    (folder / "facts.ttl").write_text(FACTS, encoding="utf-8")
