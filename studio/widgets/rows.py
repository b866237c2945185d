"""Lines of content, drawn one by one: the only kind of widget that live data reaches the screen through."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.events import Resize
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from studio.follow import Follow
from studio.glyphs import Glyphs, of_app


class Rows(ScrollView, can_focus=False):
    """Shows what `rows` makes of the followed run. Repaints changed lines only."""

    def __init__(self, *, id: str):
        super().__init__(id=id)
        self._follow: Follow | None = None
        self._shown: list[Content] = []

    @property
    def glyphs(self) -> Glyphs:
        return of_app(self.app)

    def rows(self, follow: Follow, width: int, height: int) -> Sequence[Content]:
        """The lines for so many cells; more than `height` of them can be scrolled to."""
        raise NotImplementedError

    def tell(self, follow: Follow) -> None:
        """Something moved."""
        self._follow = follow
        width, height = self.scrollable_content_region.size
        if width > 0:
            self._put(list(self.rows(follow, width, height)))

    def on_resize(self, event: Resize) -> None:
        self._shown = []
        if self._follow is not None:
            self.tell(self._follow)

    def render_line(self, y: int) -> Strip:
        index, width = y + round(self.scroll_offset.y), self.scrollable_content_region.width
        if index >= len(self._shown):
            return Strip.blank(width, self.rich_style)
        content = self._shown[index].truncate(width, ellipsis=True, pad=True)
        strips = Visual.to_strips(self, content, width, 1, self.visual_style)
        return strips[0].adjust_cell_length(width, self.rich_style)

    def _put(self, rows: list[Content]) -> None:
        before, self._shown = self._shown, rows
        if len(rows) != len(before):
            self.virtual_size = Size(self.scrollable_content_region.width, len(rows))
            self.refresh()
            return
        top = round(self.scroll_offset.y)
        changed = [index for index, (new, old) in enumerate(zip(rows, before, strict=True)) if not same(new, old)]
        if changed:
            self.refresh(*(Region(0, index - top, self.size.width, 1) for index in changed))


def same(one: Content, other: Content) -> bool:
    """Whether two lines look alike; Content's own comparison leaves the colours out."""
    return one.plain == other.plain and list(one.spans) == list(other.spans)


def padded(content: Content, width: int) -> Content:
    """Exactly `width` cells of it."""
    return content.truncate(width, ellipsis=True, pad=True)
