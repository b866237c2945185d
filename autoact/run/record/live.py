"""Tokens as they stream, beside the log: for the eye only, never flushed, cut when long, safe to delete."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct

from autoact.errors import BadInput
from autoact.events import TokenSpoken
from autoact.files import disk
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogTail, seal_event

RATE = 20
"""Most lines a second for one unit."""
LONGEST = 8_000_000
"""Bytes at which the file starts anew."""
UNITS = 256
"""Units remembered: those that spoke last."""
BROKEN = "\ufffd"
"""What a decoder shows for a character whose last token is still to come."""


class _Said(Struct):
    """How much of a unit's answer is in the file."""

    n: int
    text: str
    at: float


class LiveWriter:
    """The job's side. Whatever goes wrong here, the run goes on: a token on a screen is not worth it."""

    def __init__(self, folder: RunFolder, clock: Callable[[], float] = time.monotonic):
        """Starts the file anew: what a dead job left half said means nothing. `clock` gives seconds."""
        self.path, self._clock = folder.live, clock
        with suppress(OSError):  # nothing is told then
            disk.clear_path(self.path)
        self._said: dict[str, _Said] = {}
        self._descriptor, self._seq = -1, 0
        self._fresh = True

    def publish(self, unit: str, n: int, part: str, text_so_far: str) -> None:
        """Tell what answer `n` of a unit has grown by. What comes too soon after the last is told with the next."""
        text, now = text_so_far.rstrip(BROKEN), self._clock()
        said = self._said.get(unit)
        if said is None or said.n != n:
            said = _Said(n, "", 0.0)
        elif now - said.at < 1 / RATE:
            return
        start = len(said.text) if text.startswith(said.text) else 0
        if text == said.text or not self._write(TokenSpoken(unit, n, part, text[start:], start)):
            return
        self._said.pop(unit, None)
        self._said[unit] = _Said(n, text, now)
        if len(self._said) > UNITS:
            del self._said[next(iter(self._said))]

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, event: TokenSpoken) -> bool:
        try:
            line = seal_event(self._seq, time.time(), event)
            os.write(self._opened(len(line)), line)
        except (OSError, ValueError, BadInput):  # no room, no text, or no file: see above
            self.close()
            return False
        self._seq += 1
        return True

    def _opened(self, more: int) -> int:
        """The file, with room for so many bytes; a new one when someone deleted it."""
        if self._descriptor >= 0 and os.fstat(self._descriptor).st_nlink == 0:
            self.close()
        if self._descriptor < 0:
            self._descriptor = disk.open_file(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        if self._fresh or os.fstat(self._descriptor).st_size + more > LONGEST:
            os.ftruncate(self._descriptor, 0)
            self._fresh = False
        return self._descriptor


class LiveTail:
    """A viewer's side: what each unit is saying now."""

    def __init__(self, folder: RunFolder):
        self.said: dict[str, TokenSpoken] = {}
        """By unit, the latest last: its answer in the making, from letter `start` on; a late viewer has missed some."""
        self._tail = LogTail(folder.live, numbered=False)

    def read(self) -> bool:
        """Take in what was said since; whether anything was."""
        moved = False
        for record in self._tail.poll():
            if isinstance(record.event, TokenSpoken):
                self._take(record.event)
                moved = True
        return moved

    def forget(self, unit: str, n: int) -> None:
        """Answer `n` of a unit is in the log, hence no longer in the making."""
        said = self.said.get(unit)
        if said is not None and said.n <= n:
            del self.said[unit]

    def close(self) -> None:
        self._tail.close()

    def _take(self, event: TokenSpoken) -> None:
        before = self.said.pop(event.unit, None)
        if before is not None and before.n == event.n and 0 <= event.start - before.start <= len(before.text):
            known = before.text[: event.start - before.start]
            event = TokenSpoken(event.unit, event.n, event.part, known + event.text, before.start)
        self.said[event.unit] = event
        if len(self.said) > UNITS:
            del self.said[next(iter(self.said))]
