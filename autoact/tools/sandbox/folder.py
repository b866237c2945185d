"""The folder of its own that a program works in: made empty, measured while it runs, listed, and removed whole."""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autoact.tools.sandbox.bounds import Bounds
from autoact.tools.sandbox.outcome import Made

MOST_LISTED = 20


@contextmanager
def own_folder() -> Iterator[Path]:
    """A new empty folder, its path free of links; gone at the end, whatever was done to it."""
    folder = Path(tempfile.mkdtemp(prefix="autoact-program-")).resolve()
    try:
        yield folder
    finally:
        remove(folder)


def excess(folder: Path, bounds: Bounds) -> str:
    """In words, what there is too much of; empty when there is not."""
    size = count = 0
    waiting = [str(folder)]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except FileNotFoundError:
            continue
        except OSError:
            # A path too long to open, or a folder made unreadable: nothing that a program needs, and a way to hide.
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


def listed(folder: Path) -> tuple[Made, ...]:
    """The files at the top of the folder by name, the first MOST_LISTED of them; hidden ones are not told."""
    with os.scandir(folder) as entries:
        files = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries if entry.name[0] != "."]
    regular = sorted((name, details.st_size) for name, details in files if stat.S_ISREG(details.st_mode))
    return tuple(Made(name, size) for name, size in regular[:MOST_LISTED])


def remove(folder: Path) -> None:
    """Remove the folder with all that is in it, however deep and however barred."""
    folder.chmod(0o700)
    names = itertools.count()
    while inner := [entry for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]:
        for entry in inner:
            # Its folders move up, so that no path grows too long to name and no recursion too deep.
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
