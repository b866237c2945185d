"""Files and folders that are whole or absent."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autoact.errors import DiskFull

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors that mean: no room."""


def save(path: Path, data: bytes) -> None:
    """Replaces the content of a file that a person keeps: its permissions stay, and a link to it stays a link.

    A new file can be read by everyone. Files of runs and secrets are written by `replace`, which follows no link.
    """
    target = Path(os.path.realpath(path))
    replace(target, data, mode=stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644)


def replace(path: Path, data: bytes, *, durable: bool = True, mode: int = 0o600) -> None:
    """Put `data` at `path` so that a reader sees the old file or the new one, never a mix.

    Durable also means: after this returns, the new file survives a power loss.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if mode != 0o600:
                os.fchmod(file.fileno(), mode)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


@contextmanager
def filled(target: Path, part: Path) -> Iterator[Path]:
    """A folder to fill: `part`, which takes the name `target` when all went well and vanishes otherwise.

    What a dead process left in `part`, and an earlier `target`, are removed. After this the folder, all its files
    flushed, survives a power loss. Raises DiskFull when there is no room.
    """
    _removed(part)
    try:
        with room(target):
            part.mkdir(parents=True, mode=0o700)
            yield part
            settle(part, target, over=True)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def settle(part: Path, target: Path, *, over: bool = False) -> None:
    """Give a folder and all its files to the disk, then its name; `over` lets it take the place of another."""
    _sync_tree(part)
    if over:
        _removed(target)
    part.rename(target)
    sync_folder(target.parent)
    sync_folder(target.parent.parent)  # the parent may be as new


@contextmanager
def room(path: Path) -> Iterator[None]:
    """Turns an error that means a full disk into DiskFull; others pass."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DiskFull(f"{path}: {error.strerror}") from error


def write(path: Path, data: bytes) -> None:
    """Write a file and flush it, so that a later one can vouch for it."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _removed(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _sync_tree(folder: Path) -> None:
    for inside, _, files in os.walk(folder):
        for name in files:
            sync_file(Path(inside, name))
        sync_folder(Path(inside))


def sync_file(path: Path) -> None:
    """Flush one file's bytes to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Flush a folder's names to the disk; a rename is not safe before that."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """Hex digest of a file, read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
