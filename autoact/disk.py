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
from typing import BinaryIO, TypeVar

import msgspec

from autoact.errors import BadInput, DiskFull

T = TypeVar("T")

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors that mean: no room."""
SMALL = 1 << 20
"""Bytes of the longest file that is read as a whole: a lock, a heartbeat, a command."""
_KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFLNK: "a symbolic link",
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip


def open_file(path: Path, flags: int = os.O_RDONLY) -> int:
    """A descriptor of the regular file at `path`. Never waits, as opening a named pipe would, and follows no link.

    Raises BadInput for anything but a regular file; FileNotFoundError and other OSErrors as os.open does.
    """
    try:
        descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY, 0o600)
    except OSError:
        if other_kind(path):
            raise _not_a_file(path) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_a_file(path)
    return descriptor


def open_bytes(path: Path) -> BinaryIO:
    """The regular file at `path`, open for reading. Raises as `open_file` does."""
    return os.fdopen(open_file(path), "rb")


def read_file(path: Path, most: int = SMALL) -> bytes:
    """The bytes of the regular file at `path`. Raises as `open_file` does, and BadInput for more than `most` bytes."""
    with open_bytes(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise BadInput(f"expected at most {most:,} bytes", file=path)
    return data


def read_struct(path: Path, kind: type[T]) -> T | None:
    """What a small JSON file says; None where there is no such file, or none that says a `kind`.

    Raises BadInput where something that is no file stands in its place.
    """
    try:
        return msgspec.json.decode(read_file(path), type=kind)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def file_size(path: Path) -> int:
    """Bytes of the regular file at `path`; 0 where there is none, or where that cannot be known."""
    try:
        found = path.lstat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def other_kind(path: Path) -> str:
    """What stands at `path` in the place of a file, as `a folder`; empty for a regular file and for nothing."""
    return _KINDS.get(stat.S_IFMT(_mode(path)), "")


def clear_path(path: Path) -> None:
    """Let a file be made at `path`: a folder that stands there is renamed; a pipe, a socket, a device or a link, which
    hold nothing themselves, are removed."""
    kind = other_kind(path)
    if kind == _KINDS[stat.S_IFDIR]:
        number = 1
        while os.path.lexists(aside := path.with_name(f"{path.name}.aside{number}")):
            number += 1
        path.rename(aside)
    elif kind:
        path.unlink(missing_ok=True)


def _mode(path: Path) -> int:
    """Kind and permissions as lstat gives them; 0 where there is nothing, or nothing that may be seen."""
    try:
        return path.lstat().st_mode
    except OSError:
        return 0


def _not_a_file(path: Path) -> BadInput:
    return BadInput(f"expected a file, found {other_kind(path) or 'something else'}", file=path)


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
