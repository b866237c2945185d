"""A transcript: the paragraphs of a document of any length, drawn line by line while the document grows."""

from __future__ import annotations

import math
import os
from bisect import bisect_right
from collections.abc import Collection

from rich.segment import Segment
from rich.style import Style
from textual.events import Click, Resize
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from studio.actions import action_table
from studio.episodes.document import Document, Paragraph
from studio.episodes.line_index import LineIndex
from studio.episodes.search import Search, TextMatch
from studio.terminal.wrap import common_lines, line_starts, wrap
from studio.widgets.lists.cursor_list import CursorList
from studio.widgets.search_line import Searchable
from studio.widgets.transcripts.gutter import gutter, label
from studio.widgets.transcripts.highlight import Span, pieces

ROLES = ("meta", "plan", "tool", "reflect", "world")
FOLD = 3
"""Lines shown of a folded paragraph."""
REMEMBERED = 4_096
"""Drawn strips and wrapped paragraphs that are cached."""


class Transcript(CursorList, Searchable):
    """Shows a document and follows its end until the cursor is moved away from it. `draw` updates it."""

    COMPONENT_CLASSES = {
        f"transcript--{name}"
        for name in (*ROLES, "text", "strong", "quiet", "cursor", "removed", "added", "match", "current")
    }
    DEFAULT_CSS = (
        "".join(f"Transcript > .transcript--{role} {{ color: $role-{role}; text-style: bold; }}\n" for role in ROLES)
        + """
    Transcript > .transcript--text { color: $foreground; }
    Transcript > .transcript--strong { color: $foreground; text-style: bold; }
    Transcript > .transcript--quiet { color: $quiet; }
    Transcript > .transcript--cursor { background: $panel; }
    Transcript > .transcript--removed { color: $error; }
    Transcript > .transcript--added { color: $success; }
    Transcript > .transcript--match { color: $accent; text-style: bold underline; }
    Transcript > .transcript--current { color: $background; background: $accent; text-style: bold; }
    Transcript:nocolor > .transcript--cursor { text-style: reverse; }
    Transcript:nocolor > .transcript--current { text-style: bold reverse underline; }
    """
    )
    CONTEXTS: tuple[action_table.Context, ...] = ("search", "transcript", "list")
    BINDINGS = action_table.bindings("transcript")

    class CursorMoved(Message):
        """Posted when the cursor has moved to another paragraph."""

        def __init__(self, transcript: Transcript, index: int):
            self.transcript = transcript
            self.index = index
            super().__init__()

        @property
        def control(self) -> Transcript:
            return self.transcript

    def __init__(
        self,
        document: Document | None = None,
        *,
        id: str | None = None,
        folds: Collection[str] = ("observation",),
        paged: bool | None = None,
    ):
        """`folds` names the parts that are folded at first. With `paged` a text that reaches the bottom moves up half
        a page instead of a line; left out, that holds over SSH."""
        super().__init__(id=id)
        self.document = document or Document()
        self.following = True
        """Whether the end is kept in sight."""
        self.cursor = 0
        self._folds = folds
        self._paged = "SSH_CONNECTION" in os.environ if paged is None else paged
        self._toggled: set[int] = set()
        """Indices of paragraphs that were folded or unfolded by hand."""
        # A paragraph that was cut since the last drawing counts as one line.
        self._lines_index = LineIndex(lambda at: len(self._lines(at)) if at < len(self.document) else 1, self._estimate)
        self._wrapped: dict[int, list[str]] = {}
        self._strips: dict[int, dict[int, Strip]] = {}
        self._width = 0
        self._scrolling = False

    def show(self, document: Document, *, end: bool = True) -> None:
        """Shows another document, at its end, which is then followed, or at its beginning."""
        self.document, self.following, self.cursor = document, end, 0
        self._toggled.clear()
        self._wrapped.clear()
        self._strips.clear()
        document.changed = 0
        if self.search is not None:  # the same text is sought in the new document
            self.search = Search(self.search.text, document)
            self.update_search_line()
        self._lines_index.change(0, 0)
        self._scrolling = True
        self.set_view(0, 0)
        self._scrolling = False
        self.draw()
        self.refresh()

    @property
    def chosen(self) -> Paragraph | None:
        """The paragraph under the cursor; None when there is none."""
        return self.document[self.cursor] if self.cursor < len(self.document) else None

    def move_to(self, index: int) -> None:
        """Moves the cursor to a paragraph, and scrolls it into sight."""
        if not self._lines_index.paragraphs:  # nothing was drawn yet
            return
        self._mark(index)
        top, bottom = self._lines_index.span(self.cursor)
        if top < self.top or bottom - top >= self.page:
            self._scroll(top)
        elif bottom > self.top + self.page:
            self._scroll(bottom - self.page)

    def draw(self) -> None:
        """Draws what has changed in the document; cheap when nothing has."""
        first, count = self.document.changed, len(self.document)
        if self._width != self._text_width():
            self._set_width()
        if self._width <= 0 or first >= count == self._lines_index.paragraphs:
            return
        self.document.changed = count
        if self.search is not None:
            self.search.update(first)
            self.update_search_line()
        total, old = self._lines_index.total, self._wrapped.get(first, [])
        self._forget(first)
        self._lines_index.change(first, count)
        self.cursor = count - 1 if self.following else min(self.cursor, max(0, count - 1))
        self._restore_view()
        if count and first < count:
            top = self._lines_index.span(first)[0] + common_lines(old, self._lines(first))
            self._redraw_lines(top, max(total, self._lines_index.total))
        else:
            self.refresh()

    # -- moving ----------------------------------------------------------------------------------------------------

    def move(self, steps: int) -> None:
        if not len(self.document):
            return
        top, bottom = self._lines_index.span(self.cursor)
        hidden = bottom - self.top - self.page if steps > 0 else self.top - top
        if hidden > 0 and not self.following:  # a long paragraph is scrolled through before the cursor leaves it
            self._scroll(self.top + (1 if steps > 0 else -1) * min(hidden, max(1, self.page // 2)))
        else:
            self.move_to(self.cursor + steps)

    def move_page(self, pages: int) -> None:
        if not len(self.document):
            return
        self.following = False
        self._scroll(self.top + pages * self.page)
        self._mark(self._lines_index.find(self.top + (self.page - 1 if pages > 0 else 0))[0])

    def move_to_edge(self, *, last: bool) -> None:
        self.move_to(len(self.document) - 1 if last else 0)
        self.following = last
        self._restore_view()

    def action_next_step(self) -> None:
        later = range(self.cursor + 1, len(self.document))
        self.move_to(next((index for index in later if self.document.begins_step(index)), self.cursor))

    def action_previous_step(self) -> None:
        earlier = range(self.cursor - 1, -1, -1)
        self.move_to(next((index for index in earlier if self.document.begins_step(index)), 0))

    def _mark(self, index: int) -> None:
        """Moves the cursor to a paragraph without scrolling."""
        before, self.cursor = self.cursor, max(0, min(index, len(self.document) - 1))
        self.following = False
        for paragraph in {before, self.cursor}:
            self._redraw(paragraph)
        if before != self.cursor:
            self.post_message(self.CursorMoved(self, self.cursor))

    @property
    def clipboard_text(self) -> str:
        return self.chosen.text if self.chosen else ""

    def action_unfold(self) -> None:
        self._toggle_fold(self.cursor)
        self.following = False
        self._restore_view()
        self.refresh()

    def _toggle_fold(self, index: int) -> None:
        self._toggled ^= {index}
        self._forget(index)
        self._lines_index.change(index, len(self.document))

    # -- searching -------------------------------------------------------------------------------------------------

    def obstacle(self, action: str) -> str:
        return self.search_obstacle(action)

    def search_for(self, text: str) -> None:
        before = self.search.current if self.search else None
        self.search = Search(text, self.document) if text.strip() else None
        self._strips.clear()
        if self.search is not None:
            self._go_to(self.search.jump_to(before or TextMatch(self.cursor, 0, 0)))
        self.refresh()

    def show_match(self, steps: int) -> None:
        if self.search is not None:
            end = 0 if steps < 0 else len(self.document.text(self.cursor)) if len(self.document) else 0
            self._go_to(self.search.step(steps, TextMatch(self.cursor, end, 0)))

    def _go_to(self, match: TextMatch | None) -> None:
        """Moves the cursor to a match and its line into sight, and opens the fold that hides it."""
        if match is None or not self._lines_index.paragraphs:
            return
        if self._hidden_from(match.paragraph) < match.end:
            self._toggle_fold(match.paragraph)
            self.refresh()
        self._mark(match.paragraph)
        self._strips.clear()
        lines = self._lines(match.paragraph)
        row = bisect_right(line_starts(self.document.text(match.paragraph), lines), match.start) - 1
        line = self._lines_index.span(match.paragraph)[0] + row
        if not self.top <= line < self.top + self.page:
            self._scroll(line - self.page // 3)
        self.refresh()

    def _hidden_from(self, index: int) -> float:
        """Returns the index of the first character that a fold hides; infinity when none is hidden."""
        if not self._is_folded(index):
            return math.inf
        text = self.document.text(index)
        lines = wrap(text, self._width)
        return line_starts(text, lines)[FOLD] if len(lines) > FOLD + 1 else math.inf

    def on_click(self, event: Click) -> None:
        if len(self.document) and self.text_selection is None:
            self._mark(self._lines_index.find(self.top + event.y)[0])

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._scrolling and round(old_value) != round(new_value):  # the wheel or the scroll bar
            self.following = self.top + self.page >= self._lines_index.total
            self._scroll(self.top)

    def on_resize(self, event: Resize) -> None:
        self.draw()
        self._restore_view()

    def on_show(self) -> None:
        self.draw()

    # -- scrolling -------------------------------------------------------------------------------------------------

    def _restore_view(self) -> None:
        """Scrolls to the end if it is followed, else keeps the lines in sight."""
        total, top = self._lines_index.total, self.top
        if self.following and not top < total <= top + self.page:
            top = max(0, total - (max(1, self.page // 2) if self._paged else self.page))
            top = 0 if total <= self.page else top
        self._scroll(top)

    def _scroll(self, top: int) -> None:
        """Scrolls to a line, after counting the lines of the paragraphs around it."""
        top = max(0, top)
        if len(self.document):
            top += self._lines_index.count_range(top - self.page, top + 2 * self.page, top)
        total = self._lines_index.total
        last = total - self.page if not self.following or not self._paged else total - 1
        top = max(0, min(top, last))
        self._scrolling = True
        self.set_view(max(total, top + self.page), top)
        self._scrolling = False

    def _set_width(self) -> None:
        """Wraps all paragraphs for a new width, and keeps the first paragraph in sight."""
        seen = self._lines_index.find(self.top)[0] if self._lines_index.paragraphs else 0
        self._width = self._text_width()
        self._forget(0)
        if self._lines_index.paragraphs:
            self._lines_index.change(0, self._lines_index.paragraphs)
            self._scroll(self._lines_index.span(seen)[0])
        self.refresh()

    def _estimate(self, first: int, last: int) -> int:
        return last - first + self.document.length(first, last) // max(1, self._width)

    def _text_width(self) -> int:
        width = self.scrollable_content_region.width
        return width - gutter(width, self.document.longest_part) - 1

    # -- drawing ---------------------------------------------------------------------------------------------------

    @property
    def margin(self) -> tuple[int, int]:
        return 0, gutter(self.scrollable_content_region.width, self.document.longest_part)

    def draw_line(self, y: int) -> Strip:
        line = self.top + y
        if line >= self._lines_index.total or len(self.document) < self._lines_index.paragraphs:
            return self.blank()  # it was cut, and is drawn soon
        index, row = self._lines_index.find(line)
        strips = self._strips.setdefault(index, {})
        strip = strips.get(row)
        if strip is None:
            if len(self._strips) >= REMEMBERED:
                self._strips = {index: strips}
            strip = strips[row] = self._strip(index, row)
        return strip

    def notify_style_update(self) -> None:
        self._strips.clear()
        super().notify_style_update()

    def _strip(self, index: int, row: int) -> Strip:
        """Returns one line of a paragraph with its gutter."""
        (role, part), lines = self.document.kind(index), self._lines(index)
        more = row == FOLD and self._hidden_from(index) < math.inf
        name = "quiet" if more or part == "observation" else "strong" if part in ("action", "answer") else "text"
        mark = self.get_component_rich_style(f"transcript--{role if role in ROLES else 'quiet'}")
        text = self.get_component_rich_style(f"transcript--{name}")
        if index == self.cursor and not self.following:
            cursor = self.get_component_rich_style("transcript--cursor")
            highlight = Style(bgcolor=cursor.bgcolor, reverse=cursor.reverse)
            mark, text = mark + highlight, text + highlight
        width, line = self.scrollable_content_region.width, lines[row]
        cells = gutter(width, self.document.longest_part)
        sign = label(self.glyphs, role, part, cells) if row == 0 else ""
        head = Segment(f"{sign:<{cells}}"[:cells], mark)
        if more:
            line += self.search.note(index, self._hidden_from(index)) if self.search else ""
        elif spans := self._spans(index, row):
            return Strip([head, *pieces(line, text, spans)]).adjust_cell_length(width, text)
        if len(line) <= width - cells and line.isascii():  # the usual case: the width needs no measuring
            return Strip([head, Segment(line.ljust(width - cells), text)], width)
        return Strip([head, Segment(line, text)]).adjust_cell_length(width, text)

    def _spans(self, index: int, row: int) -> list[Span]:
        """Returns the changes and the matches in one line of a paragraph."""
        marks = [*self.document.marks(index), *(self.search.marks(index) if self.search else ())]
        if not marks:
            return []
        first = line_starts(self.document.text(index), self._lines(index))[row]
        return [
            (start - first, end - first, self.get_component_rich_style(f"transcript--{name}", partial=True))
            for start, end, name in marks
        ]

    def _lines(self, index: int) -> list[str]:
        """Returns the lines of a paragraph, wrapped, and cut if it is folded."""
        lines = self._wrapped.get(index)
        if lines is None:
            lines = wrap(self.document.text(index), self._width)
            if self._is_folded(index) and len(lines) > FOLD + 1:
                lines = [*lines[:FOLD], f"… {len(lines) - FOLD} more lines"]
            if len(self._wrapped) >= REMEMBERED:
                self._wrapped.clear()
            self._wrapped[index] = lines
        return lines

    def _is_folded(self, index: int) -> bool:
        """Returns whether a paragraph is folded; one with changes is not, at first."""
        folds = self.document.kind(index)[1] in self._folds and not self.document.marks(index)
        return folds != (index in self._toggled)

    def _forget(self, first: int) -> None:
        """Drops the cached lines of this paragraph and of those after it."""
        last = max(len(self.document), self._lines_index.paragraphs)
        if last - first > REMEMBERED:
            self._wrapped.clear()
            self._strips.clear()
        for index in range(first, last if last - first <= REMEMBERED else first):
            self._wrapped.pop(index, None)
            self._strips.pop(index, None)

    def _redraw(self, index: int) -> None:
        """Redraws a paragraph whose text is unchanged."""
        if index < len(self.document):
            self._strips.pop(index, None)
            self._redraw_lines(*self._lines_index.span(index))

    def _redraw_lines(self, first: int, last: int) -> None:
        top = max(first - self.top, 0)
        bottom = min(last - self.top, self.page)
        if bottom > top:
            self.refresh(Region(0, top, self.size.width, bottom - top))
