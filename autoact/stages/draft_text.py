"""Reads questions and answers from the meta-agent's drafts; ignores repeated labels, bold, quotes and line breaks."""

from __future__ import annotations

import re

_LABEL = re.compile(r"(?:question|answer|wrong option|[qa])\s*\d*\s*:\s*", re.IGNORECASE)
_NEXT_LABEL = re.compile(r"(?:^|\s)(?:answer|wrong option|options)\s*:", re.IGNORECASE)
"""The label of another part, which ends a question."""
_BULLET = re.compile(r"(?:#+|[-*•]|\d+[.)])\s+")
_LETTER = re.compile(r"(?:\(([A-Z])\)|([A-Z])[.):])\s*(?=\S)")
_QUOTES = ('""', "''", "“”", "‘’", "``")

NAME_OR_NUMBER = re.compile(
    r"(?<=[a-z,;] )[A-Z][\w'-]*(?: (?:of |the )?[A-Z][\w'-]*)*|\b\d[\d,.]*\b(?: (?:meters|kilometers|years))?"
)
"""Runs of capitalised words inside a sentence (every first word is capitalised), and numbers."""


def read_question(text: str) -> str:
    """Returns the question in the text after `Question:`.

    It may span several lines. Lines that end in a colon, such as an introduction, are left out.
    """
    lines = [
        line
        for line in map(_strip_marks, _NEXT_LABEL.split(_remove_bold(text))[0].split("\n"))
        if line and line[-1] != ":"
    ]
    ends = next((at for at, line in enumerate(lines, 1) if line.endswith("?")), len(lines))
    return " ".join(lines[:ends])


def read_answer(text: str, *, option: bool = False) -> str:
    """Returns the answer in the text after `Answer:`: its first line, without the letter of an `option`."""
    line = next(filter(None, map(_strip_marks, _remove_bold(text).split("\n"))), "")
    return _strip_marks(_LETTER.sub("", line, count=1) if option and _LETTER.match(line) else line).rstrip(".")


def _remove_bold(text: str) -> str:
    return text.replace("**", "").replace("__", "")


def _strip_marks(line: str) -> str:
    """Returns a line without its bullet, labels, and enclosing quotes or emphasis."""
    line = _BULLET.sub("", line.strip(), count=1) if _BULLET.match(line.strip()) else line.strip()
    while label := _LABEL.match(line):
        line = line[label.end() :]
    line = line.strip()
    enclosed = len(line) > 1 and (line[0] + line[-1] in _QUOTES or line[0] == line[-1] in "*_")
    return line[1:-1].strip() if enclosed else line
