"""The folder of one program: created empty, measured while the program runs, listed, and removed whole."""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from autoact.tools.sandbox.bounds import Bounds
from autoact.tools.sandbox.program_result import ProgramFile

MOST_LISTED = 20
_PREFIX = "autoact-program-"


@contextmanager
def program_folder() -> Iterator[Path]:
    """Creates an empty folder, its path free of links, and removes it at the end, whatever the program did to it."""
    folder, lock = _locked_folder()
    try:
        yield folder
    finally:
        # A process that the kernel cannot end yet may still write here: then `sweep` removes the folder later.
        with suppress(OSError):
            remove(folder)
        os.close(lock)


def _locked_folder() -> tuple[Path, int]:
    """Creates a folder and returns it with a descriptor that locks it for as long as this process lives."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
        if (lock := _lock(folder)) is not None:
            return folder, lock
        # A sweep removed it before it was locked.


def _lock(folder: Path) -> int | None:
    """Returns a descriptor that holds the folder's lock; None when another process holds it or the folder is gone."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), folder.lstat()):
            return descriptor
    except OSError:
        pass  # locked by the process that uses it, or removed by the one that did
    os.close(descriptor)
    return None


def sweep() -> None:
    """Removes the folders of this user's sandboxes that were killed before they could remove them."""
    for folder in Path(tempfile.gettempdir()).resolve().glob(f"{_PREFIX}*"):
        with suppress(OSError):  # another sweep removes it, or it belongs to another user
            if folder.lstat().st_uid == os.getuid() and (lock := _lock(folder)) is not None:
                try:
                    remove(folder)
                finally:
                    os.close(lock)


def find_excess(folder: Path, bounds: Bounds) -> str:
    """Says which limit the folder exceeds; empty when none."""
    size = count = 0
    waiting = [str(folder)]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except FileNotFoundError:
            continue
        except OSError:
            # A path too long to open, or a folder made unreadable: no program needs that, and files could hide there.
            return "its folder could not be read"
        for entry in entries:
            count += 1
            try:
                details = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            size += details.st_blocks * 512
            if stat.S_ISDIR(details.st_mode):
                waiting.append(entry.path)
        if size > bounds.folder:
            return f"its files took more than {bounds.folder / 1e6:.0f} MB"
        if count > bounds.entries:
            return f"it made more than {bounds.entries:,} files"
    return ""


def list_files(folder: Path) -> tuple[ProgramFile, ...]:
    """Returns the files at the top of the folder by name, at most MOST_LISTED, without hidden ones."""
    with os.scandir(folder) as entries:
        files = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries if entry.name[0] != "."]
    regular = sorted((name, details.st_size) for name, details in files if stat.S_ISREG(details.st_mode))
    return tuple(ProgramFile(name, size) for name, size in regular[:MOST_LISTED])


def remove(folder: Path) -> None:
    """Removes the folder with all its content, however deep and whatever its permissions."""
    folder.chmod(0o700)
    names = itertools.count()
    while inner := [entry for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]:
        for entry in inner:
            # Its folders move up, so that no path grows too long and no recursion too deep.
            Path(entry.path).chmod(0o700)
            for below in os.scandir(entry.path):
                if below.is_dir(follow_symlinks=False):
                    Path(below.path).chmod(0o700)
                    Path(below.path).rename(_unused(folder, names))
                else:
                    Path(below.path).unlink()
            Path(entry.path).rmdir()
    shutil.rmtree(folder)


def _unused(folder: Path, names: Iterator[int]) -> Path:
    return next(path for number in names if not os.path.lexists(path := folder / f"moved-{number}"))
