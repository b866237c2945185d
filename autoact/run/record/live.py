"""Streaming tokens in live.jsonl, for display only: never flushed, emptied when long, safe to delete."""

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
"""The most lines written a second for one unit."""
LONGEST = 8_000_000
"""Size in bytes at which the file is emptied."""
UNITS = 256
"""Number of units remembered, the latest ones."""
BROKEN = "\ufffd"
"""The character that a decoder returns for one whose last token is not generated yet."""


class _Published(Struct):
    """The part of a unit's answer that is in the file, and the time at which it was written."""

    n: int
    text: str
    at: float


class LiveWriter:
    """Writes the live file, in the job. Its errors are ignored: a run does not fail because of a display."""

    def __init__(self, folder: RunFolder, clock: Callable[[], float] = time.monotonic):
        """The first write empties the file: it holds unfinished answers of an earlier job. `clock` gives seconds."""
        self.path, self._clock = folder.live, clock
        with suppress(OSError):  # the file then cannot be opened, and nothing is written
            disk.clear_path(self.path)
        self._published: dict[str, _Published] = {}
        self._descriptor, self._seq = -1, 0
        self._fresh = True

    def publish(self, unit: str, n: int, part: str, text_so_far: str) -> None:
        """Writes the text added to answer `n` of a unit, unless the last write was less than 1 / RATE seconds ago."""
        text, now = text_so_far.rstrip(BROKEN), self._clock()
        before = self._published.get(unit)
        if before is None or before.n != n:
            before = _Published(n, "", 0.0)
        elif now - before.at < 1 / RATE:
            return
        start = len(before.text) if text.startswith(before.text) else 0
        if text == before.text or not self._write(TokenSpoken(unit, n, part, text[start:], start)):
            return
        self._published.pop(unit, None)
        self._published[unit] = _Published(n, text, now)
        if len(self._published) > UNITS:
            del self._published[next(iter(self._published))]

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, event: TokenSpoken) -> bool:
        try:
            line = seal_event(self._seq, time.time(), event)
            os.write(self._open_file(len(line)), line)
        except (OSError, ValueError, BadInput):  # no room, text that is not valid, or not a file: see the class
            self.close()
            return False
        self._seq += 1
        return True

    def _open_file(self, more: int) -> int:
        """Returns the descriptor of the file, emptied if `more` bytes would not fit, and made again if deleted."""
        if self._descriptor >= 0 and os.fstat(self._descriptor).st_nlink == 0:
            self.close()
        if self._descriptor < 0:
            self._descriptor = disk.open_file(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        if self._fresh or os.fstat(self._descriptor).st_size + more > LONGEST:
            os.ftruncate(self._descriptor, 0)
            self._fresh = False
        return self._descriptor


class LiveTail:
    """Reads the live file, in a viewer."""

    def __init__(self, folder: RunFolder):
        self.partial_answers: dict[str, TokenSpoken] = {}
        """The unfinished answer of each unit, the latest last. `start` is above 0 where the beginning was missed."""
        self._tail = LogTail(folder.live, numbered=False)

    def read(self) -> bool:
        """Reads what was written since the last call. Returns True when there was anything."""
        changed = False
        for record in self._tail.poll():
            if isinstance(record.event, TokenSpoken):
                self._take(record.event)
                changed = True
        return changed

    def forget(self, unit: str, n: int) -> None:
        """Drops the partial answer of a unit up to number `n`, whose complete answer is in the log."""
        partial = self.partial_answers.get(unit)
        if partial is not None and partial.n <= n:
            del self.partial_answers[unit]

    def close(self) -> None:
        self._tail.close()

    def _take(self, event: TokenSpoken) -> None:
        before = self.partial_answers.pop(event.unit, None)
        if before is not None and before.n == event.n and 0 <= event.start - before.start <= len(before.text):
            known = before.text[: event.start - before.start]
            event = TokenSpoken(event.unit, event.n, event.part, known + event.text, before.start)
        self.partial_answers[event.unit] = event
        if len(self.partial_answers) > UNITS:
            del self.partial_answers[next(iter(self.partial_answers))]
