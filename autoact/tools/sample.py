"""A few tables and facts, on which tools that a project gave nothing to work on can show that they work."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

RIVERS = "name,country,km\nNile,Egypt,6650\nAmazon,Brazil,6400\nRhine,Germany,1230\n"
FACTS = """@prefix : <http://example.org/> .
:Nile :ends_in :Mediterranean_Sea ; :length_in_km 6650 .
:Rhine :ends_in :North_Sea ; :length_in_km 1230 .
"""
SETTINGS: Mapping[str, Mapping[str, Any]] = {"Database": {"tables": "tables"}, "KnowledgeGraph": {"file": "facts.ttl"}}
"""Of the tools that work on the sample, by tool."""


def lay_out(folder: Path) -> None:
    """Write the sample's files into a folder."""
    (folder / "tables").mkdir()
    (folder / "tables" / "rivers.csv").write_text(RIVERS, encoding="utf-8")
    (folder / "facts.ttl").write_text(FACTS, encoding="utf-8")
