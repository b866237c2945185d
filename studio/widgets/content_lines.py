"""Lines of content, drawn one by one: the only kind of widget that live data reaches the screen through."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.events import Resize
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from studio.runs.follow import Follow
from studio.terminal.glyphs import Glyphs, app_glyphs


class ContentLines(ScrollView, can_focus=False):
    """Shows what `rows` makes of the followed run, as soon as it has a size. Repaints changed lines only."""

    def __init__(self, follow: Follow | None = None, *, id: str):
        super().__init__(id=id)
        self._follow = follow
        self._shown: list[Content] = []
        self._room = Size(0, 0)
        """What the shown lines were made for."""
        self._blank: Strip | None = None

    @property
    def glyphs(self) -> Glyphs:
        return app_glyphs(self.app)

    def rows(self, follow: Follow, width: int, height: int) -> Sequence[Content]:
        """The lines for so many cells; more than `height` of them can be scrolled to."""
        raise NotImplementedError

    def update(self, follow: Follow) -> None:
        """Something moved."""
        self._follow = follow
        room = self.scrollable_content_region.size
        if not room:
            self._room = room  # out of sight: the lines are made, and drawn, when there is room again
            self.refresh()
            return
        before, after = self._shown, list(self.rows(follow, *room))
        self._shown, self._room = after, room
        self._reach(room)
        if len(after) != len(before):
            self.refresh()
            return
        top = round(self.scroll_offset.y)
        changed = [
            index for index, (new, old) in enumerate(zip(after, before, strict=True)) if not equal_content(new, old)
        ]
        if changed:
            self.refresh(*(Region(0, index - top, self.size.width, 1) for index in changed))

    def on_resize(self, event: Resize) -> None:
        room = self.scrollable_content_region.size
        self._lines(room)
        self._reach(room)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._blank = None

    def render_line(self, y: int) -> Strip:
        room = self.scrollable_content_region.size
        index, lines = y + round(self.scroll_offset.y), self._lines(room)
        if index >= len(lines):
            if self._blank is None or self._blank.cell_length != room.width:
                self._blank = Strip.blank(room.width, self.rich_style)
            return self._blank
        content = lines[index].truncate(room.width, ellipsis=True, pad=True)
        return Visual.to_strips(self, content, room.width, 1, self.visual_style, pad=True)[0]

    def _lines(self, room: Size) -> list[Content]:
        """Made anew where there is other room: on the way to the screen, so that its first picture has them."""
        if room != self._room and self._follow is not None:
            self._room, self._shown = room, list(self.rows(self._follow, *room))
        return self._shown

    def _reach(self, room: Size) -> None:
        """How far one can scroll. Telling lays the screen out anew, hence only where there is more than fits."""
        height = len(self._shown) if len(self._shown) > room.height else 0
        if self.virtual_size.height != height:
            self.virtual_size = Size(room.width, height)


def equal_content(one: Content, other: Content) -> bool:
    """Whether two lines look alike; Content's own comparison leaves the colours out."""
    return one.plain == other.plain and list(one.spans) == list(other.spans)


def pad(content: Content, width: int) -> Content:
    """Exactly `width` cells of it."""
    return content.truncate(width, ellipsis=True, pad=True)
