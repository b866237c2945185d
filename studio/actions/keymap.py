"""A person's own keys, from keys.toml in their folder: for each place, actions and the keys they want for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from autoact.errors import BadInput
from autoact.files import toml_text
from studio.actions.action_table import ACTIONS, Action, named


def read(file: Path) -> tuple[Action, ...]:
    """The table of actions with the person's keys in it; the usual one when there is no file. Raises BadInput."""
    if not file.is_file():
        return ACTIONS
    try:
        wanted = toml_text.parse(file.read_text("utf-8"))
    except (toml_text.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"not usable as a keymap: {error}", file=file) from error
    chosen = {f"{place}.{name}": key for place, rows in wanted.items() for name, key in _rows(rows, place, file)}
    for unknown in chosen.keys() - {action.id for action in ACTIONS}:
        raise BadInput("no such action; `?` in the studio tells what there is", file=file, key=unknown)
    table = tuple(replace(action, key=chosen.get(action.id, action.key)) for action in ACTIONS)
    _check(table, file)
    return table


def overrides(table: Sequence[Action]) -> dict[str, str]:
    """What is not as usual, as Textual takes it."""
    usual = {action.id: action.key for action in ACTIONS}
    return {action.id: named(action.key) for action in table if action.key != usual[action.id]}


def _rows(rows: object, place: str, file: Path) -> list[tuple[str, str]]:
    if not isinstance(rows, Mapping) or not all(isinstance(key, str) and key for key in rows.values()):
        raise BadInput('expected a section a place, with lines like start = "r"', file=file, key=place)
    return list(rows.items())


def _check(table: Sequence[Action], file: Path) -> None:
    """One key, one action in a place; what works everywhere counts in each."""
    for place in {action.place for action in table}:
        counted = Counter(named(action.key) for action in table if action.place in (place, "everywhere"))
        for key, times in counted.items():
            if times > 1:
                raise BadInput("one key for two actions", file=file, key=f"{place}: {key}")
