"""Sanitises text that others wrote (a model, a tool, a file, a folder's name) for a terminal.

What would act on a terminal or hide something becomes visible instead: a control character its picture, a bidi or
zero-width character its code point. Scripts that need joiners, emoji sequences and accents stay as they are.
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
"""The most that is shown of one text, of its lines, and of a line."""

BREAK = " ⏎ "
"""A line break in what is shown as one line."""

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
"""Invisible letters, and selectors that can carry a message no one sees."""
_MEANINGLESS = re.compile("[\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\U000f0000-\U0010ffff]")
_SELECTORS = re.compile("([\ufe00-\ufe0f])[\ufe00-\ufe0f]+")
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]"
_TOWER = re.compile(f"({_MARK}{{4}}){_MARK}+")
"""Marks piled on one letter, over the lines above."""
_JOINERS = re.compile("[\u200c\u200d]+")


def clean(text: str, *, letters: int = LETTERS, lines: int = LINES, columns: int = COLUMNS) -> str:
    """The text with nothing in it that acts, hides or goes on for ever. Says what was cut. UTF-8 can encode it."""
    full = len(text)
    kept = _visible(text[:letters].replace("\r\n", "\n")).split("\n")
    return _rejoined([_short(row, columns) for row in kept], lines, full, cut=full > letters)


def whole(text: str) -> str:
    """The text with nothing in it that acts or hides, however long."""
    return _visible(text.replace("\r\n", "\n"))


class Writer:
    """Makes a text safe that arrives in pieces: the outcome is that of `clean` on the whole, wherever it was cut."""

    def __init__(self) -> None:
        self._over: list[str] = []
        """Lines that have ended."""
        self._tail = ""
        """The line still growing, as it came."""
        self._letters = 0

    def write(self, piece: str) -> str:
        """All of it so far, safe."""
        kept = piece[: max(0, LETTERS - self._letters)]
        self._letters += len(piece)
        *over, self._tail = (self._tail + kept).replace("\r\n", "\n").split("\n")
        self._over += [_short(_visible(row), COLUMNS) for row in over]
        rows = [*self._over, _short(_visible(self._tail), COLUMNS)]
        return _rejoined(rows, LINES, self._letters, cut=self._letters > LETTERS)


@lru_cache(maxsize=8192)
def line(text: str, most: int = 400) -> str:
    """The beginning of a text as one safe line."""
    shown = _visible(text[: most + 1].replace("\r\n", "\n")).strip("\n").replace("\n", BREAK)
    return shown if len(text) <= most else shown[:most] + "…"


def one_line(text: str) -> str:
    """The text as one safe line, however long."""
    return whole(text).replace("\n", BREAK)


class FilteredStream(io.TextIOBase):
    """A stream that passes on what is written to it as `change` has it; also tracebacks, warnings and prints."""

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
    """As long as it lasts, what this process prints is made safe first: names, logs and settings may be anyone's."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, FilteredStream(stream, whole)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _short(row: str, columns: int) -> str:
    return row if len(row) <= columns else f"{row[:columns]}…[+{len(row) - columns}]"


def _rejoined(rows: list[str], lines: int, full: int, *, cut: bool) -> str:
    """Of a text of `full` letters, with a word about what is not shown of it."""
    if cut or len(rows) > lines:
        rows = [*rows[:lines], f"…[cut, {full} characters in full]"]
    return "\n".join(rows)


def _visible(text: str) -> str:
    if not _SUSPECT.search(text):
        return text
    text = _MEANINGLESS.sub("\ufffd", text.expandtabs(4).translate(_TABLE))
    text = _TAGS.sub(lambda found: f"<hidden:{len(found[0])}>", text)
    text = _TOWER.sub(r"\1", _SELECTORS.sub(r"\1", text))
    return _JOINERS.sub(_joined, text)


def _joined(found: re.Match[str]) -> str:
    """One joiner between letters of a script that joins is spelling; anywhere else it hides something."""
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    spelling = len(found[0]) == 1 and before > "\u02ff" and after > "\u02ff"
    return found[0] if spelling else f"<joiner:{len(found[0])}>"
