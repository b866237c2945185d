"""A widget of a few lines of content about the followed run, and functions on single lines."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.events import Resize
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from studio.runs.follow import Follow
from studio.terminal.glyphs import Glyphs, app_glyphs


class ContentLines(Widget):
    """Shows the lines that `rows` returns for the followed run, and repaints only those that changed."""

    def __init__(self, follow: Follow | None = None, *, id: str):
        super().__init__(id=id)
        self._follow = follow
        self._shown: list[Content] = []
        self._shown_size = Size(0, 0)
        """The size for which the shown lines were made."""

    @property
    def glyphs(self) -> Glyphs:
        return app_glyphs(self.app)

    def rows(self, follow: Follow, width: int, height: int) -> Sequence[Content]:
        """Returns the lines for `width` times `height` cells."""
        raise NotImplementedError

    def refresh_lines(self, follow: Follow) -> None:
        """Draws the lines that differ from those on the screen."""
        self._follow = follow
        if not self.size:
            self._shown_size = self.size  # out of sight: the lines are made when there is a size again
            self.refresh()
            return
        before, after = self._shown, list(self.rows(follow, *self.size))
        self._shown, self._shown_size = after, self.size
        if len(after) != len(before):
            self.refresh()
            return
        changed = [y for y, (new, old) in enumerate(zip(after, before, strict=True)) if not equal_content(new, old)]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def on_resize(self, event: Resize) -> None:
        self._lines()

    def render_line(self, y: int) -> Strip:
        lines, width = self._lines(), self.size.width
        if y >= len(lines):
            return Strip.blank(width, self.rich_style)
        content = lines[y].truncate(width, ellipsis=True, pad=True)
        return Visual.to_strips(self, content, width, 1, self.visual_style, pad=True)[0]

    def _lines(self) -> list[Content]:
        """Returns the lines for the current size, made here if need be, so that the first picture has them."""
        if self.size != self._shown_size and self._follow is not None:
            self._shown_size, self._shown = self.size, list(self.rows(self._follow, *self.size))
        return self._shown


def equal_content(one: Content, other: Content) -> bool:
    """Returns whether two lines look alike. Content's own comparison ignores colours."""
    return one.plain == other.plain and list(one.spans) == list(other.spans)


def pad(content: Content, width: int) -> Content:
    """Returns the content cut or padded to exactly `width` cells."""
    return content.truncate(width, ellipsis=True, pad=True)
