"""Reads, writes and locks files and folders: a reader finds them complete or absent, and no change is lost."""

from __future__ import annotations

import errno
import fcntl
import glob
import hashlib
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from autoact.errors import AutoActError, BadInput, DiskFull

FULL_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a full disk."""
OWNER_ONLY, WORLD_READABLE = 0o600, 0o644
"""Modes of new files."""
SMALL_FILE = 1 << 20
"""The most bytes of a file that is read as a whole: a lock, a heartbeat, a command."""
_KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFLNK: "a symbolic link",
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip
LOCK_POLL, LOCK_TIMEOUT = 0.02, 10.0
"""Seconds between two tries for a folder's lock, and for all tries."""


# -- reading ---------------------------------------------------------------------------------------------------------


def expand_user(path: str | Path) -> Path:
    """Returns a path with the home folder in place of `~` or `~name`. Raises BadInput for an unknown user."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise BadInput("no such user, so no such home folder", file=path) from error


def open_file(path: Path, flags: int = os.O_RDONLY) -> int:
    """Opens the regular file at `path`; returns a descriptor. Follows no link and never blocks on a named pipe.

    Raises BadInput for anything but a regular file; FileNotFoundError and other OSErrors as os.open does.
    """
    try:
        descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY, 0o600)
    except OSError:
        if non_file_kind(path):
            raise _not_a_file(path) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_a_file(path)
    return descriptor


def open_bytes(path: Path) -> BinaryIO:
    """Opens the regular file at `path` for reading. Raises as `open_file` does."""
    return os.fdopen(open_file(path), "rb")


def read_file(path: Path, most: int = SMALL_FILE) -> bytes:
    """Reads the regular file at `path`. Raises as `open_file` does, and BadInput for more than `most` bytes."""
    with open_bytes(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise BadInput(f"expected at most {most:,} bytes", file=path)
    return data


def file_size(path: Path) -> int:
    """Returns the bytes of the regular file at `path`; 0 when there is none or its size cannot be read."""
    try:
        found = path.lstat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def file_time(path: Path) -> int:
    """Returns the modification time of a file in ns; 0 when there is none or it cannot be read."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def non_file_kind(path: Path) -> str:
    """Returns the kind of a non-file at `path`, such as `a folder`; empty for a regular file and for nothing."""
    return _KINDS.get(stat.S_IFMT(_mode(path)), "")


def clear_path(path: Path) -> None:
    """Frees `path` for a regular file: renames a folder, removes a pipe, a socket, a device or a link."""
    kind = non_file_kind(path)
    if kind == _KINDS[stat.S_IFDIR]:
        number = 1
        while os.path.lexists(aside := path.with_name(f"{path.name}.aside{number}")):
            number += 1
        path.rename(aside)
    elif kind:
        path.unlink(missing_ok=True)


def _mode(path: Path) -> int:
    """Returns kind and permissions as lstat does; 0 when there is nothing or it may not be read."""
    try:
        return path.lstat().st_mode
    except OSError:
        return 0


def _not_a_file(path: Path) -> BadInput:
    return BadInput(f"expected a file, found {non_file_kind(path) or 'something else'}", file=path)


# -- writing ---------------------------------------------------------------------------------------------------------


