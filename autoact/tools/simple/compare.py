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
_NUMBER = re.compile(r"[+-]?(?:\d{1,300}(?:\.\d*)?|\.\d+)")


def compare(argument: str) -> Observation:
    """Compares numbers by their values, other texts without capitals, articles, punctuation and commas in numbers."""
    plain = [_COMMAS.sub("", text).strip() for text in argument.split(";")]
    texts = [str(float(text)) if _NUMBER.fullmatch(text) else normalise(text) for text in plain]
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
    yield Check(RECORD.name, "2.5; 25", f"^{DIFFERENT}$")


GROUP = Group((RECORD,), open_calls, checks=checks)
