"""Limits how often widgets are drawn: they request it at any rate, and one timer draws them together."""

from __future__ import annotations

import os
import time
from typing import Protocol

from textual.message_pump import MessagePump
from textual.timer import Timer

LOCAL, REMOTE = 20, 15
"""Most frames per second: locally, and over SSH."""


class Drawable(Protocol):
    """A widget that can be drawn later than its data changes."""

    @property
    def is_on_screen(self) -> bool: ...

    def draw(self) -> None:
        """Draws the current data."""


class Frames:
    """Draws together all widgets that requested it. No timer runs without a request."""

    def __init__(self, owner: MessagePump):
        """`owner`, a screen, runs the timer."""
        self.every = 1 / (REMOTE if "SSH_CONNECTION" in os.environ else LOCAL)
        self._owner = owner
        self._waiting: dict[Drawable, None] = {}
        self._timer: Timer | None = None
        self._last = 0.0

    def request(self, drawn: Drawable) -> None:
        """Has a widget drawn with the next frame. A widget out of sight is skipped and must request it again."""
        self._waiting[drawn] = None
        if self._timer is None:
            self._timer = self._owner.set_timer(max(0.001, self._last + self.every - time.monotonic()), self.draw)

    def draw(self) -> None:
        """Draws the waiting widgets now."""
        if self._timer is not None:
            self._timer.stop()
        waiting, self._waiting, self._timer = self._waiting, {}, None
        self._last = time.monotonic()
        for drawn in waiting:
            if drawn.is_on_screen:
                drawn.draw()
