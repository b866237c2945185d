"""The files of a project that the studio reads, and so are copied: texts and logs, without corpus, weights and keys."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from autoact.errors import BadInput
from autoact.files import disk

SMALL = 1 << 20
"""The most bytes of a file that is no log."""
CHECKED = 4096
"""Bytes at the end of a log that tell whether two are the same so far."""
TOP = frozenset({"project.toml", "tools.toml", "examples.jsonl", "ratings.jsonl"})
DEPTHS = {"questions": 1, "exports": 1, "experiments": 2, "runs": 2}
"""The folders whose files are copied, and how many folders lie above those files."""
_SUFFIXES = (".toml", ".jsonl", ".json", ".log", ".txt", ".html", ".md", ".svg", ".csv")
Stamp = tuple[int, int, int]
"""A file's number, time of change in ns, and size in bytes: another one means that it may have changed."""


def is_log(file: str) -> bool:
    """Returns whether a file, by its path in the project, grows by lines; its lines are copied as they come."""
    return file.startswith("runs/") and file.endswith((".jsonl", ".log")) and not is_edited(file)


def is_edited(file: str) -> bool:
    """Returns whether the studio writes a file, by its path in the project."""
    return file in TOP or file.startswith("exports/") or file.endswith("/marks.jsonl")


def run_of(file: str) -> str:
    """Returns the name of the run to which a file belongs; empty for one of the project."""
    parts = file.split("/", 2)
    return parts[1] if parts[0] == "runs" and len(parts) == 3 else ""


def source(project: Path, file: str) -> Path:
    """Returns the place of a file of a project. Of the files in TOP, which a person may have elsewhere, links are
    followed. Raises BadInput as `safe_path`."""
    path = safe_path(project, file)
    return path.resolve() if file in TOP else path


def list_files(project: Path) -> Iterator[tuple[str, Stamp]]:
    """Returns the files to copy, by their path in the project with slashes. Raises OSError."""
    for file in TOP:
        stamp = read_stamp(source(project, file))
        if stamp and stamp[2] <= SMALL:
            yield file, stamp
    for folder, depth in DEPTHS.items():
        yield from _list_folder(project, folder, depth)


def list_run(project: Path, name: str) -> Iterator[tuple[str, Stamp]]:
    """Returns the files of a run as `list_files` does."""
    yield from _list_folder(project, f"runs/{name}", DEPTHS["runs"])


def list_edited(project: Path) -> Iterator[tuple[str, Stamp]]:
    """Returns the files that the studio writes, of any size. Raises OSError."""
    paths = [*(project / name for name in TOP), *project.glob("exports/*"), *project.glob("runs/*/marks.jsonl")]
    for path in paths:
        name, stamp = path.relative_to(project).as_posix(), read_stamp(path)
        if stamp and name.endswith(_SUFFIXES) and not is_hidden(name):
            yield name, stamp


def is_hidden(name: str) -> bool:
    """Returns whether a path is left out for a name in it: a hidden one, or one that cannot be shown."""
    return not name.isprintable() or any(part.startswith(".") for part in name.split("/"))


def _list_folder(project: Path, folder: str, depth: int) -> Iterator[tuple[str, Stamp]]:
    """Returns the files that lie `depth` folders below the project, in `folder`."""
    try:
        entries = list(os.scandir(project / folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        name = f"{folder}/{entry.name}" if folder else entry.name
        if is_hidden(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            if name.count("/") < depth:
                yield from _list_folder(project, name, depth)
        elif name.count("/") == depth and name.endswith(_SUFFIXES):
            stamp = read_stamp(project / name)
            if stamp and (stamp[2] <= SMALL or is_log(name)):
                yield name, stamp


def read_stamp(path: Path) -> Stamp | None:
    """Returns the stamp of a file; None where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def checksum(path: Path, size: int | None = None) -> int | None:
    """Returns the checksum of a file's last CHECKED bytes before the byte `size`, or of the whole file without it.

    None where it has fewer bytes or cannot be read.
    """
    try:
        with disk.open_bytes(path) as file:
            if size is None:
                return zlib.crc32(file.read(SMALL + 1))
            begin = max(0, size - CHECKED)
            file.seek(begin)
            data = file.read(size - begin)
    except (OSError, BadInput):
        return None
    return zlib.crc32(data) if len(data) == size - begin else None


def safe_path(root: Path, file: str) -> Path:
    """Returns the place of a file below `root`. Raises BadInput for one that would lie elsewhere or is hidden."""
    parts = PurePosixPath(file).parts
    if not parts or file.startswith("/") or any(part.startswith(".") for part in parts):
        raise BadInput("not the path of a file in a project", file=file)
    return root.joinpath(*parts)
