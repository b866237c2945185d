"""Children forked from a warm parent and killed: a fresh interpreter for each death would take most of the time."""

from __future__ import annotations

import os
import select
import signal
import struct
import sys
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple


def fork(work: Callable[[], object]) -> int:
    """Do `work` in a child and return its pid. It ends with 0, or with 1 and a traceback."""
    threads = list(Path("/proc/self/task").iterdir())
    assert len(threads) == 1, "a child of threads may inherit a lock that nobody will release"
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # the boundary of a process
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def outlived(pid: int, due: Callable[[], bool] | None = None) -> bool:
    """Whether a child came to its own end; otherwise it is killed when it is due. Raises when it ended badly."""
    descriptor = os.pidfd_open(pid)
    try:
        while not select.select([descriptor], [], [], 0.001 if due else None)[0]:
            if due and due():
                os.kill(pid, signal.SIGKILL)
                due = None
    finally:
        os.close(descriptor)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status not in (0, -signal.SIGKILL):
        raise RuntimeError(f"a child ended with {status}")
    return status == 0


def grown(path: Path, by: float, delay: float) -> Callable[[], bool]:
    """Whether a file has grown by so many bytes, some seconds ago: a time to die that a busy machine does not shift."""
    goal = size(path) + by

    def due() -> bool:
        if size(path) < goal:
            return False
        time.sleep(delay)
        return True

    return due


def size(path: Path) -> int:
    """Bytes of a file, none when there is no such file."""
    return path.stat().st_size if path.exists() else 0


class Testimony(NamedTuple):
    """What a child swears to have happened, before anything else could."""

    kind: str
    number: int
    mark: int


class Witness:
    """A file of testimonies that outlive their child. A record never spans two pages, hence is never torn."""

    FORM = struct.Struct("<cxxxIQ")

    def __init__(self, path: Path):
        self.path = path
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def tell(self, kind: str, number: int, mark: int) -> None:
        """Write it down at once."""
        os.write(self.descriptor, self.FORM.pack(kind.encode(), number, mark))

    def told(self) -> Iterator[Testimony]:
        """Everything, in order."""
        for kind, number, mark in self.FORM.iter_unpack(self.path.read_bytes()):
            yield Testimony(kind.decode(), number, mark)


def mark(data: bytes) -> int:
    """A short name for some bytes."""
    return zlib.crc32(data) << 32 | zlib.adler32(data)
