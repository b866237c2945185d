"""One timer that draws: producers fill buffers as fast as they like, and ask."""

from __future__ import annotations

import os
import time
from typing import Protocol

from textual.message_pump import MessagePump
from textual.timer import Timer

LOCAL, REMOTE = 20, 15
"""Frames a second at most: here, and over SSH."""


class Drawable(Protocol):
    """Something with a picture that falls behind."""

    @property
    def is_on_screen(self) -> bool: ...

    def draw(self) -> None:
        """Bring the picture up to date."""


class Frames:
    """Draws what asked for it, all of it in one go, at most so often; has no timer while no one asks."""

    def __init__(self, owner: MessagePump):
        """`owner`, a screen, lends its timer."""
        self.every = 1 / (REMOTE if "SSH_CONNECTION" in os.environ else LOCAL)
        self._owner = owner
        self._waiting: dict[Drawable, None] = {}
        self._timer: Timer | None = None
        self._last = 0.0

    def request(self, drawn: Drawable) -> None:
        """This has something new to show. What is out of sight must ask again when it comes into sight."""
        self._waiting[drawn] = None
        if self._timer is None:
            self._timer = self._owner.set_timer(max(0.001, self._last + self.every - time.monotonic()), self.draw)

    def draw(self) -> None:
        """Now."""
        if self._timer is not None:
            self._timer.stop()
        waiting, self._waiting, self._timer = self._waiting, {}, None
        self._last = time.monotonic()
        for drawn in waiting:
            if drawn.is_on_screen:
                drawn.draw()
