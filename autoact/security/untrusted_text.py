"""Sanitises untrusted text (of a model, a tool, a file, a folder's name) for a terminal.

Characters that would control a terminal or hide text become visible: a control character as its picture, a bidi or
zero-width character as its code point. Scripts that need joiners, emoji sequences and accents stay as they are.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TextIO, cast

LETTERS, LINES, COLUMNS = 64_000, 2_000, 4_000
"""The most letters of a text, lines of a text, and letters of a line that are shown."""

BREAK = " ⏎ "
"""A line break in a text that is shown as one line."""

_SUSPECT = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]|[^\x00-\x7e]")
_CONTROL = {code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)} | {0x7F: 0x2421}
_CONTROL_8BIT = {code: f"\\x{code:02x}" for code in range(0x80, 0xA0)}
_HIDING = (
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x200B, 0x200E, 0x200F, 0x3164, 0xFEFF, 0xFFA0),
    *(*range(0x2028, 0x202F), *range(0x2060, 0x2070), *range(0xFFF9, 0xFFFC), *range(0x1D173, 0x1D17B)),
)
_NEVER = [plane << 16 | last for plane in range(17) for last in (0xFFFE, 0xFFFF)]
_TABLE: dict[int, int | str] = {
    **_CONTROL,
    **_CONTROL_8BIT,
    **{code: f"<U+{code:04X}>" for code in _HIDING},
    **dict.fromkeys(_NEVER, 0xFFFD),
}
_TAGS = re.compile("[\U000e0000-\U000e0fff]+")
"""Invisible letters and selectors, which can carry a hidden message."""
_MEANINGLESS = re.compile("[\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\U000f0000-\U0010ffff]")
_SELECTORS = re.compile("([\ufe00-\ufe0f])[\ufe00-\ufe0f]+")
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]"
_TOWER = re.compile(f"({_MARK}{{4}}){_MARK}+")
"""More than four combining marks on one letter, which would cover the lines above."""
_JOINERS = re.compile("[\u200c\u200d]+")


def clean(text: str, *, letters: int = LETTERS, lines: int = LINES, columns: int = COLUMNS) -> str:
    """Sanitises a text and cuts it to the limits, with a note of what was cut. The result can be encoded as UTF-8."""
    full = len(text)
    kept = _visible(text[:letters].replace("\r\n", "\n")).split("\n")
    return _join_rows([_short(row, columns) for row in kept], lines, full, cut=full > letters)


def whole(text: str) -> str:
    """Sanitises a text of any length."""
    return _visible(text.replace("\r\n", "\n"))


class Writer:
    """Sanitises a text that arrives in pieces, with the result of `clean` on the whole text."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        """Complete lines, sanitised."""
        self._tail = ""
        """The incomplete last line, as it arrived."""
        self._letters = 0

    def write(self, piece: str) -> str:
        """Adds a piece; returns the sanitised text so far."""
        kept = piece[: max(0, LETTERS - self._letters)]
        self._letters += len(piece)
        *complete, self._tail = (self._tail + kept).replace("\r\n", "\n").split("\n")
        self._lines += [_short(_visible(row), COLUMNS) for row in complete]
        rows = [*self._lines, _short(_visible(self._tail), COLUMNS)]
        return _join_rows(rows, LINES, self._letters, cut=self._letters > LETTERS)


@lru_cache(maxsize=8192)
def line(text: str, most: int = 400) -> str:
    """Returns the first `most` letters of a text as one sanitised line."""
    shown = _visible(text[: most + 1].replace("\r\n", "\n")).strip("\n").replace("\n", BREAK)
    return shown if len(text) <= most else shown[:most] + "…"


def one_line(text: str) -> str:
    """Returns a text of any length as one sanitised line."""
    return whole(text).replace("\n", BREAK)


class FilteredStream(io.TextIOBase):
    """A text stream that applies `change` to everything written to it, tracebacks and warnings included."""

    def __init__(self, stream: TextIO, change: Callable[[str], str]) -> None:
        self.stream, self._change = stream, change

    def write(self, text: str) -> int:
        self.stream.write(self._change(text))
        return len(text)

    def flush(self) -> None:
        self.stream.flush()

    def fileno(self) -> int:
        return self.stream.fileno()

    def isatty(self) -> bool:
        return self.stream.isatty()


@contextmanager
def cleaned_output() -> Iterator[None]:
    """Sanitises everything that this process prints inside the block, since names, logs and settings are untrusted."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, FilteredStream(stream, whole)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _short(row: str, columns: int) -> str:
    return row if len(row) <= columns else f"{row[:columns]}…[+{len(row) - columns}]"


def _join_rows(rows: list[str], lines: int, full: int, *, cut: bool) -> str:
    """Joins the rows of a text of `full` letters, with a note when some of it is not shown."""
    if cut or len(rows) > lines:
        rows = [*rows[:lines], f"…[cut, {full} characters in full]"]
    return "\n".join(rows)


def _visible(text: str) -> str:
    if not _SUSPECT.search(text):
        return text
    text = _MEANINGLESS.sub("\ufffd", text.expandtabs(4).translate(_TABLE))
    text = _TAGS.sub(lambda found: f"<hidden:{len(found[0])}>", text)
    text = _TOWER.sub(r"\1", _SELECTORS.sub(r"\1", text))
    return _JOINERS.sub(_keep_joiner, text)


def _keep_joiner(found: re.Match[str]) -> str:
    """Keeps a single joiner between letters of a script that uses joiners; makes any other joiner visible."""
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    spelling = len(found[0]) == 1 and before > "\u02ff" and after > "\u02ff"
    return found[0] if spelling else f"<joiner:{len(found[0])}>"
