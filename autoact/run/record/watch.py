"""Waking a reader as soon as a file grows: inotify where the kernel tells, looking now and then where it does not.

The kernel tells only of what is written on this machine, so a folder that others may write to over a network is
looked at. Nothing here touches the writer: it does not know who reads.
"""

from __future__ import annotations

import ctypes
import os
import select
import struct
import sys
import time
from pathlib import Path
from types import TracebackType

POLL = 0.25
"""Seconds between looks, also where the kernel tells: a queue that overflowed would otherwise be missed."""

REMOTE = frozenset({
    0x6969, 0xFF534D42, 0xFE534D42, 0x517B, 0x65735546, 0x01021997, 0x00C36400, 0x5346414F, 0x0BD00BD0, 0x47504653,
})  # fmt: skip
"""Linux's numbers for NFS, CIFS, SMB 2, SMB, FUSE, 9P, Ceph, AFS, Lustre and GPFS."""

_MODIFIED, _CREATED, _MOVED_HERE = 0x2, 0x100, 0x80
_EVENT = struct.Struct("iIII")
"""Watch, mask, cookie, length of the name that follows."""


class Watch:
    """Tells when one of some files in one folder may have changed. They need not exist yet."""

    def __init__(self, *paths: Path, inotify: bool = True):
        """Without `inotify`, or where there is none, waiting is sleeping."""
        self._folder, self._names = paths[0].parent, {path.name.encode() for path in paths}
        self._descriptor = _watching(self._folder) if inotify and not is_remote(self._folder) else -1

    def fileno(self) -> int:
        """Readable when `changed` has news; -1 when only looking helps."""
        return self._descriptor

    def wait(self, seconds: float = POLL) -> None:
        """Until something changed, at most so long."""
        if self._descriptor < 0:
            time.sleep(seconds)
            return
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if poll.poll(1000 * left) and self.changed():
                return

    def changed(self) -> bool:
        """Take what the kernel has told since; whether it was about these files. Never waits."""
        if self._descriptor < 0:
            return False
        try:
            told = os.read(self._descriptor, 1 << 16)
        except BlockingIOError:
            return False
        return any(name in self._names for name in _names(told))

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def is_remote(path: Path) -> bool:
    """Whether another machine, or a program, may change what is at `path` without this kernel's knowing."""
    if not sys.platform.startswith("linux"):
        return False
    answer = ctypes.create_string_buffer(512)  # longer than any kernel's struct statfs
    if ctypes.CDLL(None, use_errno=True).statfs(os.fsencode(path), answer):
        return False
    return ctypes.c_long.from_buffer(answer).value & 0xFFFFFFFF in REMOTE


def _watching(folder: Path) -> int:
    """A descriptor that tells of writes in a folder; -1 where there is no such thing, or no more of them."""
    if not sys.platform.startswith("linux"):
        return -1
    library = ctypes.CDLL(None, use_errno=True)
    descriptor = int(library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
    if descriptor < 0:
        return -1
    if library.inotify_add_watch(descriptor, os.fsencode(folder), _MODIFIED | _CREATED | _MOVED_HERE) < 0:
        os.close(descriptor)
        return -1
    return descriptor


def _names(told: bytes) -> list[bytes]:
    """The file names in what inotify told."""
    names, place = [], 0
    while place + _EVENT.size <= len(told):
        length = _EVENT.unpack_from(told, place)[3]
        place += _EVENT.size
        names.append(told[place : place + length].rstrip(b"\0"))
        place += length
    return names
