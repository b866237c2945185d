"""Unpacking a run's archive as if a stranger had made it: only files that a run has, no more of them than will fit.

Entries are read one after another from the stream itself. What the tar format can also say (links, devices, long
names, sparse files, permissions, owners) is refused or not looked at, so it cannot do anything.
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
    r"run\.toml|events\.jsonl|events\.torn\.[0-9]{1,12}|exit\.json"
    r"|examples/[a-z][a-z0-9_-]{0,39}\.jsonl"
    r"|adapters/[a-z][a-z0-9_-]{0,39}/(README\.md|adapter_config\.json|adapter_model\.safetensors)"
    r"|checkpoints/[a-z][a-z0-9_-]{0,39}/step-[0-9]{6}/(manifest|state\.safetensors)"
)
"""What an archive holds of a run, and all that it may hold. No pickle is among it, and no two differ in case alone."""
FOLDERS = re.compile(r"((examples|adapters|checkpoints)(/[a-z][a-z0-9_-]{0,39}(/step-[0-9]{6})?)?)?")
MOST_FILES = 10_000
MOST_BYTES = 8 << 30
FREELY, RATIO = 64 << 20, 100
"""Unpacked bytes that are fine in any case, and how many more there may be for each packed one; logs reach 20."""
LARGE = re.compile(r".*\.(jsonl|safetensors)|events\.torn\..*")
SMALL_BYTES = 1 << 20
"""For files that are read in one piece: settings, manifests, cards."""
CHUNK = 1 << 16
BLOCK = tarfile.BLOCKSIZE
PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)


def unpack(file: Path, folder: Path) -> str:
    """Write the files of an archive below an empty `folder`; the name that the run had.

    Raises BadInput for anything that is not as a run's archive is, OSError when the disk does not take it. Some
    files may then be there already.
    """
    try:
        packed = file.open("rb")
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=file) from error
    try:
        with packed:
            return _Unpacking(file, packed).into(folder)
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.HeaderError, UnicodeDecodeError) as error:
        raise BadInput(f"not a whole .tar.gz: {error}", file=file) from error


class _Unpacking:
    """One walk through an archive."""

    def __init__(self, file: Path, packed: BinaryIO):
        self.file = file
        self.stream = gzip.GzipFile(fileobj=packed, mode="rb")
        self.left = min(MOST_BYTES, FREELY + RATIO * os.fstat(packed.fileno()).st_size)
        self.name = ""
        self.seen: set[str] = set()

    def into(self, folder: Path) -> str:
        for entry in self._entries():
            inner = self._inner(entry)
            if entry.isdir() and FOLDERS.fullmatch(inner):
                continue  # folders come with their files
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
        """The entry's path within the run; all entries are below one folder with the name of the run."""
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
        """After the end come only zeros, and at last gzip's own checksum, which is compared when it is read."""
        self.left = min(self.left, SMALL_BYTES)
        while data := self.stream.read(CHUNK):
            self.left -= len(data)
            if any(data) or self.left < 0:
                raise self._bad("goes on after its end")

    def _bad(self, what: str) -> BadInput:
        return BadInput(what, file=self.file)