def replace(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Writes a file of the program, readable by its owner only and never half written; `durable`, flushed to disk."""
    _replace(path, data, OWNER_ONLY, durable=durable)


def rewrite(path: Path, data: bytes, *, mode: int = WORLD_READABLE) -> None:
    """Writes a file of a person, durably: a link stays a link, a file keeps its mode; a new file gets `mode`."""
    path = path.resolve()
    _replace(path, data, stat.S_IMODE(path.stat().st_mode) if path.exists() else mode)


def change_file(path: Path, change: Callable[[bytes | None], bytes], *, mode: int = WORLD_READABLE) -> None:
    """Rewrites a file with what `change` returns for its bytes (None when it is absent), under its folder's lock.

    Raises AutoActError when the lock is not free in time.
    """
    with lock_folder(path.resolve().parent):
        before = path.read_bytes() if path.exists() else None
        after = change(before)
        if after != before:
            rewrite(path, after, mode=mode)


@contextmanager
def new_file(path: Path, *, mode: int = OWNER_ONLY) -> Iterator[BinaryIO]:
    """Opens a hidden file for writing, which becomes `path` if the block ends without an error.

    Raises FileExistsError when `path` exists, even if it appeared meanwhile.
    """
    with _part_file(path) as (part, descriptor):
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            yield file
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
        _publish(part, path)


def _publish(part: Path, target: Path) -> None:
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY))
    try:
        part.replace(target)  # replaces the empty file made above, which claimed the name
    except BaseException:
        target.unlink()
        raise
    sync_folder(target.parent)


def _replace(path: Path, data: bytes, mode: int, *, durable: bool = True) -> None:
    with _part_file(path) as (part, descriptor):
        _fill(descriptor, data, mode, durable=durable)
        part.replace(path)
    if durable:
        sync_folder(path.parent)


def _fill(descriptor: int, data: bytes, mode: int, *, durable: bool) -> None:
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.write(data)
    os.fchmod(descriptor, mode)
    if durable:
        os.fsync(descriptor)


@contextmanager
def _part_file(target: Path) -> Iterator[tuple[Path, int]]:
    def make(part: Path) -> int:
        return os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY)

    remove_leftovers(target)
    part, descriptor = _make_locked(target, make)
    try:
        yield part, descriptor
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


# -- folders ---------------------------------------------------------------------------------------------------------


@contextmanager
def fill_folder(target: Path, part: Path, *, over: bool = False) -> Iterator[Path]:
    """Makes the folder `part` to fill; it is renamed to `target` if the block ends without an error, else removed.

    What a dead process left in `part` is removed; an existing `target` only with `over`. Once this has returned, the
    folder survives a power loss. Raises DiskFull when there is no space, FileExistsError when `target` exists.
    """
    _remove(part)
    try:
        with raise_disk_full(target):
            part.mkdir(parents=True, mode=0o700)
            yield part
            publish_folder(part, target, over=over)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Makes a hidden folder to fill, which becomes `target` if the block ends without an error.

    Raises DiskFull when there is no space, FileExistsError when `target` exists, even if it appeared meanwhile.
    """

    def make(part: Path) -> int:
        part.mkdir(mode=0o700)
        return os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    with raise_disk_full(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(target)
        part, descriptor = _make_locked(target, make)
        try:
            yield part
            publish_folder(part, target)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        finally:
            os.close(descriptor)


def publish_folder(part: Path, target: Path, *, over: bool = False) -> None:
    """Flushes a folder to the disk and renames it. Raises FileExistsError for an existing `target` without `over`."""
    _sync_tree(part)
    if over:
        _remove(target)
        part.rename(target)
    else:
        rename(part, target)
    sync_folder(target.parent)
    sync_folder(target.parent.parent)  # the parent may be new too


def rename(folder: Path, target: Path) -> None:
    """Renames a folder. Raises FileExistsError when `target` exists, even if it appeared meanwhile."""
    target.mkdir()  # claims the name; a rename alone would replace an existing empty folder
    try:
        folder.rename(target)
    except OSError:
        with suppress(OSError):
            target.rmdir()
        raise


@contextmanager
def raise_disk_full(path: Path) -> Iterator[None]:
    """Turns an error of a full disk into DiskFull; other errors pass."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL_DISK_ERRORS:
            raise
        raise DiskFull(f"{path}: {error.strerror}") from error


def write(path: Path, data: bytes) -> None:
    """Writes a file and flushes it, so that a file written later can hold its checksum."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


# -- locks -----------------------------------------------------------------------------------------------------------


@contextmanager
def lock_folder(folder: Path, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
    """Holds a folder's lock, for files that are read, changed and written back.

    Raises AutoActError when another process holds it for longer than `timeout` seconds. On a file system without
    locks nothing is locked.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        end = time.monotonic() + timeout
        while not _lock(descriptor):
            if time.monotonic() > end:
                raise AutoActError(f"{folder}: another command has been changing it for {timeout:g} s; try again")
            time.sleep(LOCK_POLL)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Returns whether the lock was taken, or the file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _make_locked(target: Path, make: Callable[[Path], int]) -> tuple[Path, int]:
    """Makes a hidden file or folder beside `target`, locked while its descriptor is open, so that nobody removes it."""
    while True:
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        descriptor = make(part)
        with suppress(OSError):  # on a file system without locks nothing is removed
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return part, descriptor
        os.close(descriptor)  # it was removed before it was locked


def remove_leftovers(target: Path) -> None:
    """Removes the unfinished files that killed commands left when they wrote `target`."""
    for part in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        with suppress(OSError):
            _remove_leftover(part)


def _remove_leftover(part: Path) -> None:
    """Removes one. Raises OSError (or BlockingIOError) when it is still being written, or its lock cannot be read."""
    descriptor = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            shutil.rmtree(part)
        else:
            part.unlink()
    finally:
        os.close(descriptor)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _sync_tree(folder: Path) -> None:
    for inside, _, files in os.walk(folder):
        for path in (Path(inside, name) for name in files):
            if path.is_file() and not path.is_symlink():
                sync_file(path)
        sync_folder(Path(inside))


def sync_file(path: Path) -> None:
    """Flushes a file to the disk."""
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Flushes a folder's entries to the disk, without which a rename does not survive a power loss."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """Returns the hex digest of a file, read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
