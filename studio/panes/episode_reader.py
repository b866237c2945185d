"""The reader of the trajectories pane: the transcript of one unit, or of two side by side, as they are written."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from autoact.run.record.folder import RunFolder
from autoact.run.record.live import LiveTail
from studio.episodes.document import Document, Paragraph
from studio.episodes.transcript_feed import TranscriptFeed
from studio.panes.project_view import ProjectView
from studio.terminal import untrusted_text
from studio.widgets.transcripts.transcript import Transcript

CHOSEN, MARKED = "text", "other"
"""Ids of the transcripts: of the chosen unit, and of the marked one beside it."""


class EpisodeReader(Vertical):
    """A title line and two transcripts, each fed from the log and, for a partial answer, from the live file."""

    def __init__(self, view: ProjectView, title: Callable[[str], str], *, id: str):
        """`title` returns the title of a unit, which may be untrusted."""
        super().__init__(id=id)
        self._view, self._title = view, title
        self._feeds: dict[str, TranscriptFeed] = {}
        """By the id of the transcript."""
        self._live: LiveTail | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="about")
        with Horizontal(id="texts"):
            yield Transcript(id=CHOSEN)
            yield Transcript(id=MARKED)

    def on_unmount(self) -> None:
        for feed in self._feeds.values():
            feed.log.close()

    def unit(self, side: str = CHOSEN) -> str:
        """Returns the unit in a transcript; empty when there is none."""
        return self._feeds[side].unit if side in self._feeds else ""

    def open(self, unit: str, side: str = CHOSEN) -> None:
        """Shows a unit of the followed run; a thread finds its answers in the log."""
        folder = self._view.follow.folder
        if folder is None:
            return
        if side in self._feeds:
            self._feeds[side].log.close()
        feed = self._feeds[side] = TranscriptFeed(folder, unit, self._view.follow.state)
        self.query_one(f"#{side}", Transcript).show(feed.document)
        self._show_title()
        self.run_worker(lambda: self._read_log(feed), thread=True, group=side, exclusive=True)

    def close(self, side: str = CHOSEN) -> None:
        """Empties a transcript."""
        if side in self._feeds:
            self._feeds.pop(side).log.close()
            self.query_one(f"#{side}", Transcript).show(Document())
        self._show_title()

    def refresh_text(self, live: LiveTail | None) -> None:
        """Shows what was added to the log and to the live file."""
        self._live = live
        for side, feed in self._feeds.items():
            if feed.log.ready:
                changed = feed.log.read()
                self._draw(side, changed=changed)

    @property
    def is_focused(self) -> bool:
        """True if the transcript of the chosen unit, or the line that searches it, has the focus."""
        return self.query_one(f"#{CHOSEN}", Transcript).is_in_use

    def focus_text(self) -> None:
        """Gives the transcript of the chosen unit the focus."""
        self.query_one(f"#{CHOSEN}", Transcript).focus()

    def answer(self) -> Paragraph | None:
        """Returns the answer under the cursor while the transcript has the focus, else the last one."""
        feed = self._feeds.get(CHOSEN)
        if feed is None:
            return None
        cursor = self.query_one(f"#{CHOSEN}", Transcript).cursor
        return (feed.answer(cursor) if self.is_focused else None) or feed.last_answer()

    def maker(self) -> RunFolder | None:
        """Returns the run whose log has the answers of the chosen unit; None when there is no unit."""
        return self._feeds[CHOSEN].log.maker if CHOSEN in self._feeds else None

    def first_retried(self) -> Paragraph | None:
        """Returns the answer from which on a retry asks again: that under the cursor while the transcript has the
        focus, else the first one; None without an answer."""
        answer, feed = self.answer(), self._feeds.get(CHOSEN)
        if self.is_focused or answer is None or feed is None:
            return answer
        return next((one for one in feed.log.paragraphs() if one.owner == 0), None)

    def _read_log(self, feed: TranscriptFeed) -> None:
        feed.log.read()
        self.app.call_from_thread(self._show_first, feed)

    def _show_first(self, feed: TranscriptFeed) -> None:
        side = next((name for name, one in self._feeds.items() if one is feed), None)
        if side is not None:  # it may have been closed meanwhile
            self._draw(side, changed=True)

    def _draw(self, side: str, *, changed: bool) -> None:
        feed = self._feeds[side]
        partial = self._live.partial_answers.get(feed.unit) if self._live else None
        if changed or partial is not None:
            feed.refresh(partial)
            self._view.frames.request(self.query_one(f"#{side}", Transcript))
            self._show_title()
            self._view.update_footer()

    def _show_title(self) -> None:
        label, units = self.query_one("#about", Static), [self.unit(side) for side in (CHOSEN, MARKED)]
        text = "   |   ".join(self._title(unit) for unit in units if unit)
        label.display = bool(text)
        content = untrusted_text.content(text, "$quiet")
        if label.content != content:
            label.update(content)
