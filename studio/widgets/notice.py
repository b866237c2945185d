"""The line above the footer, with the last message."""

from __future__ import annotations

from textual.timer import Timer
from textual.widgets import Static

from studio.terminal import untrusted_text

STAYS_S = 20.0
"""Seconds for which a message stays: long enough to read it twice."""


class Notice(Static):
    """Shows one message for a while; the events themselves are in the run's log."""

    def __init__(self) -> None:
        super().__init__(id="notice")
        self._timer: Timer | None = None

    def show(self, text: str) -> None:
        """Replaces the message; the text may be untrusted."""
        self.update(untrusted_text.content(text), layout=False)
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(STAYS_S, lambda: self.update("", layout=False)) if text else None
