"""Unpacking of an untrusted archive of a run: only files that a run has, with limits on their number and size.

Entries are read one after another from the stream. Other features of the tar format (links, devices, long names,
sparse files, permissions, owners) are refused or ignored, so they have no effect.
"""

from __future__ import annotations

import gzip
import os
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from autoact.errors import BadInput

RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
FILES = re.compile(
    r"run\.toml|events\.jsonl|events\.torn\.[0-9]{1,12}|exit\.json|marks\.jsonl|set-aside\.txt"
    r"|examples/[a-z][a-z0-9_-]{0,39}\.jsonl"
    r"|adapters/[a-z][a-z0-9_-]{0,39}/(README\.md|adapter_config\.json|adapter_model\.safetensors)"
    r"|checkpoints/[a-z][a-z0-9_-]{0,39}/step-[0-9]{6}/(manifest|state\.safetensors)"
)
"""The files that an archive holds; others are refused. None is a pickle, and no two names differ only in case."""
FOLDERS = re.compile(r"((examples|adapters|checkpoints)(/[a-z][a-z0-9_-]{0,39}(/step-[0-9]{6})?)?)?")
MOST_FILES = 10_000
MOST_BYTES = 8 << 30
ALWAYS_ALLOWED, RATIO = 64 << 20, 100
"""Unpacked bytes that are always allowed, and the number allowed in addition for each packed byte; logs reach 20."""
LARGE = re.compile(r".*\.(jsonl|safetensors)|events\.torn\..*")
SMALL_BYTES = 1 << 20
"""The limit for files that are read in one piece: settings, manifests, model cards."""
CHUNK = 1 << 16
BLOCK = tarfile.BLOCKSIZE
PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)


def unpack(file: Path, folder: Path) -> str:
    """Writes the files of an archive below an empty `folder`. Returns the name of the run in the archive.

    Raises BadInput for an archive that no export has written, and OSError when the disk fails. Some files may then
    have been written.
    """
    try:
        packed = file.open("rb")
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=file) from error
    try:
        with packed:
            return _Unpacker(file, packed).write_files(folder)
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.HeaderError, UnicodeDecodeError) as error:
        raise BadInput(f"not a whole .tar.gz: {error}", file=file) from error


class _Unpacker:
    """One reading of an archive, from its beginning to its end."""

    def __init__(self, file: Path, packed: BinaryIO):
        self.file = file
        self.stream = gzip.GzipFile(fileobj=packed, mode="rb")
        self.left = min(MOST_BYTES, ALWAYS_ALLOWED + RATIO * os.fstat(packed.fileno()).st_size)
        """Number of bytes that may still be unpacked."""
        self.name = ""
        self.seen: set[str] = set()

    def write_files(self, folder: Path) -> str:
        for entry in self._entries():
            inner = self._inner(entry)
            if entry.isdir() and FOLDERS.fullmatch(inner):
                continue  # folders are made with their files
            if entry.type not in PLAIN or not FILES.fullmatch(inner):
                raise self._bad(f"holds {entry.name[:200]!r}, which is not a file of a run")
            if inner in self.seen:
                raise self._bad(f"holds {inner} twice")
            self.seen.add(inner)
            self._write(folder / inner, entry.size)
        return self.name

    def _entries(self) -> Iterator[tarfile.TarInfo]:
        for _ in range(MOST_FILES):
            header = self._take(BLOCK)
            if not any(header):
                return self._drain()
            entry = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
            limit = self.left if LARGE.fullmatch(entry.name) else min(self.left, SMALL_BYTES)
            if not 0 <= entry.size <= limit:
                raise self._bad(f"holds {entry.name[:200]!r} of {entry.size:,} bytes; {limit:,} would do")
            yield entry
        raise self._bad(f"holds more than {MOST_FILES:,} files")

    def _inner(self, entry: tarfile.TarInfo) -> str:
        """Returns the entry's path within the run. Raises BadInput unless all are below one folder named as a run."""
        name, _, inner = entry.name.partition("/")
        self.name = self.name or name
        if name != self.name or not RUN_NAME.fullmatch(name):
            raise self._bad(f"holds {entry.name[:200]!r}; expected one folder with the name of a run")
        return inner

    def _write(self, path: Path, size: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as target:
            for start in range(0, size, CHUNK):
                target.write(self._take(min(CHUNK, size - start)))
        self._take(-size % BLOCK)

    def _take(self, count: int) -> bytes:
        self.left -= count
        if self.left < 0:
            raise self._bad("would unpack to more than a run can be")
        data = self.stream.read(count)
        if len(data) < count:
            raise self._bad("ends in the middle")
        return data

    def _drain(self) -> None:
        """Reads to the end of the stream, where gzip compares its checksum. Raises BadInput for other bytes than 0."""
        self.left = min(self.left, SMALL_BYTES)
        while data := self.stream.read(CHUNK):
            self.left -= len(data)
            if any(data) or self.left < 0:
                raise self._bad("goes on after its end")

    def _bad(self, what: str) -> BadInput:
        return BadInput(what, file=self.file)
