"""A table of named rows. A row gives its code by path, so that it is imported only when it is used."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Generic, Protocol, TypeVar

from autoact.errors import LOCAL, BadInput, NotInstalled


class NamedRow(Protocol):
    """A row of a table."""

    @property
    def name(self) -> str:
        """Its name in settings, commands and logs."""


RowT = TypeVar("RowT", bound=NamedRow)


class Registry(Generic[RowT]):
    """A table of rows by name, in the order in which they were added."""

    def __init__(self, noun: str, *rows: RowT):
        """Makes a table of these rows; `noun` names a row in error messages."""
        self._noun = noun
        self._rows: dict[str, RowT] = {}
        for row in rows:
            self.add(row)

    def add(self, row: RowT, *, after: str = "") -> None:
        """Adds a row at the end, or after the row of the name `after`.

        An equal row may be added again. Raises ValueError for another one of the same name.
        """
        if self._rows.setdefault(row.name, row) != row:
            raise ValueError(f"the {self._noun} `{row.name}` is defined twice")
        if after:
            names = [name for name in self._rows if name != row.name]
            names.insert(names.index(after) + 1, row.name)
            self._rows = {name: self._rows[name] for name in names}

    def get(self, name: str) -> RowT:
        """Returns the row of a name. Raises BadInput, with all names, when there is none."""
        if name not in self._rows:
            raise BadInput(f"no {self._noun} `{name}`; there is {', '.join(self._rows)}")
        return self._rows[name]

    def names(self) -> tuple[str, ...]:
        """Returns the names of all rows, in order."""
        return tuple(self._rows)

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __iter__(self) -> Iterator[RowT]:
        return iter(self._rows.values())


def load_object(path: str) -> Any:
    """Returns the object at `package.module:name`. Raises NotInstalled when that needs the extra `local`."""
    module, _, name = path.partition(":")
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name in LOCAL:
            raise NotInstalled(error.name) from error
        raise
