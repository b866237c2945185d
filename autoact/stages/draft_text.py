"""Reads the meta-agent's drafts as a person would: labels said again, bold, quotes and line breaks do not count."""

from __future__ import annotations

import re

_LABEL = re.compile(r"(?:question|answer|wrong option|[qa])\s*\d*\s*:\s*", re.IGNORECASE)
_LATER = re.compile(r"(?:^|\s)(?:answer|wrong option|options)\s*:", re.IGNORECASE)
"""Where a question is over because something else is labelled."""
_BULLET = re.compile(r"(?:#+|[-*•]|\d+[.)])\s+")
_LETTER = re.compile(r"(?:\(([A-Z])\)|([A-Z])[.):])\s*(?=\S)")
_QUOTES = ('""', "''", "“”", "‘’", "``")


def read_question(text: str) -> str:
    """The question in what followed `Question:`; it may go over several lines and be announced by one before it."""
    lines = [line for line in map(_plain, _LATER.split(_unmarked(text))[0].split("\n")) if line and line[-1] != ":"]
    ends = next((at for at, line in enumerate(lines, 1) if line.endswith("?")), len(lines))
    return " ".join(lines[:ends])


def read_answer(text: str, *, option: bool = False) -> str:
    """The answer in what followed `Answer:`: its first line. Of an `option` the letter is left out."""
    line = next(filter(None, map(_plain, _unmarked(text).split("\n"))), "")
    return _plain(_LETTER.sub("", line, count=1) if option and _LETTER.match(line) else line).rstrip(".")


def _unmarked(text: str) -> str:
    return text.replace("**", "").replace("__", "")


def _plain(line: str) -> str:
    """A line without bullet, labels and what encloses it."""
    line = _BULLET.sub("", line.strip(), count=1) if _BULLET.match(line.strip()) else line.strip()
    while label := _LABEL.match(line):
        line = line[label.end() :]
    line = line.strip()
    enclosed = len(line) > 1 and (line[0] + line[-1] in _QUOTES or line[0] == line[-1] in "*_")
    return line[1:-1].strip() if enclosed else line
