"""A ZIM file, the format in which Kiwix distributes encyclopedias: pages by title, read directly from the file.

The format is that of https://openzim.org, versions 5 and 6. Entries are sorted by path, so that a page is found by
binary search; texts are in clusters, compressed with xz (read here) or zstd (with the package zstandard).
"""

from __future__ import annotations

import lzma
import mmap
import re
import struct
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

from autoact.errors import ToolFailed
from autoact.tools.pages.title_search import fold
from autoact.trajectory import Page

MAGIC = 0x044D495A
MOST_REDIRECTS = 4
LARGEST_CLUSTER = 64_000_000
"""Bytes, unpacked. Kiwix packs about two million into one."""
LARGEST_PAGE = 4_000_000
_HEADER = struct.Struct("<IHH16xIIQQQQII")
_REDIRECT, _PLAIN, _XZ, _ZSTD, _WIDE = 0xFFFF, (0, 1), 4, 5, 0x10
_ALIKE = 3
"""First letters that a suggested title shares with the one asked for."""
_SPACES = re.compile(r"[ _]+")


class ZimEntry(NamedTuple):
    """An entry of the directory."""

    path: bytes
    """The letter of the namespace, then the path in it."""
    title: str
    redirect: int
    """Number of the entry that this one leads to; -1 when it has a page of its own."""
    cluster: int
    blob: int


class Zim:
    """One ZIM file. Reading raises ToolFailed when it is damaged or needs a package that is missing."""

    def __init__(self, file: Path) -> None:
        try:
            with file.open("rb") as stream:
                self._data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            magic, _, minor, self._count, self._clusters, self._paths, _, self._packs, *_ = _HEADER.unpack_from(
                self._data
            )
        except (OSError, ValueError, struct.error) as error:
            raise ToolFailed(f"{file.name} cannot be read as a ZIM file: {error}") from error
        if magic != MAGIC:
            raise ToolFailed(f"{file.name} is not a ZIM file")
        self._space = b"C" if minor >= 1 else b"A"

    def page(self, title: str) -> Page | None:
        """Returns the page with this title, its first letter in either case; None when there is none."""
        for path in _paths_of(title):
            at = self._first(self._space + path)
            if at < self._count and self._entry(at).path == self._space + path:
                entry = self._follow_redirects(at)
                text = page_text(self._blob(entry).decode("utf-8", "replace"))
                return Page(entry.title, text) if text else None
        return None

    def nearby(self, title: str, k: int) -> list[str]:
        """Returns the next titles in order that share the first letters, those that begin with this whole title
        first."""
        (_, capital) = _paths_of(title)
        at = self._first(self._space + capital)
        entries = [self._entry(number) for number in range(max(at - 1, 0), min(at + 8 * k, self._count))]
        start = fold(title)[:_ALIKE]
        inside = [entry.title for entry in entries if entry.path[:1] == self._space]
        inside = [name for name in inside if fold(name).startswith(start)]
        return sorted(dict.fromkeys(inside), key=lambda name: not fold(name).startswith(fold(title)))[:k]

    def _first(self, path: bytes) -> int:
        """Returns the number of the first entry whose path is not before this one."""
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            if self._entry(middle).path < path:
                low = middle + 1
            else:
                high = middle
        return low

    def _follow_redirects(self, at: int) -> ZimEntry:
        for _ in range(MOST_REDIRECTS):
            entry = self._entry(at)
            if entry.redirect < 0:
                return entry
            at = entry.redirect
        raise ToolFailed("the page redirects too often")

    def _entry(self, number: int) -> ZimEntry:
        try:
            (at,) = struct.unpack_from("<Q", self._data, self._paths + 8 * number)
            kind, _, space = struct.unpack_from("<HBc", self._data, at)
            if kind == _REDIRECT:
                (redirect,) = struct.unpack_from("<I", self._data, at + 8)
                cluster = blob = 0
                begins = at + 12
            else:
                redirect = -1
                cluster, blob = struct.unpack_from("<II", self._data, at + 8)
                begins = at + 16
            middle = self._data.find(b"\0", begins)
            ends = self._data.find(b"\0", middle + 1)
        except (struct.error, OverflowError) as error:
            raise _damaged() from error
        if not begins <= middle < ends:
            raise _damaged()
        path = self._data[begins:middle]
        title = (self._data[middle + 1 : ends] or path).decode("utf-8", "replace")
        return ZimEntry(space + path, title, redirect, cluster, blob)

    def _blob(self, entry: ZimEntry) -> bytes:
        try:
            (at,) = struct.unpack_from("<Q", self._data, self._packs + 8 * entry.cluster)
            mark = self._data[at]
            content = self._unpack(mark & 0x0F, at + 1, self._end_of(entry.cluster, at))
            width = "Q" if mark & _WIDE else "I"
            size = struct.calcsize(f"<{width}")
            begins, ends = struct.unpack_from(f"<2{width}", content, size * entry.blob)
        except (struct.error, OverflowError, IndexError, lzma.LZMAError) as error:
            raise _damaged() from error
        if ends - begins > LARGEST_PAGE:
            raise ToolFailed(f"the page has more than {LARGEST_PAGE:,} bytes")
        return bytes(content[begins:ends])

    def _end_of(self, cluster: int, begins: int) -> int:
        """Returns where the next cluster begins; for the last, the end of the file: bytes after it are not unpacked."""
        if cluster + 1 >= self._clusters:
            return len(self._data)
        (ends,) = struct.unpack_from("<Q", self._data, self._packs + 8 * (cluster + 1))
        return ends if ends > begins else len(self._data)

    def _unpack(self, packing: int, begins: int, ends: int) -> bytes:
        packed = self._data[begins : min(ends, begins + LARGEST_CLUSTER)]
        if packing in _PLAIN:
            return packed
        if packing == _XZ:
            return lzma.LZMADecompressor().decompress(packed, LARGEST_CLUSTER)
        if packing == _ZSTD:
            return _zstd(packed)
        raise ToolFailed(f"its texts are compressed in a format (number {packing}) that is not supported")


