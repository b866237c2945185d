"""The methods that may answer a person's next question, alone or beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from autoact.registry.methods import METHODS
from studio.widgets.lists.table import Column
from studio.widgets.status import short_name

METHOD_COLUMNS = (Column("who", 28), Column("how it answers"))


def methods_title(names: Sequence[str]) -> str:
    """Returns a few words on the methods that answer one question."""
    return METHODS.get(names[0]).title if len(names) == 1 else f"{len(names)} methods beside each other"


def next_words(names: Sequence[str], run: str) -> str:
    """Returns the methods that answer the next question, those of trained adapters with the run that has these."""
    of = f" of {short_name(run)}" if run else ""
    return " + ".join(f"{name}{of}" if METHODS.get(name).needs_adapters else name for name in names)


def method_choices() -> tuple[tuple[str, ...], ...]:
    """Returns what may answer the next question: each usual method, all of these side by side, then each other method,
    those of earlier work also beside the group.

    Those of trained adapters come first. A method that sees the gold answer cannot answer a person's question.
    """
    ordered = [method for method in sorted(METHODS, key=lambda one: not one.trained) if not method.gold]
    usual = tuple(method.name for method in ordered if not (method.several or method.earlier))
    others = [method.name for method in ordered if method.name not in usual and not method.earlier]
    earlier = [method.name for method in ordered if method.earlier]
    return (
        *((name,) for name in usual), usual, *((name,) for name in (*others, *earlier)),
        *(("group", name) for name in earlier),
    )  # fmt: skip
