"""A table of any number of rows: it asks for those in sight and for no others."""

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
"""Rows kept as they were last drawn."""
INDENT = 3
"""Cells before and behind a hint."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. What is left of the width is shared by the columns without a width of their own."""

    head: str
    width: int = 0
    """Cells, one of them the gap to the next column; 0 for a share of what is left."""
    right: bool = False
    """Figures stand to the right."""
    least: int = 0
    """Cells that the table must have for this column to be shown."""


Cell = str | Content
"""A string is foreign text: one safe line is shown of it."""


class TableRows(Protocol):
    """Where the rows come from. Sorting and filtering are its business: call `renew` afterwards."""

    def __len__(self) -> int: ...

    def row(self, index: int) -> Sequence[Cell]:
        """A cell for each column. Asked for rows in sight only, and once while they stay there."""

    def key(self, index: int) -> str:
        """What the row is called, wherever it stands."""


class NoRows:
    """An empty table's."""

    def __len__(self) -> int:
        return 0

    def row(self, index: int) -> Sequence[Cell]:
        raise IndexError(index)

    def key(self, index: int) -> str:
        raise IndexError(index)


class Table(CursorList):
    """A head and the rows beneath it. The cursor keeps its place in the list, or its row with `renew(key=...)`."""

    COMPONENT_CLASSES = {"table--head", "table--cursor", "table--hint"}
    DEFAULT_CSS = """
    Table > .table--head { color: $quiet; background: $surface; }
    Table > .table--hint { color: $quiet; background: $background; }
    Table > .table--cursor { color: $foreground; background: $panel; text-style: bold; }
    Table:nocolor > .table--cursor { text-style: bold reverse; }
    """

    class Pointed(Message):
        """The cursor went to another row."""

        def __init__(self, table: Table, index: int):
            self.table = table
            self.index = index
            super().__init__()

        @property
        def control(self) -> Table:
            return self.table

    class Opened(Message):
        """Enter, or a click on the row under the cursor."""

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
        """What is said in place of rows while there are none; may be foreign text."""
        self._rows: TableRows = NoRows() if rows is None else rows
        self._strips: dict[int, Strip] = {}

    # -- what the pane calls ---------------------------------------------------------------------------------------

    def show(self, rows: TableRows) -> None:
        """Rows from elsewhere, the cursor on the first."""
        self._rows, self.cursor = rows, 0
        self.renew()

    def suggest(self, hint: str) -> None:
        """Say this while there are no rows."""
        if hint != self.hint:
            self.hint = hint
            if not len(self._rows):
                self.refresh()

    def renew(self, *, key: str | None = None) -> None:
        """Any row may be another now. With `key` the cursor goes with its row, and the view with the cursor."""
        self._strips.clear()
        count, in_sight = len(self._rows), self.top <= self.cursor < self.top + self.rows_in_sight
        if key is not None:
            near = range(max(0, self.cursor - self.page), min(count, self.cursor + self.page))
            places = chain(near, range(count))
            self.cursor = next((index for index in places if self._rows.key(index) == key), self.cursor)
        self.cursor = max(0, min(self.cursor, count - 1))
        self._go(self._reaching if in_sight else self.top)
        self.refresh()

    def grow(self) -> None:
        """There are more rows at the end; those before it are as they were."""
        if self.virtual_size.height - 1 != len(self._rows):
            top, old = self.top, self.virtual_size.height - 1
            self._go(top)
            self._redraw(old, len(self._rows))

    def change(self, index: int) -> None:
        """One row says something else now."""
        self._strips.pop(index, None)
        self._redraw(index, index + 1)

    @property
    def chosen(self) -> str | None:
        """The name of the row under the cursor."""
        return self._rows.key(self.cursor) if self.cursor < len(self._rows) else None

    def point(self, index: int) -> None:
        """The cursor goes to a row, and the row into sight."""
        if not len(self._rows):
            return
        before, self.cursor = self.cursor, max(0, min(index, len(self._rows) - 1))
        for row in {before, self.cursor}:
            self.change(row)
        if self._reaching != self.top:
            self._go(self._reaching)
        if before != self.cursor:
            self.post_message(self.Pointed(self, self.cursor))

    @property
    def rows_in_sight(self) -> int:
        """The head takes a line."""
        return max(1, self.page - 1)

    # -- moving ----------------------------------------------------------------------------------------------------

    def move(self, steps: int) -> None:
        self.point(self.cursor + steps)

    @property
    def copied(self) -> str:
        """The row's cells with tabs between them, as sheets take them."""
        cells = self._rows.row(self.cursor) if self.cursor < len(self._rows) else ()
        return "\t".join(
            cell.plain if isinstance(cell, Content) else untrusted_text.line(cell, 10_000) for cell in cells
        )

    def move_page(self, pages: int) -> None:
        self._go(self.top + pages * self.rows_in_sight)
        self.point(self.cursor + pages * self.rows_in_sight)

    def move_to_edge(self, *, last: bool) -> None:
        self.point(len(self._rows) - 1 if last else 0)

    def action_open_row(self) -> None:
        if self.chosen is not None:
            self.post_message(self.Opened(self, self.chosen))

    def on_click(self, event: Click) -> None:
        row = self.top + event.y - 1
        if event.y < 1 or row >= len(self._rows):
            return
        if row == self.cursor:
            self.action_open_row()
        self.point(row)

    def on_resize(self, event: Resize) -> None:
        self.renew()

    def on_mount(self) -> None:
        self.renew()

    @property
    def _reaching(self) -> int:
        """The first row in sight, or the nearest to it from which the cursor is in sight."""
        return max(self.cursor - self.rows_in_sight + 1, min(self.top, self.cursor))

    def _go(self, top: int) -> None:
        count = len(self._rows)
        self.put_lines(count + 1, max(0, min(top, count - self.rows_in_sight)))

    # -- drawing ---------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        if y == 0:
            heads = [Content(column.head) for column in self.columns]
            return self._strip(heads, "table--head")
        index = self.top + y - 1
        if index >= len(self._rows):
            return self._hinted(index) if not len(self._rows) else self.blank()
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
            _fitted(cell, cells_wide, right=column.right)
            for cell, column, cells_wide in zip(cells, self.columns, column_widths(self.columns, width), strict=True)
            if cells_wide
        ]
        style = self.get_visual_style(name) if name else self.visual_style
        line = Content(" ").join([Content(""), *pieces]).truncate(width, pad=True)
        return Visual.to_strips(self, line, width, 1, style)[0].adjust_cell_length(width, style.rich_style)

    def _hinted(self, index: int) -> Strip:
        """One line of the hint."""
        width = self.scrollable_content_region.width
        lines = wrap(untrusted_text.line(self.hint), width - 2 * INDENT)
        said = Content(" " * INDENT + lines[index] if index < len(lines) else "").truncate(width, pad=True)
        style = self.get_visual_style("table--hint")
        return Visual.to_strips(self, said, width, 1, style)[0].adjust_cell_length(width, style.rich_style)

    def _redraw(self, first: int, last: int) -> None:
        top = max(first - self.top, 0) + 1
        bottom = min(last - self.top + 1, self.page)
        if bottom > top:
            self.refresh(Region(0, top, self.size.width, bottom - top))


def column_widths(columns: Sequence[Column], width: int) -> list[int]:
    """The cells of each column, its gap included; 0 for one that is not shown."""
    shown = [column.least <= width for column in columns]
    left = width - 1 - sum(column.width for column, seen in zip(columns, shown, strict=True) if seen)
    free = sum(1 for column, seen in zip(columns, shown, strict=True) if seen and not column.width)
    share = max(4, left // max(1, free))
    return [(column.width or share) if seen else 0 for column, seen in zip(columns, shown, strict=True)]


def _fitted(cell: Cell, cells: int, *, right: bool) -> Content:
    """Exactly the column's width without its gap."""
    content = cell if isinstance(cell, Content) else untrusted_text.content(cell)
    room = max(1, cells - 1)
    if right and content.cell_length < room:
        return content.pad_left(room - content.cell_length)
    return content.truncate(room, ellipsis=True, pad=True)
