"""Lines that a cursor moves through: what the transcript and the table have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import ceil

from textual.filter import LineFilter
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.widget import Widget

from studio.actions import action_table
from studio.terminal.clipboard import Copied
from studio.terminal.glyphs import Glyphs, app_glyphs
from studio.terminal.theme import without_terminal_colours

PARTS = 8
"""Of a cell, in which the ends of a scroll bar's thumb are drawn."""


class CursorList(ScrollView, can_focus=True):
    """Keys move the cursor, never a smooth scroll: a page costs as much as a line."""

    DEFAULT_CSS = """
    CursorList {
        background: $background; color: $foreground;
        overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1;
    }
    """
    CONTEXTS: tuple[action_table.Context, ...] = ("list",)
    BINDINGS = action_table.bindings("list")
    _thumb = (0, 0)
    """Of the scroll bar, as it was last drawn."""

    @property
    def glyphs(self) -> Glyphs:
        return app_glyphs(self.app)

    @property
    def page(self) -> int:
        """Lines that are in sight."""
        return max(1, self.scrollable_content_region.height)

    @property
    def top(self) -> int:
        """The first line in sight."""
        return round(self.scroll_offset.y)

    @abstractmethod
    def move(self, steps: int) -> None:
        """The cursor goes up or down so many entries, as far as there are any."""

    @abstractmethod
    def move_page(self, pages: int) -> None:
        """The cursor goes up or down so many pages."""

    @abstractmethod
    def move_to_edge(self, *, last: bool) -> None:
        """The cursor goes to the first or to the last entry."""

    @property
    @abstractmethod
    def copied(self) -> str:
        """What is under the cursor, as it is put on a clipboard; empty where there is nothing."""

    def action_copy(self) -> None:
        self.post_message(Copied(self.copied))

    def action_cursor_down(self) -> None:
        self.move(1)

    def action_cursor_up(self) -> None:
        self.move(-1)

    def action_first(self) -> None:
        self.move_to_edge(last=False)

    def action_last(self) -> None:
        self.move_to_edge(last=True)

    # The names under which Textual binds the arrow keys and their like.

    def action_scroll_down(self) -> None:
        self.move(1)

    def action_scroll_up(self) -> None:
        self.move(-1)

    def action_page_down(self) -> None:
        self.move_page(1)

    def action_page_up(self) -> None:
        self.move_page(-1)

    def action_scroll_home(self) -> None:
        self.move_to_edge(last=False)

    def action_scroll_end(self) -> None:
        self.move_to_edge(last=True)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return without_terminal_colours(super().get_line_filters())

    def put_lines(self, count: int, top: int) -> None:
        """There are so many lines now, and this is the first in sight. No layout: the bar is always there."""
        size = Size(self.scrollable_content_region.width, count)
        if size != self.virtual_size:
            self.set_reactive(Widget.virtual_size, size)
        self.scroll_to(y=top, animate=False, force=True)
        self._tell_bar()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        self._tell_bar()
        if round(old_value) != round(new_value):
            self.refresh(self.size.region)

    def _tell_bar(self) -> None:
        """Have the scroll bar know where things are, and be drawn again only if its thumb looks different.

        Textual draws it whatever moves, which was a third of the work of turning a page.
        """
        bar, count, page = self.vertical_scrollbar, self.virtual_size.height, self.page
        bar.set_reactive(ScrollBar.window_virtual_size, count)
        bar.set_reactive(ScrollBar.window_size, page)
        bar.set_reactive(ScrollBar.position, self.scroll_y)
        before, self._thumb = self._thumb, thumb(count, page, self.scroll_y)
        if before != self._thumb:
            top, bottom = (edge(at // PARTS for at in (*before, *self._thumb)) for edge in (min, max))
            bar.refresh(Region(0, top, bar.size.width, bottom - top + 1))

    def blank(self) -> Strip:
        return Strip.blank(self.scrollable_content_region.width, self.rich_style)


def thumb(count: int, page: int, top: float) -> tuple[int, int]:
    """Where a scroll bar's thumb begins and ends, in parts of cells, when so many of `count` lines are in sight."""
    if count <= page:
        return 0, page * PARTS
    length = max(1.0, page * page / count)
    begin = int((page - length) * top / (count - page) * PARTS)
    return begin, begin + ceil(length * PARTS)
