"""A table of any number of rows; it asks only for the rows in sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from textual.content import Content
from textual.events import Click, Resize
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.visual import Visual

from studio.actions import action_table
from studio.terminal import untrusted_text
from studio.terminal.wrap import wrap
from studio.widgets.lists.cursor_list import CursorList

REMEMBERED = 2_048
"""Drawn rows that are cached."""
BROAD = 100
"""Cells from which a table has room for broad columns."""
INDENT = 3
"""Cells left and right of the hint."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Columns without a width share the remaining width."""

    head: str
    width: int = 0
    """Cells, including one for the gap to the next column; 0 for a share of the remaining width."""
    right: bool = False
    """Whether cells are aligned to the right, as for numbers."""
    least: int = 0
    """Least width of the table, in cells, at which the column is shown."""
    broad: int = 0
    """Width in tables of at least BROAD cells, where it is another."""


Cell = str | Content
"""A string is untrusted text, shown as one safe line."""


class TableRows(Protocol):
    """The rows of a table. Whoever sorts or filters them calls `reload` of the table afterwards."""

    def __len__(self) -> int: ...

    def row(self, index: int) -> Sequence[Cell]:
        """Returns a cell for each column. Called for rows in sight only; the result is cached until `reload`."""

    def key(self, index: int) -> str:
        """Returns the row's key, which does not depend on its position."""


class NoRows:
    """The rows of an empty table."""

    def __len__(self) -> int:
        return 0

    def row(self, index: int) -> Sequence[Cell]:
        raise IndexError(index)

    def key(self, index: int) -> str:
        raise IndexError(index)


