"""A terminal at the end of a modelled line: a program in a pty, what it writes on a screen, what it is answered."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import pyte

_QUESTION = re.compile(rb"\x1b\[6n|\x1b\[\?2026\$p")


@dataclass(frozen=True, slots=True)
class Line:
    """A line between program and terminal, as an SSH connection makes one."""

    rate: float = 1e9
    """Bytes a second."""
    buffer: int = 1 << 30
    """Bytes that the near end takes before the program's writes block."""
    trip: float = 0.0
    """Seconds there and back."""


def stood_in_line(pid: int) -> float:
    """Seconds in which a process's main thread could have run, had a core been free; 0 where Linux does not tell."""
    try:
        told = Path(f"/proc/{pid}/schedstat").read_text("ascii")
    except FileNotFoundError:
        return 0.0
    return int(told.split()[1]) / 1e9


class Terminal:
    """Runs a command of this interpreter. What the program wrote lies in `screen` and in `log`."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        columns: int = 80,
        lines: int = 24,
        line: Line | None = None,
        environment: Mapping[str, str] | None = None,
    ):
        self.screen = pyte.Screen(columns, lines)
        self.log = bytearray()
        self.line = line or Line()
        self._stream = pyte.ByteStream(self.screen)
        self._queue = bytearray()
        """Written by the program, on its way."""
        self._back: deque[tuple[float, bytes]] = deque()
        """On its way to the program: when it arrives, and what."""
        self._credit, self._then = 0.0, time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            ours = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
            settings = {**ours, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})}
            os.execve(sys.executable, [sys.executable, *arguments], settings)
        self._size(columns, lines)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def until(self, reached: Callable[[], bool], seconds: float = 20.0) -> bool:
        """Let time pass until something is so; whether it came to that."""
        end = time.perf_counter() + seconds
        while not reached():
            if time.perf_counter() > end or not self.turn():
                return reached()
        return True

    def wait(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end and self.turn():
            pass

    def press(self, keys: str) -> None:
        """Half a trip later the program has them."""
        self._back.append((time.perf_counter() + self.line.trip, keys.encode()))

    def resize(self, columns: int, lines: int) -> None:
        self.screen.resize(lines, columns)
        self._size(columns, lines)
        os.kill(self.pid, signal.SIGWINCH)

    def cpu(self) -> float:
        """Seconds of CPU that the program has used, all its threads."""
        return time.clock_gettime(~self.pid << 3 | 2)  # as clock_getcpuclockid makes it on Linux

    def memory(self) -> float:
        """Resident megabytes of the program."""
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as statm:  # noqa: PTH123 - a file of the kernel's
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def text(self) -> str:
        """What a person would read."""
        return "\n".join(self.screen.display)

    def turn(self) -> bool:
        """A few milliseconds pass; False once the program is gone."""
        alive = self._take()
        self._deliver()
        now = time.perf_counter()
        while self._back and self._back[0][0] <= now:
            with contextlib.suppress(OSError):
                os.write(self.fd, self._back.popleft()[1])
        return alive or bool(self._queue)

    def _take(self) -> bool:
        room = self.line.buffer - len(self._queue)
        if room <= 0:
            time.sleep(0.002)
            return True
        if not select.select([self.fd], [], [], 0.002)[0]:
            return True
        try:
            self._queue += os.read(self.fd, min(65_536, room))
        except OSError:  # the program has ended
            return False
        return True

    def _deliver(self) -> None:
        now = time.perf_counter()
        self._credit = min(self._credit + (now - self._then) * self.line.rate, self.line.rate * 0.05 + 2_000)
        self._then = now
        count = int(min(self._credit, len(self._queue)))
        if not count:
            return
        arrived = bytes(self._queue[:count])
        del self._queue[:count]
        self._credit -= count
        before = len(self.log)
        self.log += arrived
        self._stream.feed(modern(arrived))
        for found in _QUESTION.finditer(self.log, max(0, before - 8)):
            if found.end() > before:
                answer = b"\x1b[?2026;2$y" if b"2026" in found[0] else b"\x1b[1;1R"
                self._back.append((now + self.line.trip, answer))

    def _size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def modern(data: bytes) -> bytes:
    """Without the sequences that came after pyte: it would take their last letters for text."""
    return re.sub(rb"\x1b\[[><=][0-9;]*[a-z]|\x1b\[\?2(?:026|048)\$p", b"", data)
