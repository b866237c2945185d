"""Textual's terminal driver, sending changed cells only and no faster than the terminal takes them.

Each picture ends with a request for the cursor's position. The terminal answers when it has drawn it, however much
lies in the buffers between, and only then the next one goes out: with what is newest by then. So a key's echo
never waits behind pictures that are out of date. Whatever this layer does not know switches it off.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.events import CursorPosition
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from studio.terminal.screen_cells import ScreenCells

ASK = "\x1b[6n"
"""Device status report: where is the cursor?"""
IN_FLIGHT, SMALL = 2, 1_024
"""Pictures on their way at most, and the bytes that those before the last may have."""
PATIENCE = 2.0
"""Seconds without an answer after which the next picture goes out all the same."""
MUTE = 3
"""Times in a row after which the terminal is taken not to answer at all."""
TEARS = 512
"""Bytes from which on a picture is put between marks, so that it appears at once."""
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
_FRAME = re.compile(r"\x1b\[[0-9]+;[0-9]+H")
_KNOWN = re.compile(
    r"(?:\x1b\[[?>=<]?[0-9;]*(?:[hluqn]|\$p)"  # modes, keyboard protocol, cursor, questions
    r"|\x1b\](?:0|2|22|52);[^\x00-\x1f\x7f]*(?:\x07|\x1b\\)"  # title, pointer, clipboard
    r"|\x07)*\Z"
)


class StudioDriver(LinuxDriver):
    """Stands between Textual and the terminal; the screen holds the same as without it."""

    def __init__(self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None):
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.stock = False
        """Switched off: something came that this layer does not know."""
        self._cells = ScreenCells(1, 1)
        self._lock = threading.Lock()
        self._synchronised = False
        self._flying: deque[tuple[float, int]] = deque()
        """When the unanswered pictures went out, and their bytes."""
        self._unanswered = 0
        self._late = False
        """A look at pictures without an answer is arranged."""
        self._away = False
        """The terminal is left to others."""

    def write(self, data: str) -> None:
        """A frame is drawn into the cells; what is no frame goes to the terminal as it is."""
        with self._lock:
            if self.stock:
                super().write(data)
            elif _FRAME.match(data):
                self._fit()
                self._cells.draw(data)
            elif data not in (_BEGIN, _END):
                self._control(data)

    def flush(self) -> None:
        """A frame is whole."""
        with self._lock:
            self._send()

    def process_message(self, message: Message) -> None:
        """Answers of the terminal are meant for this layer."""
        if isinstance(message, TerminalSupportsSynchronizedOutput):
            self._synchronised = True
        if isinstance(message, CursorPosition) and self._flying:
            with self._lock:
                self._flying.popleft()
                self._unanswered = 0
                self._send()
            return
        super().process_message(message)

    def start_application_mode(self) -> None:
        """Also after having been stopped: the terminal then shows what others left there."""
        with self._lock:
            self._flying.clear()
            self._away = False
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def stop_application_mode(self) -> None:
        with self._lock:
            if not self.stock:
                super().write(self._cells.reset_pen())
            self._flying.clear()
        super().stop_application_mode()
        with self._lock:
            self._away = True

    def repaint(self) -> None:
        """Send everything again, whatever the terminal shows."""
        with self._lock:
            if not self.stock:
                self._clear()
                self._send()

    def _sigtstp_application(self, *_: object) -> None:
        self._soon(super()._sigtstp_application)

    def _sigcont_application(self, *_: object) -> None:
        self._soon(self._come_back)

    def _soon(self, call: Callable[[], object]) -> None:
        """A signal may come while this very thread holds the lock: what it asks for is done by the app's loop."""
        with contextlib.suppress(RuntimeError):  # the loop is closed, the terminal given back
            self._loop.call_soon_threadsafe(call)

    def _come_back(self) -> None:
        if not self._away:  # SIGSTOP cannot be caught: nothing was ended then that could be begun again
            self.suspend_application_mode()
        self.resume_application_mode()

    # -- all below with the lock held ------------------------------------------------------------------------------

    def _control(self, data: str) -> None:
        """Not a frame. What is not known may do anything to the screen: from then on all goes out as it comes."""
        if not _KNOWN.match(data):
            super().write(self._cells.changes() + self._cells.reset_pen())
            self.stock = True
        super().write(data)
        if "\x1b[?1049h" in data:
            self._clear()

    def _clear(self) -> None:
        super().write("\x1b[0m\x1b[2J")
        self._cells.cleared()

    def _fit(self) -> None:
        """The cells are as many as the app thinks; after a change of size nothing is certain of the terminal's."""
        width, height = self._app.size
        if (width, height) != (self._cells.width, self._cells.height):
            self._cells = self._cells.resized(width, height)
            self._clear()

    def _send(self) -> None:
        """The next picture, if there is one and its time has come."""
        if self.stock or self._away or not self._cells.stale or not self._ready():
            return
        changes = self._cells.changes()
        if not changes:
            return
        if self._synchronised and len(changes) > TEARS:
            changes = _BEGIN + changes + _END
        if self._unanswered < MUTE:
            changes += ASK
            self._flying.append((time.monotonic(), len(changes)))
        super().write(changes)

    def _ready(self) -> bool:
        """Whether the terminal can take another picture."""
        if self._flying and time.monotonic() - self._flying[0][0] > PATIENCE:
            self._flying.clear()
            self._unanswered += 1
        if not self._flying:
            return True
        waits = len(self._flying) >= IN_FLIGHT or sum(size for _, size in self._flying) > SMALL
        if waits and not self._late:
            self._late = True  # arranged by the loop's own thread: answers come to another
            self._loop.call_soon_threadsafe(self._loop.call_later, PATIENCE * 1.1, self._look)
        return not waits

    def _look(self) -> None:
        self._late = False
        self.flush()
