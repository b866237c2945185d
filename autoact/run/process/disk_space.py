"""Space on a run's disk: the amount a run needs to start, and a reserve file that is deleted when the disk is full."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from autoact.errors import BadInput, DiskFull
from autoact.files import disk
from autoact.run.record.folder import RunFolder

NEEDED, COMFORTABLE = 200_000_000, 2_000_000_000
"""Free bytes below which a run does not start, and below which a person is warned."""
RESERVE = 1 << 20
"""Size of the reserve file in bytes."""
HEADROOM = 1 << 19
"""Bytes that must be free in addition when the reserve file is made: two of the longest lines."""


def check_room(path: Path, free: int | None = None) -> str:
    """Returns a warning when the disk of `path` is nearly full, else an empty string. Raises DiskFull below 200 MB.

    `free` is in bytes and is read from the disk when left out.
    """
    free = _free(path) if free is None else free
    if free < NEEDED:
        raise DiskFull(f"{path}: {free / 1e6:.0f} MB free, a run needs {NEEDED / 1e6:.0f} MB to start")
    if free < COMFORTABLE:
        return f"{path}: only {free / 1e9:.1f} GB free; a run that finds the disk full pauses until there is room"
    return ""


def has_room(path: Path) -> bool:
    """Returns True when the disk has as much room as a run needs to start."""
    return _free(path) >= NEEDED


class ReserveFile:
    """A 1 MB file that a job deletes when the disk is full, so that its last events can be written."""

    def __init__(self, folder: RunFolder):
        self.path = folder.reserve

    def create(self) -> bool:
        """Makes the file. Returns False when there is no room for it and HEADROOM."""
        try:
            disk.clear_path(self.path)
            with os.fdopen(disk.open_file(self.path, os.O_RDWR | os.O_CREAT), "wb") as file:
                _reserve(file.fileno(), 0, RESERVE + HEADROOM)
                file.truncate(RESERVE)
        except (OSError, BadInput):  # no room, or the path is not a file
            self.delete()
            return False
        return True

    def delete(self) -> None:
        """Deletes the file, which frees its room at once."""
        with suppress(OSError):  # the caller is already handling a disk error
            self.path.unlink(missing_ok=True)


def _free(path: Path) -> int:
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def _fill(descriptor: int, start: int, size: int) -> None:
    """Writes random bytes, because some file systems use no space for zeros."""
    written = os.pwrite(descriptor, os.urandom(size), start)
    if written < size:
        raise OSError(errno.ENOSPC, "only part of it fitted")


_reserve = getattr(os, "posix_fallocate", _fill)  # macOS has no posix_fallocate
