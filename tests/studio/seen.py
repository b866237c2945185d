"""What a person sees: the frames that an app writes, drawn on a terminal one after the other.

A headless app writes nothing, and asking its widgets for their lines shows what they would draw now, not what was
drawn: a row that was never sent again would look right. Here the app writes, and a terminal keeps what it wrote.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import pyte
import pytest
from terminal import modern
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from wcwidth import wcwidth


class Seen:
    """One app's terminal."""

    def __init__(self, width: int, height: int):
        self.size = width, height
        self.bytes = 0
        self._screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self._screen)
        self._waiting: list[bytes] = []
        """Written and not drawn yet: drawing takes longer than writing, and most frames nobody looks at."""

    def write(self, data: str) -> None:
        sent = data.encode()
        self.bytes += len(sent)
        self._waiting.append(sent)

    @property
    def screen(self) -> pyte.Screen:
        """What a person sees now."""
        if self._waiting:
            self._stream.feed(modern(b"".join(self._waiting)))
            self._waiting.clear()
        return self._screen


_seen: weakref.WeakKeyDictionary[App[Any], Seen] = weakref.WeakKeyDictionary()


def keep(patch: pytest.MonkeyPatch) -> None:
    """From now on apps that run without a terminal write all the same, and it is kept."""

    def write(driver: HeadlessDriver, data: str) -> None:
        app, (width, height) = driver._app, driver._app.size
        known = _seen.get(app)
        if known is None or known.size != (width, height):
            known = _seen[app] = Seen(width, height)  # a terminal of another size is drawn in full
        known.write(data)

    patch.setattr(HeadlessDriver, "is_headless", property(lambda driver: False))
    patch.setattr(HeadlessDriver, "write", write)


def of(app: App[Any]) -> Seen | None:
    """The terminal of an app; None before it wrote anything."""
    for screen in app.screen_stack:
        draw: Callable[[], None] | None = getattr(getattr(screen, "frames", None), "draw", None)
        if draw is not None and screen.is_current:
            draw()  # what waits for the timer that draws
    app.screen._on_timer_update()  # and for Textual's own
    return _seen.get(app)


def rows(app: App[Any]) -> list[str]:
    """The rows of an app's terminal."""
    seen = of(app)
    screen = seen.screen if seen else None
    return [_row(screen, y).rstrip() for y in range(screen.lines)] if screen else []


def _row(screen: pyte.Screen, y: int) -> str:
    """Returns a row's letters; pyte's own `display` ends in an IndexError behind half of a wide letter."""
    found, behind = [], False
    for x in range(screen.columns):
        letter = screen.buffer[y][x].data
        found.append(letter or ("" if behind else " "))
        behind = bool(letter) and wcwidth(letter[0]) == 2
    return "".join(found)
