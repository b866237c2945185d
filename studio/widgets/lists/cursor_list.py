"""The base class of table and transcript: a cursor, its keys, and a scroll bar that is cheap to draw."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import ceil

from rich.cells import cell_len
from rich.segment import Segment
from textual.filter import LineFilter
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from studio.actions import action_table
from studio.terminal.clipboard import Copied
from studio.terminal.glyphs import Glyphs, app_glyphs
from studio.terminal.theme import without_terminal_colours

MOST_SELECTED = 5_000
"""Lines that are copied of a selection."""
PARTS = 8
"""Steps per cell in which the ends of a scroll bar's thumb are drawn."""


class CursorList(ScrollView, can_focus=True):
    """Keys move the cursor without animation, so that a page costs as much as a line."""

    DEFAULT_CSS = """
    CursorList {
        background: $background; color: $foreground;
        overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1;
    }
    """
    CONTEXTS: tuple[action_table.Context, ...] = ("list",)
    BINDINGS = action_table.bindings("list")
    _thumb = (0, 0)
    """Begin and end of the scroll bar's thumb as last drawn, in parts of cells."""

    @property
    def glyphs(self) -> Glyphs:
        return app_glyphs(self.app)

    @property
    def page(self) -> int:
        """Number of lines in sight."""
        return max(1, self.scrollable_content_region.height)

    @property
    def top(self) -> int:
        """Number of the first line in sight, from 0."""
        return round(self.scroll_offset.y)

    @abstractmethod
    def move(self, steps: int) -> None:
        """Moves the cursor by `steps` entries, negative for up; stops at the ends."""

    @abstractmethod
    def move_page(self, pages: int) -> None:
        """Moves the cursor and the view by `pages` pages, negative for up."""

    @abstractmethod
    def move_to_edge(self, *, last: bool) -> None:
        """Moves the cursor to the first or to the last entry."""

    @abstractmethod
    def draw_line(self, y: int) -> Strip:
        """Returns the line at row `y` of the view; rows above and below the view are negative and beyond the page."""

    @property
    def margin(self) -> tuple[int, int]:
        """The lines at the top of the view and the cells at the left that the mouse does not select."""
        return 0, 0

    @property
    @abstractmethod
    def clipboard_text(self) -> str:
        """The entry under the cursor as text for the clipboard; empty when there is none."""

    def action_copy(self) -> None:
        self.post_message(Copied(self.clipboard_text))

    def action_cursor_down(self) -> None:
        self.move(1)

    def action_cursor_up(self) -> None:
        self.move(-1)

    def action_first(self) -> None:
        self.move_to_edge(last=False)

    def action_last(self) -> None:
        self.move_to_edge(last=True)

    # Actions that Textual's own bindings of the arrow and page keys name.

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

    # -- selection with the mouse ----------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Returns a line with the positions that the mouse selects by, and with the selected part marked."""
        strip = self.draw_line(y)
        if y < self.margin[0]:
            return strip
        line, selection = self.top + y, self.text_selection
        if selection is not None and (span := selection.get_span(line)) is not None:
            strip = self._mark_selected(strip, *span)
        return strip.apply_offsets(0, line)

    def _mark_selected(self, strip: Strip, start: int, end: int) -> Strip:
        """Returns a line with a part in the colours of a selection; `start` and `end` count letters, -1 for all."""
        text, left = strip.text, self.margin[1]
        first = max(left, cell_len(text[:start]))
        last = max(first, cell_len(text[: len(text) if end < 0 else end]))
        before, part, after = strip.divide([first, last, max(last, strip.cell_length)])
        style = self.screen.get_component_rich_style("screen--selection")
        marked = Strip(Segment.apply_style(part, post_style=style), part.cell_length)
        return Strip.join([before, marked, after])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Returns the selected text, without what is left of the margin and spaces at the end of a line."""
        first = selection.start.y if selection.start else self.top + self.margin[0]
        last = selection.end.y if selection.end else self.top + self.page - 1
        lines = []
        for line in range(first, min(last, first + MOST_SELECTED) + 1):
            text, span = self.draw_line(line - self.top).text, selection.get_span(line)
            start, end = span or (0, -1)
            lines.append(text[max(start, self.margin[1]) : len(text) if end < 0 else end].rstrip())
        return "\n".join(lines), "\n"

    def get_line_filters(self) -> Sequence[LineFilter]:
        return without_terminal_colours(super().get_line_filters())

    def set_view(self, count: int, top: int) -> None:
        """Sets the number of lines and the first one in sight. The scroll bar is always there, so no new layout."""
        size = Size(self.scrollable_content_region.width, count)
        if size != self.virtual_size:
            self.set_reactive(Widget.virtual_size, size)
        self.scroll_to(y=top, animate=False, force=True)
        self._update_bar()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        self._update_bar()
        if round(old_value) != round(new_value):
            self.refresh(self.size.region)

    def _update_bar(self) -> None:
        """Sets the scroll bar's values, and redraws it only if its thumb looks different.

        Textual redraws it at every change, which took a third of the time of turning a page.
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
    """Returns begin and end of a scroll bar's thumb, in parts of cells, for `page` of `count` lines in sight."""
    if count <= page:
        return 0, page * PARTS
    length = max(1.0, page * page / count)
    begin = int((page - length) * top / (count - page) * PARTS)
    return begin, begin + ceil(length * PARTS)
