"""A dialog with a list of rows, of which a person picks one."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from studio.actions import action_table
from studio.terminal import untrusted_text
from studio.widgets.footer import Footer
from studio.widgets.lists.table import Cell, Column, Table


class PickRows:
    """The rows to pick from, each with its key."""

    def __init__(self, rows: Sequence[tuple[str, Sequence[Cell]]]):
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, index: int) -> Sequence[Cell]:
        return self._rows[index][1]

    def key(self, index: int) -> str:
        return self._rows[index][0]


class Pick(ModalScreen[str]):
    """Returns the key of the picked row, or an empty string when it was closed without a choice."""

    DEFAULT_CSS = """
    Pick { align: center middle; }
    Pick > Vertical { width: 90; max-width: 100%; height: 80%; background: $panel; color: $foreground; padding: 0 1; }
    Pick .title { text-style: bold; color: $primary; height: 1; }
    Pick Table { height: 1fr; }
    Pick #footer { height: 1; background: $panel; }
    """
    CONTEXTS: tuple[action_table.Context, ...] = ("pick",)
    BINDINGS = action_table.modal_bindings("pick")

    def __init__(self, title: str, columns: Sequence[Column], rows: Sequence[tuple[str, Sequence[Cell]]], chosen: str):
        """`chosen` is the key of the row under the cursor at first."""
        super().__init__()
        self._title, self._columns, self._rows, self._chosen = title, columns, PickRows(rows), chosen

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(untrusted_text.content(self._title), classes="title")
            yield Table(self._columns, self._rows)
            yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(Table)
        table.set_hint("There is nothing to choose.")
        table.reload(key=self._chosen)
        table.focus()

    def on_table_opened(self, message: Table.Opened) -> None:
        self.dismiss(message.key)

    def action_close(self) -> None:
        self.dismiss("")
