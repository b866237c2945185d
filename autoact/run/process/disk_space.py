"""Room on a run's disk: how much a run needs to start, and the ballast that goes overboard when there is none left."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from autoact.errors import BadInput, DiskFull
from autoact.files import disk
from autoact.run.record.folder import RunFolder

NEEDED, COMFORTABLE = 200_000_000, 2_000_000_000
"""Bytes free below which a run does not start, and below which a person is warned."""
BALLAST = 1 << 20
HEADROOM = 1 << 19
"""Bytes that must be free beside the ballast when it is loaded: two of the longest lines."""


def check_room(path: Path, free: int | None = None) -> str:
    """A warning when the disk of `path` is nearly full, else nothing. Raises DiskFull below 200 MB.

    `free` is in bytes and is asked of the disk when left out.
    """
    free = _free(path) if free is None else free
    if free < NEEDED:
        raise DiskFull(f"{path}: {free / 1e6:.0f} MB free, a run needs {NEEDED / 1e6:.0f} MB to start")
    if free < COMFORTABLE:
        return f"{path}: only {free / 1e9:.1f} GB free; a run that finds the disk full pauses until there is room"
    return ""


def roomy(path: Path) -> bool:
    """Whether a run could start here now."""
    return _free(path) >= NEEDED


class Ballast:
    """A megabyte of nothing that a job carries, so that a full disk still takes its last words."""

    def __init__(self, folder: RunFolder):
        self.path = folder.ballast

    def load(self) -> bool:
        """Take it on, unless there is too little room for it and some lines more; whether it is there."""
        try:
            disk.clear_path(self.path)
            with os.fdopen(disk.open_file(self.path, os.O_RDWR | os.O_CREAT), "wb") as file:
                _reserve(file.fileno(), 0, BALLAST + HEADROOM)
                file.truncate(BALLAST)
        except (OSError, BadInput):  # no room, or no file: that is the answer
            self.drop()
            return False
        return True

    def drop(self) -> None:
        """Throw it out; its room is free at once."""
        with suppress(OSError):  # the disk is in trouble already, and this was to help
            self.path.unlink(missing_ok=True)


def _free(path: Path) -> int:
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def _fill(descriptor: int, start: int, size: int) -> None:
    """Noise, because a file system may keep zeros in no space at all."""
    written = os.pwrite(descriptor, os.urandom(size), start)
    if written < size:
        raise OSError(errno.ENOSPC, "only part of it fitted")


_reserve = getattr(os, "posix_fallocate", _fill)  # macOS has no posix_fallocate
