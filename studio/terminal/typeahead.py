"""Keys typed faster than the screen changes: each goes to what the key before it brought into focus."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from textual.app import App
from textual.dom import DOMNode
from textual.events import Key, Paste

PATIENCE = 0.3
"""Seconds after which the next key goes out even if the one before has not been seen to end."""


class TypeAhead:
    """Holds keys and pasted text back until the key before them has had its effect on the focus.

    Textual forwards a key to the focused widget at once, but an action moves the focus only after its own key has
    climbed to the app: in a burst, as a slow line delivers it, later keys would reach the old widget.
    """

    def __init__(self, app: App[Any], forward: Callable[[Key | Paste], Awaitable[None]], settled: Callable[[], None]):
        """`forward` hands an event to the focused widget; `settled` is called when the last key has had its effect."""
        self._app, self._forward, self._settled = app, forward, settled
        self._waiting: deque[Key | Paste] = deque()
        self._busy_since = 0.0
        """When the key at work was forwarded; 0 when none is."""

    async def take(self, event: Key | Paste) -> None:
        """Forward an event now, or as soon as those before it are done with."""
        self._waiting.append(event)
        if not self._busy_since or time.monotonic() - self._busy_since > PATIENCE:
            await self._next()
        elif len(self._waiting) == 1:
            self._app.set_timer(PATIENCE, self._unblock)

    async def _next(self) -> None:
        if not self._waiting:
            self._busy_since = 0.0
            self._settled()
            return
        self._busy_since = begun = time.monotonic()
        focused: DOMNode = self._app.focused or self._app.screen
        way = focused.ancestors_with_self
        await self._forward(self._waiting.popleft())
        self._follow(begun, [*way, *way])

    def _follow(self, begun: float, way: Sequence[DOMNode]) -> None:
        """Wait behind the key in the queue of each node that it climbs through, the app last.

        `way` has them twice: a field that was submitted sends a message up the same way after its key.
        """
        while way:
            node, *way = way
            if node.call_later(self._follow, begun, way):
                return
        screen = self._app.screen  # the action may have opened it; it sets the focus when it is mounted
        if not screen.call_later(self._app.call_later, self._done, begun):
            self._app.call_later(self._done, begun)

    async def _done(self, begun: float) -> None:
        if begun == self._busy_since:
            await self._next()

    async def _unblock(self) -> None:
        """A widget that was removed with its queue never answers."""
        if self._waiting and time.monotonic() - self._busy_since > PATIENCE:
            await self._next()
