"""Text that wants to act on a terminal or to hide something, and what may go out to a terminal."""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from collections.abc import Sequence

LONG = os.environ.get("AUTOACT_FUZZ") == "long"
SEED = int(os.environ.get("AUTOACT_SEED", "20261122"))
PIECES = (
    "\x1b[31m", "\x1b[2J", "\x1b]52;c;aGk=\x07", "\x1b]0;title\x1b\\", "\x1bP1$r\x1b\\", "\x9b2J", "\x9d52;c;x\x9c",
    "\x1b", "\x07", "\x08", "\r", "\x00", "\x7f", "[/b]", "[bold]", "[@click=app.quit]x[/]", "[$primary]", "\\[", "[[",
    "]", "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\U000e0041", "\ud800", "\udfff", "\u0301" * 40,
    "\u200d", "東京", "👩‍👩‍👧", "العربية", "BingSearch[Woman in Gold]", "Finish[/a/b]", "Lookup[x[y]]", "\n", "\t", " ",
    "x" * 99,
)  # fmt: skip
SENT = re.compile(r"\x1b\[[0-9;]*m|\x1b\[[0-9]+(?:;[0-9]+)?H|\x1b\[[0-9]*C|\r\n|\x1b\]8;;[\x21-\x7e]*\x1b\\")
"""All that the driver's cells may send besides text."""
ACTS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)
ACTIONS = (
    "BingSearch[Woman in Gold]",
    "Finish[/a/b]",
    "Retrieve[[b]x]",
    "Calculator[2*(3+4)]",
    "Lookup[yes] [/]",
    "Finish[\\[]",
)
SHORT = ("Do[/a/{}]", "Do[[b]{}]", "Do[2*(3+{})]", "Do[{}] [/]", "Do[\\[{}]", "Do[$a {}]")
"""Actions with a number in them; with any number they fit the narrowest column."""
HUGE = 70_000
"""Letters of the longest texts."""


def hostile(source: random.Random, *, huge: float = 0.01) -> str:
    """Pieces that terminals and markup parsers mind, among letters from anywhere and bytes that are no UTF-8.

    `huge` is the share of texts that are very long.
    """
    parts = [source.choice(PIECES) for _ in range(source.randrange(1, 8))]
    if source.random() < 0.3:
        parts.append("".join(chr(source.randrange(0x110000)) for _ in range(source.randrange(20))))
    if source.random() < 0.1:
        parts.append(source.randbytes(20).decode("utf-8", source.choice(("replace", "surrogateescape"))))
    if source.random() < huge:
        parts.append("A" * HUGE)
    return "".join(parts)


def acting(sent: str) -> str:
    """What in the output for a terminal would act or hide; empty when nothing would."""
    found = ACTS.search(SENT.sub("", sent))
    return repr(found.string[max(0, found.start() - 30) : found.end() + 30]) if found else ""


class Supply:
    """Hostile texts by their way in, counted; and actions that must be read as they are written."""

    def __init__(self, seed: int):
        self._source = random.Random(seed)
        self.given: Counter[str] = Counter()
        self.texts: list[tuple[str, str]] = []
        """Way and text, in the order in which they were asked for."""
        self.actions: list[tuple[str, str]] = []

    def __call__(self, way: str) -> str:
        """A text that any file may hold."""
        text = hostile(self._source, huge=0.002).encode("utf-8", "replace").decode()
        return self._gave(way, text)

    def name(self, way: str, most: int = 120) -> str:
        """A text that a folder can be called, its bytes being anything but a slash and zero."""
        encoded = hostile(self._source, huge=0).encode("utf-8", "replace") + self._source.randbytes(6)
        text = os.fsdecode(encoded.translate(None, b"/\0")[:most])
        return self._gave(way, text if text.strip(".") else "..x")

    def raw(self, way: str) -> bytes:
        """A line of bytes, often no UTF-8."""
        text = hostile(self._source, huge=0).encode("utf-8", "replace") + self._source.randbytes(30)
        self.given[way] += 1
        return text.replace(b"\n", b" ")

    def action(self, way: str) -> str:
        """One that no other text holds."""
        text = self._source.choice(SHORT).format(10_000 + len(self.actions))
        self.actions.append((way, text))
        self.given[way] += 1
        return text

    def either(self, way: str, number: int) -> str:
        """An action for the first of many, then anything."""
        return self.action(way) if number == 0 else self(way)

    def _gave(self, way: str, text: str) -> str:
        self.given[way] += 1
        self.texts.append((way, text))
        return text


def unseen(wanted: Sequence[tuple[str, str]], read: str) -> list[tuple[str, str]]:
    """Returns way and text of the actions that are not read as they were written."""
    return [(way, text) for way, text in wanted if text not in read]


def misread(wanted: Sequence[tuple[str, str]], read: str) -> list[tuple[str, str]]:
    """Returns those of them that are on a screen, but not as they were written or as their beginning."""
    return [(way, text) for way, text in unseen(wanted, read) if any(differs(text, line) for line in read.split("\n"))]


def differs(text: str, line: str) -> bool:
    """Whether a line shows an action, by its number, which no other has, in other letters than its own."""
    number = "".join(filter(str.isdigit, text))[-5:]
    before, found, after = line.partition(number)
    start, _, rest = text.partition(number)
    whole = after.startswith(rest) or rest.startswith(after.rstrip(" \N{HORIZONTAL ELLIPSIS}"))
    return bool(found) and not (before.endswith(start) and whole)
