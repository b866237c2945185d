"""The line above the footer, with the last message."""

from __future__ import annotations

from textual.timer import Timer
from textual.widgets import Static

from studio.terminal import untrusted_text

STAYS_S = 20.0
"""Seconds for which a message stays: long enough to read it twice."""


class Notice(Static):
    """Shows one message for a while, in up to three lines; the events themselves are in the run's log."""

    DEFAULT_CSS = """
    Notice { height: 1; color: $accent; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    Notice.long { height: auto; max-height: 3; text-wrap: wrap; }
    """

    def __init__(self) -> None:
        super().__init__(id="notice")
        self._timer: Timer | None = None

    def show(self, text: str, seconds: float = STAYS_S) -> None:
        """Replaces the message for some seconds; the text may be untrusted."""
        content = untrusted_text.content(text)
        self.set_class(content.cell_length > self.content_size.width, "long")
        self.update(content, layout=self.has_class("long"))
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(seconds, lambda: self.show("")) if text else None
