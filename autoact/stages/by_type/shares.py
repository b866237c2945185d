"""The number of questions of each type that a project wants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from autoact.metrics import normalise
from autoact.project.config import QuestionShares
from autoact.trajectory import Example, Question

TYPES = ("one-hop", "two-hop", "comparison", "yes-no")
_SAME_TYPE = {"bridge": "two-hop"}
"""Names that data sets have for the types."""


def count_wanted(target: int, shares: QuestionShares, examples: Iterable[Example]) -> dict[str, int]:
    """Returns the number of questions of each type, `target` in all, in these shares or in those of the examples.

    If all shares are 0, the share of a type is 1 plus its number of examples, so that no type is left out.
    """
    fixed = {name.replace("_", "-"): share for name, share in msgspec.structs.asdict(shares).items()}
    counts = Counter(find_type(example.question) for example in examples)
    parts = fixed if any(fixed.values()) else {kind: 1.0 + counts[kind] for kind in TYPES}
    exact = {kind: target * parts[kind] / sum(parts.values()) for kind in TYPES}
    wanted = {kind: int(number) for kind, number in exact.items()}
    for kind in sorted(TYPES, key=lambda one: wanted[one] - exact[one])[: target - sum(wanted.values())]:
        wanted[kind] += 1
    return wanted


def find_type(question: Question) -> str:
    """Returns the type of a question: as its data set has it, else from its answer, its words and its pages."""
    answer, named = normalise(question.answer or ""), _SAME_TYPE.get(question.type, question.type)
    if answer in ("yes", "no"):
        return "yes-no"
    if named in TYPES:
        return named
    if " or " in question.text and f" {answer} " in f" {normalise(question.text)} ":
        return "comparison"
    return "two-hop" if len(question.gold) > 1 else "one-hop"
