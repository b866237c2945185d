"""The files of a project that are copied to the studio: small ones and logs, without corpus, weights and keys."""

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
LEFT_OUT = frozenset({"corpus", "checkpoints", "control"})
"""Folders that are not copied, beside hidden ones."""
_NOT_COPIED = (".lock", ".sock", ".safetensors", ".bin", ".pt", ".gguf", ".part")
Stamp = tuple[int, int, int]
"""A file's number, time of change in ns, and size in bytes: another one means that it may have changed."""


def is_log(file: str) -> bool:
    """Returns whether a file, by its path in the project, grows by lines; its lines are copied as they come."""
    return file.startswith("runs/") and file.endswith(".jsonl") and not is_edited(file)


def is_edited(file: str) -> bool:
    """Returns whether the studio may change a file, by its path in the project."""
    return not file.startswith("runs/") or file.endswith("/marks.jsonl")


def run_of(file: str) -> str:
    """Returns the name of the run to which a file belongs; empty for one of the project."""
    parts = file.split("/", 2)
    return parts[1] if parts[0] == "runs" and len(parts) == 3 else ""


def list_files(project: Path, *, below: str = "", left_out: frozenset[str] = LEFT_OUT) -> Iterator[tuple[str, Stamp]]:
    """Returns the files to copy, by their path in the project with slashes, below a folder of it. Follows no link."""
    try:
        entries = list(os.scandir(project / below))
    except OSError:  # deleted meanwhile
        return
    for entry in entries:
        name = f"{below}/{entry.name}" if below else entry.name
        try:
            if entry.name.startswith(".") or not name.isprintable():
                continue
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in left_out:
                    yield from list_files(project, below=name)
            elif entry.is_file(follow_symlinks=False) and not name.endswith(_NOT_COPIED):
                found = entry.stat(follow_symlinks=False)
                if found.st_size <= SMALL or is_log(name):
                    yield name, (found.st_ino, found.st_mtime_ns, found.st_size)
        except OSError:  # deleted meanwhile
            continue


def list_edited(project: Path) -> Iterator[tuple[str, Stamp]]:
    """Returns the files that the studio may have changed, as `list_files` does."""
    yield from list_files(project, left_out=LEFT_OUT | {"runs"})
    for marks in project.glob("runs/*/marks.jsonl"):
        if stamp := read_stamp(marks):
            yield marks.relative_to(project).as_posix(), stamp


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
    if not parts or file.startswith("/") or any(part == ".." or part.startswith(".") for part in parts):
        raise BadInput("not the path of a file in a project", file=file)
    return root.joinpath(*parts)
