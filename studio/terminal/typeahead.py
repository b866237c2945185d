"""Type-ahead: keys typed faster than the screen changes go to the widget that the key before them has focused."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from textual.app import App
from textual.dom import DOMNode
from textual.events import Key, Paste

KEY_TIMEOUT_S = 0.3
"""Seconds after which the next key is forwarded even if the one before has not finished."""


class TypeAhead:
    """Holds keys and pasted text back until the key before them has changed the focus, if it does.

    Textual forwards a key to the focused widget at once, but an action moves the focus only after its key has bubbled
    up to the app. In a burst, as a slow line delivers it, later keys would reach the old widget.
    """

    def __init__(self, app: App[Any], forward: Callable[[Key | Paste], Awaitable[None]], on_idle: Callable[[], None]):
        """`forward` gives an event to the focused widget; `on_idle` is called when no key waits any more."""
        self._app, self._forward, self._on_idle = app, forward, on_idle
        self._waiting: deque[Key | Paste] = deque()
        self._busy_since = 0.0
        """Monotonic time at which the current key was forwarded; 0 when there is none."""

    async def take(self, event: Key | Paste) -> None:
        """Forwards an event as soon as those before it have finished."""
        self._waiting.append(event)
        if not self._busy_since or time.monotonic() - self._busy_since > KEY_TIMEOUT_S:
            await self._next()
        elif len(self._waiting) == 1:
            self._app.set_timer(KEY_TIMEOUT_S, self._unblock)

    async def _next(self) -> None:
        if not self._waiting:
            self._busy_since = 0.0
            self._on_idle()
            return
        self._busy_since = began = time.monotonic()
        focused: DOMNode = self._app.focused or self._app.screen
        path = focused.ancestors_with_self
        await self._forward(self._waiting.popleft())
        self._wait_behind(began, [*path, *path])

    def _wait_behind(self, began: float, path: Sequence[DOMNode]) -> None:
        """Waits behind the key in the message queue of each node that it bubbles through, the app last.

        `path` has each node twice: a submitted field sends a message up the same path after its key.
        """
        while path:
            node, *path = path
            if node.call_later(self._wait_behind, began, path):
                return
        screen = self._app.screen  # the action may have opened it, and it sets the focus when it is mounted
        if not screen.call_later(self._app.call_later, self._finish, began):
            self._app.call_later(self._finish, began)

    async def _finish(self, began: float) -> None:
        if began == self._busy_since:
            await self._next()

    async def _unblock(self) -> None:
        """Forwards the next key although the current one did not finish: its widget was removed with its queue."""
        if self._waiting and time.monotonic() - self._busy_since > KEY_TIMEOUT_S:
            await self._next()
