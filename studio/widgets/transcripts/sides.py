"""Two transcripts side by side, each below a title line; the second is hidden while it is not needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from studio.episodes.document import Document, Paragraph
from studio.episodes.transcript_feed import update_document
from studio.terminal.redraw import Frames
from studio.widgets.content_lines import equal_content
from studio.widgets.transcripts.transcript import Transcript

NAMES = ("first", "second")


@dataclass(frozen=True, slots=True)
class Side:
    """Title and paragraphs of one side."""

    title: Content
    paragraphs: Sequence[Paragraph]


class SideBySide(Horizontal):
    """Shows one or two sides; `view` returns the transcript of a side."""

    DEFAULT_CSS = """
    SideBySide { height: 1fr; }
    SideBySide .side { width: 1fr; }
    SideBySide .title { height: 1; padding: 0 1; background: $surface; text-wrap: nowrap; text-overflow: ellipsis; }
    SideBySide .side.second { display: none; border-left: solid $panel; }
    SideBySide.pair .side.second { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[list[Paragraph]] = [[], []]

    def compose(self) -> ComposeResult:
        for name in NAMES:
            with Vertical(classes=f"side {name}"):
                yield Static(id=f"title-{name}", classes="title")
                yield Transcript(id=name)

    @property
    def chosen(self) -> tuple[int, Transcript]:
        """Index and transcript of the side with the focus, else of the first."""
        at = 1 if self.has_class("pair") and self.view(1).has_focus else 0
        return at, self.view(at)

    def view(self, at: int) -> Transcript:
        """Returns the transcript of a side, 0 or 1."""
        return self.query_one(f"#{NAMES[at]}", Transcript)

    def clear(self) -> None:
        """Empties both sides."""
        self._shown = [[], []]
        self.remove_class("pair")
        for at, name in enumerate(NAMES):
            self.query_one(f"#title-{name}", Static).update("")
            self.view(at).show(Document())

    def draw(self, sides: Sequence[Side], frames: Frames) -> None:
        """Updates one or two sides."""
        self.set_class(len(sides) > 1, "pair")
        for at, side in enumerate(sides):
            self._set_title(at, side.title)
            if side.paragraphs != self._shown[at]:
                update_document(self.view(at).document, self._shown[at], list(side.paragraphs))
                self._shown[at] = list(side.paragraphs)
                frames.request(self.view(at))

    def _set_title(self, at: int, title: Content) -> None:
        label = self.query_one(f"#title-{NAMES[at]}", Static)
        if not isinstance(label.content, Content) or not equal_content(label.content, title):
            label.update(title)
