"""Lines that a cursor moves through: what the transcript and the table have in common."""

from __future__ import annotations

from abc import abstractmethod

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from studio import keys
from studio.clipboard import Copied
from studio.glyphs import Glyphs, of_app


class Listed(ScrollView, can_focus=True):
    """Keys move the cursor, never a smooth scroll: a page costs as much as a line."""

    DEFAULT_CSS = """
    Listed {
        background: $background; color: $foreground;
        overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1;
    }
    """
    PLACES: tuple[keys.Place, ...] = ("list",)
    BINDINGS = keys.bindings("list")

    @property
    def glyphs(self) -> Glyphs:
        return of_app(self.app)

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

    def put_lines(self, count: int, top: int) -> None:
        """There are so many lines now, and this is the first in sight. No layout: the bar is always there."""
        size = Size(self.scrollable_content_region.width, count)
        if size != self.virtual_size:
            self.set_reactive(Widget.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = count
            self.vertical_scrollbar.window_size = self.page
        self.scroll_to(y=top, animate=False, force=True)

    def blank(self) -> Strip:
        return Strip.blank(self.scrollable_content_region.width, self.rich_style)
