"""A person's marks on the practice questions of a run, right or wrong, in a file of the run's folder."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from autoact.errors import BadInput
from autoact.files import disk
from autoact.run.record.folder import RunFolder
from autoact.security import trust

Key = tuple[str, str]
"""A question's text and its answer, by which its mark is found."""
Marks = dict[Key, bool]
"""True for right, False for wrong; questions without a mark are absent."""


class Mark(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the file."""

    question: str
    answer: str
    right: bool


def read_marks(folder: RunFolder) -> Marks:
    """Reads the marks of a run. Raises BadInput, with the line, for a damaged file."""
    try:
        lines = disk.read_file(folder.marks).split(b"\n")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=folder.marks) from error
    marks = [_parse(folder, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    return {(mark.question, mark.answer): mark.right for mark in marks}


def _parse(folder: RunFolder, number: int, line: bytes) -> Mark:
    try:
        return msgspec.json.decode(line, type=Mark)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        expected = 'expected {"question": "...", "answer": "...", "right": true}'
        raise BadInput(f"{expected}: {error}", file=folder.marks, line=number) from error


def write_mark(folder: RunFolder, key: Key, right: bool | None, *, elsewhere: bool = False) -> None:
    """Marks a question, or with None removes its mark. The marks of other questions are kept.

    With `elsewhere` it is a copy of another machine's run, which is trusted there or not. Raises BadInput for a damaged
    file, which is left as it is, NotTrusted for a foreign run, and OSError.
    """
    if not elsewhere:
        trust.require("run", "run", folder.path)
    with disk.lock_folder(folder.path):
        marks = read_marks(folder)
        marks.pop(key, None)
        if right is not None:
            marks[key] = right
        lines = [msgspec.json.encode(Mark(*one, is_right)) + b"\n" for one, is_right in marks.items()]
        disk.replace(folder.marks, b"".join(lines))
