"""Wakes a reader as soon as a file changes: through inotify on Linux, by polling elsewhere.

The kernel reports only writes from this machine, so folders on network file systems are polled. The writer is not
involved and does not know its readers.
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
"""Seconds between polls, also with inotify: a change may be missed when the kernel's queue overflows."""

REMOTE = frozenset({
    0x6969, 0xFF534D42, 0xFE534D42, 0x517B, 0x65735546, 0x01021997, 0x00C36400, 0x5346414F, 0x0BD00BD0, 0x47504653,
})  # fmt: skip
"""Linux's type numbers of NFS, CIFS, SMB 2, SMB, FUSE, 9P, Ceph, AFS, Lustre and GPFS."""

_MODIFIED, _CREATED, _MOVED_HERE = 0x2, 0x100, 0x80
_EVENT = struct.Struct("iIII")
"""The fields of an inotify event: watch, mask, cookie, and the length of the name that follows."""


class Watch:
    """Detects changes of files in one folder. The files need not exist yet."""

    def __init__(self, *paths: Path, inotify: bool = True):
        """Without `inotify`, or where the system has none, `wait` sleeps for the whole time."""
        self._folder, self._names = paths[0].parent, {path.name.encode() for path in paths}
        self._descriptor = _open_inotify(self._folder) if inotify and not is_remote(self._folder) else -1

    def fileno(self) -> int:
        """Returns a descriptor that is readable when `read_changes` may return True; -1 without inotify."""
        return self._descriptor

    def wait(self, seconds: float = POLL) -> None:
        """Waits until one of the files changes, at most `seconds`."""
        if self._descriptor < 0:
            time.sleep(seconds)
            return
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if poll.poll(1000 * left) and self.read_changes():
                return

    def read_changes(self) -> bool:
        """Reads the kernel's events since the last call, without waiting. Returns True for one about these files."""
        if self._descriptor < 0:
            return False
        try:
            events = os.read(self._descriptor, 1 << 16)
        except BlockingIOError:
            return False
        return any(name in self._names for name in _file_names(events))

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def is_remote(path: Path) -> bool:
    """Returns True for a network or FUSE file system, whose files may change without an event from this kernel."""
    if not sys.platform.startswith("linux"):
        return False
    answer = ctypes.create_string_buffer(512)  # longer than any kernel's struct statfs
    if ctypes.CDLL(None, use_errno=True).statfs(os.fsencode(path), answer):
        return False
    return ctypes.c_long.from_buffer(answer).value & 0xFFFFFFFF in REMOTE


def _open_inotify(folder: Path) -> int:
    """Returns an inotify descriptor for writes in a folder; -1 where there is no inotify, or no free descriptor."""
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


def _file_names(events: bytes) -> list[bytes]:
    """Returns the file names in a sequence of inotify events."""
    names, offset = [], 0
    while offset + _EVENT.size <= len(events):
        length = _EVENT.unpack_from(events, offset)[3]
        offset += _EVENT.size
        names.append(events[offset : offset + length].rstrip(b"\0"))
        offset += length
    return names
