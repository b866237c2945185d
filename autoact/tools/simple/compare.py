"""Compare: tells whether two texts or numbers are the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from autoact.metrics import normalise
from autoact.script import Observation
from autoact.tools.library.tool import Call, Check, Group, ToolContext, ToolRecord

RECORD = ToolRecord(
    name="Compare",
    definition="Tells whether two names, words or numbers are the same.",
    usage="Compare[Lima; Quito]",
    repeatable=True,
)
SAME, DIFFERENT = "the same", "different"
EXPECTED = "expected two texts with a semicolon between them, such as `Lima; Quito`"
_COMMAS = re.compile(r"(?<=\d),(?=\d{3})")


def compare(argument: str) -> Observation:
    """Compares the two texts without capitals, articles, punctuation and the commas of large numbers."""
    texts = [normalise(_COMMAS.sub("", text)) for text in argument.split(";")]
    if len(texts) != 2 or not all(texts):
        return Observation(EXPECTED, failed=True)
    first, second = texts
    return Observation(SAME if first == second else DIFFERENT)


def open_calls(context: ToolContext, records: Mapping[str, ToolRecord]) -> dict[str, Call]:
    """Opens the tool, which has no state."""
    return {RECORD.name: compare}


def checks(context: ToolContext, records: Mapping[str, ToolRecord]) -> Iterable[Check]:
    """Yields two equal texts, and two that differ."""
    yield Check(RECORD.name, "the Danube; Danube", f"^{SAME}$")
    yield Check(RECORD.name, "2,850; 2,860", f"^{DIFFERENT}$")


GROUP = Group((RECORD,), open_calls, checks=checks)
