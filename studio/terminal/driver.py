"""Textual's terminal driver, changed to send only changed cells, and no faster than the terminal draws them.

Each picture ends with a request for the cursor's position. The terminal answers when it has drawn the picture, however
much data is buffered in between, and only then is the next one sent, with the newest state. So the effect of a key
never waits behind outdated pictures. Any output that this layer does not know switches it off.
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
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import CursorPosition
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from studio.terminal.key_parser import KeyParser
from studio.terminal.screen_cells import ScreenCells

ASK = "\x1b[6n"
"""Device status report: asks for the position of the cursor."""
MOST_UNANSWERED, SMALL = 2, 1_024
"""Most pictures without an answer, and the bytes that those before the last may have."""
ANSWER_TIMEOUT_S = 2.0
"""Seconds without an answer after which the next picture is sent anyway."""
MUTE = 3
"""Timeouts in a row after which no more answers are asked for."""
SYNCHRONISED_FROM = 512
"""Bytes from which a picture is sent between marks, so that it appears at once."""
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
_FRAME = re.compile(r"\x1b\[[0-9]+;[0-9]+H")
_KNOWN = re.compile(
    r"(?:\x1b\[[?>=<]?[0-9;]*(?:[hluqn]|\$p)"  # modes, keyboard protocol, cursor, questions
    r"|\x1b\](?:0|2|9|22|52|777);[^\x00-\x1f\x7f]*(?:\x07|\x1b\\)"  # title, pointer, clipboard, notifications
    r"|\x1bPtmux;\x1b\x1b\](?:9|777);[^\x00-\x1f\x7f]*\x07\x1b\\"  # a notification that tmux passes on
    r"|\x07)*\Z"
)


class StudioDriver(LinuxDriver):
    """Filters what Textual sends to the terminal; the screen shows the same as without it."""

    def __init__(self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None):
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.stock = False
        """Whether this layer is switched off, because of output that it does not know."""
        self._cells = ScreenCells(1, 1)
        self._lock = threading.Lock()
        self._synchronised = False
        self._sent: deque[tuple[float, int]] = deque()
        """Time and bytes of each unanswered picture."""
        self._timeouts = 0
        self._retry_set = False
        """Whether a later attempt to send is scheduled."""
        self._suspended = False
        """Whether the terminal is given back, to the shell for instance."""

    def run_input_thread(self) -> None:
        linux_driver.XTermParser = KeyParser  # type: ignore[attr-defined]  # the thread makes it by this name
        super().run_input_thread()

    def write(self, data: str) -> None:
        """Draws a frame into the cells; anything else is sent to the terminal unchanged."""
        with self._lock:
            if self.stock:
                super().write(data)
            elif _FRAME.match(data):
                self._fit()
                self._cells.draw(data)
            elif data not in (_BEGIN, _END):
                self._control(data)

    def flush(self) -> None:
        """Called at the end of a frame."""
        with self._lock:
            self._send()

    def process_message(self, message: Message) -> None:
        """Takes the terminal's answers; other messages go to Textual."""
        if isinstance(message, TerminalSupportsSynchronizedOutput):
            self._synchronised = True
        if isinstance(message, CursorPosition):
            with self._lock:
                if self._sent:
                    self._sent.popleft()
                    self._timeouts = 0
                    self._send()
                    return
        super().process_message(message)

    def start_application_mode(self) -> None:
        """Called at the start and after a suspension, when the terminal shows the output of other programs."""
        with self._lock:
            self._sent.clear()
            self._suspended = False
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def stop_application_mode(self) -> None:
        with self._lock:
            if not self.stock:
                super().write(self._cells.reset_style())
            self._sent.clear()
        super().stop_application_mode()
        with self._lock:
            self._suspended = True

    def repaint(self) -> None:
        """Sends the whole screen again."""
        with self._lock:
            if not self.stock:
                self._clear()
                self._send()

    def _sigtstp_application(self, *_: object) -> None:
        self._call_soon(super()._sigtstp_application)

    def _sigcont_application(self, *_: object) -> None:
        self._call_soon(self._resume)

    def _call_soon(self, call: Callable[[], object]) -> None:
        """Has the app's loop make a call: a signal may arrive while this thread holds the lock."""
        with contextlib.suppress(RuntimeError):  # the loop is closed, and the terminal has been given back
            self._loop.call_soon_threadsafe(call)

    def _resume(self) -> None:
        if not self._suspended:  # after SIGSTOP, which cannot be caught, application mode was never left
            self.suspend_application_mode()
        self.resume_application_mode()

    # -- called with the lock held ---------------------------------------------------------------------------------

    def _control(self, data: str) -> None:
        """Sends output that is no frame. Unknown output may change the screen, so it switches this layer off."""
        if not _KNOWN.match(data):
            super().write(self._cells.changes() + self._cells.reset_style())
            self.stock = True
        super().write(data)
        if "\x1b[?1049h" in data:
            self._clear()

    def _clear(self) -> None:
        super().write("\x1b[0m\x1b[2J")
        self._cells.mark_cleared()

    def _fit(self) -> None:
        """Gives the cells the app's size; after a change, the terminal is cleared and everything is sent again."""
        width, height = self._app.size
        if (width, height) != (self._cells.width, self._cells.height):
            self._cells = self._cells.resize(width, height)
            self._clear()

    def _send(self) -> None:
        """Sends the next picture, if there is one and the terminal is ready."""
        if self.stock or self._suspended or not self._cells.stale or not self._ready():
            return
        changes = self._cells.changes()
        if not changes:
            return
        if self._synchronised and len(changes) > SYNCHRONISED_FROM:
            changes = _BEGIN + changes + _END
        if self._timeouts < MUTE:
            changes += ASK
            self._sent.append((time.monotonic(), len(changes)))
        super().write(changes)

    def _ready(self) -> bool:
        """Returns whether another picture may be sent now; if not, schedules a later attempt."""
        if self._sent and time.monotonic() - self._sent[0][0] > ANSWER_TIMEOUT_S:
            self._sent.clear()
            self._timeouts += 1
        if not self._sent:
            return True
        waits = len(self._sent) >= MOST_UNANSWERED or sum(size for _, size in self._sent) > SMALL
        if waits and not self._retry_set:
            self._retry_set = True  # scheduled from the loop's thread: answers arrive in another one
            self._loop.call_soon_threadsafe(self._loop.call_later, ANSWER_TIMEOUT_S * 1.1, self._retry)
        return not waits

    def _retry(self) -> None:
        self._retry_set = False
        self.flush()
