"""A person's own keys, read from keys.toml: a section for each context, in it a line `action = "key"`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from autoact.errors import BadInput
from autoact.files import toml_text
from studio.actions.action_table import ACTIONS, Action, textual_key

REMOVED = {"run.start", "run.newer", "run.older", "run.back", "runs.watch", "runs.resume"}
"""Ids of actions of earlier versions, which a keys.toml may still name."""


def read(file: Path) -> tuple[Action, ...]:
    """Returns the table of actions with the person's keys; the usual table when there is no file. Raises BadInput."""
    if not file.is_file():
        return ACTIONS
    try:
        sections = toml_text.parse(file.read_text("utf-8"))
    except (toml_text.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadInput(f"not usable as a keymap: {error}", file=file) from error
    keys = {f"{context}.{name}": key for context, rows in sections.items() for name, key in _rows(rows, context, file)}
    for unknown in keys.keys() - {action.id for action in ACTIONS} - REMOVED:
        raise BadInput("no such action; `?` in the studio lists them all", file=file, key=unknown)
    table = tuple(replace(action, key=keys.get(action.id, action.key)) for action in ACTIONS)
    _check(table, file)
    return table


def overrides(table: Sequence[Action]) -> dict[str, str]:
    """Returns the changed keys by action id, in the form of Textual's keymap."""
    usual = {action.id: action.key for action in ACTIONS}
    return {action.id: textual_key(action.key) for action in table if action.key != usual[action.id]}


def _rows(rows: object, context: str, file: Path) -> list[tuple[str, str]]:
    if not isinstance(rows, Mapping) or not all(isinstance(key, str) and key for key in rows.values()):
        raise BadInput('expected a section with lines like add = "a"', file=file, key=context)
    for name, key in rows.items():
        if len(key) == 1 and not key.isprintable():
            raise BadInput("expected the name of a key, such as tab", file=file, key=f"{context}.{name}")
    return list(rows.items())


def _check(table: Sequence[Action], file: Path) -> None:
    """Raises BadInput if a key has two actions in one context; keys of `everywhere` count in each context."""
    for context in {action.context for action in table}:
        counts = Counter(textual_key(action.key) for action in table if action.context in (context, "everywhere"))
        for key, count in counts.items():
            if count > 1:
                raise BadInput("one key for two actions", file=file, key=f"{context}: {key}")