class Table(CursorList):
    """A head and the rows beneath it. The cursor keeps its position, or with `reload(key=...)` its row."""

    COMPONENT_CLASSES = {"table--head", "table--cursor", "table--hint"}
    DEFAULT_CSS = """
    Table > .table--head { color: $quiet; background: $surface; }
    Table > .table--hint { color: $quiet; background: $background; }
    Table > .table--cursor { color: $foreground; background: $panel; text-style: bold; }
    Table:nocolor > .table--cursor { text-style: bold reverse; }
    """

    class CursorMoved(Message):
        """Posted when the cursor has moved to another row."""

        def __init__(self, table: Table, index: int):
            self.table = table
            self.index = index
            super().__init__()

        @property
        def control(self) -> Table:
            return self.table

    class Opened(Message):
        """Posted for enter, or for a click on the row under the cursor."""

        def __init__(self, table: Table, key: str):
            self.table = table
            self.key = key
            super().__init__()

        @property
        def control(self) -> Table:
            return self.table

    CONTEXTS: tuple[action_table.Context, ...] = ("table", "list")
    BINDINGS = action_table.bindings("table")

    def __init__(self, columns: Sequence[Column], rows: TableRows | None = None, *, id: str | None = None):
        super().__init__(id=id)
        self.columns = columns
        self.cursor = 0
        self.hint = ""
        """Text shown while there are no rows; it may be untrusted."""
        self._rows: TableRows = NoRows() if rows is None else rows
        self._strips: dict[int, Strip] = {}
        self._awaited = ""
        """The key of the row to which the cursor goes as soon as there is one."""

    def show(self, rows: TableRows) -> None:
        """Replaces the rows and moves the cursor to the first."""
        self._rows, self.cursor = rows, 0
        self.reload()

    def set_hint(self, hint: str) -> None:
        """Sets the text shown while there are no rows; it may be untrusted."""
        if hint != self.hint:
            self.hint = hint
            if not len(self._rows):
                self.refresh()

    def reload(self, *, key: str | None = None) -> None:
        """Draws all rows anew. With `key` the cursor moves to that row, and the view with it if it was in sight."""
        self._strips.clear()
        key = self._awaited or key
        before = self.cursor
        count, in_sight = len(self._rows), self.top <= self.cursor < self.top + self.rows_in_sight
        if key is not None:
            near = range(max(0, self.cursor - self.page), min(count, self.cursor + self.page))
            indices = chain(near, range(count))
            self.cursor = next((index for index in indices if self._rows.key(index) == key), self.cursor)
        self.cursor = max(0, min(self.cursor, count - 1))
        self._scroll(self._top_for_cursor if in_sight or self._awaited else self.top)
        self.refresh()
        if self._awaited and self.chosen == self._awaited:
            self._awaited = ""
            if self.cursor != before:
                self.post_message(self.CursorMoved(self, self.cursor))

    def restore(self, key: str) -> None:
        """Moves the cursor to a row as soon as there is one with this key, unless it is moved before."""
        self._awaited = key
        self.reload()

    def grow(self) -> None:
        """Draws rows that were added at the end; the others are unchanged."""
        if self.virtual_size.height - 1 != len(self._rows):
            top, old = self.top, self.virtual_size.height - 1
            self._scroll(top)
            self._redraw(old, len(self._rows))

    def change(self, index: int) -> None:
        """Draws one row anew."""
        self._strips.pop(index, None)
        self._redraw(index, index + 1)

    @property
    def chosen(self) -> str | None:
        """The key of the row under the cursor; None when there are no rows."""
        return self._rows.key(self.cursor) if self.cursor < len(self._rows) else None

    def move_to(self, index: int) -> None:
        """Moves the cursor to a row, and scrolls the row into sight."""
        if not len(self._rows):
            return
        self._awaited = ""
        before, self.cursor = self.cursor, max(0, min(index, len(self._rows) - 1))
        for row in {before, self.cursor}:
            self.change(row)
        if self._top_for_cursor != self.top:
            self._scroll(self._top_for_cursor)
        if before != self.cursor:
            self.post_message(self.CursorMoved(self, self.cursor))

    @property
    def rows_in_sight(self) -> int:
        """Number of rows in sight: a line less than the page, for the head."""
        return max(1, self.page - 1)

    # -- moving ----------------------------------------------------------------------------------------------------

    def move(self, steps: int) -> None:
        self.move_to(self.cursor + steps)

    @property
    def clipboard_text(self) -> str:
        """The cells of the row under the cursor, separated by tabs, for spreadsheets."""
        return self.row_text(self.cursor) if self.cursor < len(self._rows) else ""

    def row_text(self, index: int) -> str:
        """Returns the cells of a row, separated by tabs."""
        cells = self._rows.row(index)
        return "\t".join(
            cell.plain if isinstance(cell, Content) else untrusted_text.line(cell, 10_000) for cell in cells
        )

    def move_page(self, pages: int) -> None:
        self._scroll(self.top + pages * self.rows_in_sight)
        self.move_to(self.cursor + pages * self.rows_in_sight)

    def move_to_edge(self, *, last: bool) -> None:
        self.move_to(len(self._rows) - 1 if last else 0)

    def action_open_row(self) -> None:
        if self.chosen is not None:
            self.post_message(self.Opened(self, self.chosen))

    def on_click(self, event: Click) -> None:
        row = self.top + event.y - 1
        if event.y < 1 or row >= len(self._rows):
            return
        if self.text_selection is not None:  # the end of a selection
            return
        if row == self.cursor:
            self.action_open_row()
        self.move_to(row)

    def on_resize(self, event: Resize) -> None:
        self.reload()

    def on_mount(self) -> None:
        self.reload()

    @property
    def _top_for_cursor(self) -> int:
        """The first row to show so that the cursor is in sight, as near to the current one as possible."""
        return max(self.cursor - self.rows_in_sight + 1, min(self.top, self.cursor))

    def _scroll(self, top: int) -> None:
        count = len(self._rows)
        self.set_view(count + 1, max(0, min(top, count - self.rows_in_sight)))

    # -- drawing ---------------------------------------------------------------------------------------------------

    @property
    def margin(self) -> tuple[int, int]:
        return 1, 0

    def draw_line(self, y: int) -> Strip:
        if y == 0:
            heads = [Content(column.head) for column in self.columns]
            return self._strip(heads, "table--head")
        index = self.top + y - 1
        if index >= len(self._rows):
            return self._hint_strip(index) if not len(self._rows) else self.blank()
        strip = self._strips.get(index)
        if strip is None:
            if len(self._strips) >= REMEMBERED:
                self._strips.clear()
            name = "table--cursor" if index == self.cursor else ""
            strip = self._strips[index] = self._strip(self._rows.row(index), name)
        return strip

    def notify_style_update(self) -> None:
        self._strips.clear()
        super().notify_style_update()

    def _strip(self, cells: Sequence[Cell], name: str) -> Strip:
        width = self.scrollable_content_region.width
        pieces = [
            _fit(cell, cells_wide, right=column.right)
            for cell, column, cells_wide in zip(cells, self.columns, column_widths(self.columns, width), strict=True)
            if cells_wide
        ]
        style = self.get_visual_style(name) if name else self.visual_style
        line = Content(" ").join([Content(""), *pieces]).truncate(width, pad=True)
        return Visual.to_strips(self, line, width, 1, style)[0].adjust_cell_length(width, style.rich_style)

    def _hint_strip(self, index: int) -> Strip:
        """Returns one line of the hint."""
        width = self.scrollable_content_region.width
        lines = wrap(untrusted_text.line(self.hint), width - 2 * INDENT)
        text = Content(" " * INDENT + lines[index] if index < len(lines) else "").truncate(width, pad=True)
        style = self.get_visual_style("table--hint")
        return Visual.to_strips(self, text, width, 1, style)[0].adjust_cell_length(width, style.rich_style)

    def _redraw(self, first: int, last: int) -> None:
        top = max(first - self.top, 0) + 1
        bottom = min(last - self.top + 1, self.page)
        if bottom > top:
            self.refresh(Region(0, top, self.size.width, bottom - top))


def column_widths(columns: Sequence[Column], width: int) -> list[int]:
    """Returns the width of each column in cells, its gap included; 0 for one that is not shown."""
    shown = [column.least <= width for column in columns]
    wanted = [(width >= BROAD and column.broad) or column.width for column in columns]
    left = width - 1 - sum(cells for cells, seen in zip(wanted, shown, strict=True) if seen)
    free = sum(1 for cells, seen in zip(wanted, shown, strict=True) if seen and not cells)
    share = max(4, left // max(1, free))
    return [(cells or share) if seen else 0 for cells, seen in zip(wanted, shown, strict=True)]


def _fit(cell: Cell, cells: int, *, right: bool) -> Content:
    """Returns the cell cut or padded to the column's width without its gap."""
    content = cell if isinstance(cell, Content) else untrusted_text.content(cell)
    width = max(1, cells - 1)
    if right and content.cell_length < width:
        return content.pad_left(width - content.cell_length)
    return content.truncate(width, ellipsis=True, pad=True)