def _zstd(packed: bytes) -> bytes:
    try:
        import zstandard
    except ImportError as error:
        raise ToolFailed("its texts are compressed with zstd: pip install 'autoact-studio[zim]'") from error
    try:
        with zstandard.ZstdDecompressor().stream_reader(packed) as reader:
            text: bytes = reader.read(LARGEST_CLUSTER)
    except zstandard.ZstdError as error:
        raise _damaged() from error
    return text


def _damaged() -> ToolFailed:
    return ToolFailed("the ZIM file is damaged; fetch it again")


def _paths_of(title: str) -> tuple[bytes, bytes]:
    """Returns the paths that a title may have: as written, and with a capital letter."""
    written = _SPACES.sub("_", title.strip())
    return written.encode(), (written[:1].upper() + written[1:]).encode()


class _Text(HTMLParser):
    """Collects paragraphs; leaves out tables, scripts, styles and footnote marks."""

    def __init__(self) -> None:
        super().__init__()
        self.paragraphs: list[str] = []
        self._inside = 0
        self._skipped: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("table", "style", "script", "sup") or tag in self._skipped:
            self._skipped.append(tag)
        elif tag == "p":
            self._inside = 1
            self.paragraphs.append("")

    def handle_endtag(self, tag: str) -> None:
        if self._skipped and tag == self._skipped[-1]:
            self._skipped.pop()
        elif tag == "p":
            self._inside = 0

    def handle_data(self, data: str) -> None:
        if self._inside and not self._skipped:
            self.paragraphs[-1] += data


def page_text(page: str) -> str:
    """Returns the paragraphs of an HTML page, with a blank line between them."""
    reader = _Text()
    reader.feed(page)
    reader.close()
    kept = (" ".join(paragraph.split()) for paragraph in reader.paragraphs)
    return "\n\n".join(paragraph for paragraph in kept if paragraph)
