"""Files and folders that are whole or absent, and changes that no other command undoes."""

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
from typing import BinaryIO, TypeVar

import msgspec

from autoact.errors import AutoActError, BadInput, DiskFull

T = TypeVar("T")

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors that mean: no room."""
OWNER_ONLY, MADE_TO_BE_READ = 0o600, 0o644
"""Modes of new files."""
SMALL = 1 << 20
"""Bytes of the longest file that is read as a whole: a lock, a heartbeat, a command."""
_KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFLNK: "a symbolic link",
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip
LOOK, PATIENCE = 0.02, 10.0
"""Seconds between tries for a folder's lock, and in all."""


# -- reading ---------------------------------------------------------------------------------------------------------


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


# -- writing ---------------------------------------------------------------------------------------------------------


def replace(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Put `data` at `path` so that a reader sees the old file or the new one, never a mix.

    Durable also means: after this returns, the new file survives a power loss. Only its owner can read the file.
    """
    _replace(path, data, OWNER_ONLY, durable=durable)


def rewrite(path: Path, data: bytes, *, mode: int = MADE_TO_BE_READ) -> None:
    """Replaces a file that a person keeps: a link stays a link, a file keeps its mode; `mode` is that of a new one."""
    path = path.resolve()
    _replace(path, data, stat.S_IMODE(path.stat().st_mode) if path.exists() else mode)


def change_file(path: Path, change: Callable[[bytes | None], bytes], *, mode: int = MADE_TO_BE_READ) -> None:
    """Rewrites a file as `change` makes it of its bytes (None: there is no file), without losing another's change.

    Others who change files of this folder under its lock come before or after. Raises AutoActError when that takes
    too long.
    """
    with locked(path.resolve().parent):
        before = path.read_bytes() if path.exists() else None
        after = change(before)
        if after != before:
            rewrite(path, after, mode=mode)


@contextmanager
def new_file(path: Path, *, mode: int = OWNER_ONLY) -> Iterator[BinaryIO]:
    """A file to write under a hidden name of its own, which becomes `path` when all went well.

    Raises FileExistsError when there is something of that name, also since a moment, and leaves it alone.
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
        part.replace(target)  # takes the place of the empty file that was made in the line above
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

    sweep(target)
    part, descriptor = _held(target, make)
    try:
        yield part, descriptor
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


# -- folders ---------------------------------------------------------------------------------------------------------


@contextmanager
def filled(target: Path, part: Path, *, over: bool = False) -> Iterator[Path]:
    """A folder to fill: `part`, which takes the name `target` when all went well and vanishes otherwise.

    What a dead process left in `part` is removed, and an earlier `target` only if `over` says that this command's
    own work may be replaced. After this the folder, all its files flushed, survives a power loss. Raises DiskFull
    when there is no room, FileExistsError when another has taken the name meanwhile.
    """
    _removed(part)
    try:
        with room(target):
            part.mkdir(parents=True, mode=0o700)
            yield part
            settle(part, target, over=over)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to fill under a hidden name of its own, which becomes `target` when all went well.

    Raises DiskFull when there is no room, FileExistsError when there is something of that name, also since a moment.
    """

    def make(part: Path) -> int:
        part.mkdir(mode=0o700)
        return os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    with room(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target)
        part, descriptor = _held(target, make)
        try:
            yield part
            settle(part, target)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        finally:
            os.close(descriptor)


def settle(part: Path, target: Path, *, over: bool = False) -> None:
    """Give a folder and all its files to the disk, then its name; `over` lets it take the place of another.

    Without it, raises FileExistsError when there is something of that name.
    """
    _sync_tree(part)
    if over:
        _removed(target)
        part.rename(target)
    else:
        rename(part, target)
    sync_folder(target.parent)
    sync_folder(target.parent.parent)  # the parent may be as new


def rename(folder: Path, target: Path) -> None:
    """Gives a folder another name. Raises FileExistsError when there is something of that name, also since a moment."""
    target.mkdir()  # claims the name; a bare rename would replace an empty folder of someone else's
    try:
        folder.rename(target)
    except OSError:
        with suppress(OSError):
            target.rmdir()
        raise


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


# -- one at a time ---------------------------------------------------------------------------------------------------


@contextmanager
def locked(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Holds the right to change files of a folder; for what is read, changed and written back.

    Raises AutoActError when another command holds it for longer than `patience` seconds. Where the file system keeps
    no locks there is nothing to wait for.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        end = time.monotonic() + patience
        while not _lock(descriptor):
            if time.monotonic() > end:
                raise AutoActError(f"{folder}: another command has been changing it for {patience:g} s; try again")
            time.sleep(LOOK)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Whether the lock was free, or there are none on this file system."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _held(target: Path, make: Callable[[Path], int]) -> tuple[Path, int]:
    """A new hidden file or folder beside `target`, locked as long as its descriptor is open: no one sweeps it away."""
    while True:
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        descriptor = make(part)
        with suppress(OSError):  # a file system without locks: then nobody sweeps
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return part, descriptor
        os.close(descriptor)  # it was swept away before it was locked


def sweep(target: Path) -> None:
    """Removes what commands that were killed left of earlier tries to write `target`."""
    for part in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        with suppress(OSError):
            _sweep(part)


def _sweep(part: Path) -> None:
    """Raises OSError, BlockingIOError for one, when the part is still being written, or nobody can know."""
    descriptor = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            shutil.rmtree(part)
        else:
            part.unlink()
    finally:
        os.close(descriptor)


def _removed(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _sync_tree(folder: Path) -> None:
    for inside, _, files in os.walk(folder):
        for path in (Path(inside, name) for name in files):
            if path.is_file() and not path.is_symlink():
                sync_file(path)
        sync_folder(Path(inside))


def sync_file(path: Path) -> None:
    """Flush one file's bytes to the disk."""
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Flush a folder's names to the disk; a rename is not safe before that."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """Hex digest of a file, read in chunks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
