"""The line above the footer: what was said last, until it is old."""

from __future__ import annotations

from textual.timer import Timer
from textual.widgets import Static

from studio.terminal import untrusted_text

STAYS = 20.0
"""Seconds: long enough to read it twice, too short to be taken for news later."""


class Notice(Static):
    """Nothing is lost when it goes: what happened is in the log."""

    def __init__(self) -> None:
        super().__init__(id="notice")
        self._old: Timer | None = None

    def show(self, text: str) -> None:
        """Show a text, foreign ones too, in place of what stands there."""
        self.update(untrusted_text.content(text), layout=False)
        if self._old is not None:
            self._old.stop()
        self._old = self.set_timer(STAYS, lambda: self.update("", layout=False)) if text else None
