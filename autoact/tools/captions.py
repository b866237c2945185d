"""A data set's cached captions and recognised texts, by the id or the wording of its questions."""

from __future__ import annotations

import ast
from pathlib import Path

import msgspec
from msgspec import Struct

from autoact.errors import BadProject
from autoact.tools.titles import Titles, fold

NONE = "no img"
"""What ScienceQA's rows hold in place of a caption when the question has no image."""
LEAST_SURE = 0.5
"""Recognised texts less sure than this are left out; most of them are noise."""
LARGEST = 100_000_000


class Caption(Struct, frozen=True):
    """What is known of one question's image."""

    image: bool
    caption: str = ""
    texts: tuple[str, ...] = ()


class Captions:
    """Captions by question."""

    def __init__(self, file: Path) -> None:
        """Reads a JSONL file with `caption` and `ocr` (or `orc`) in its rows. Raises BadProject."""
        rows = _rows(file)
        self._captions = [_caption(row) for row in rows]
        self._ids = {str(row[key]): at for at, row in enumerate(rows) for key in ("id", "pid") if key in row}
        self._questions = [str(row.get("question") or row.get("Question") or "") for row in rows]
        self._titles = Titles.of([question.partition("\n")[0] for question in self._questions])

    def of(self, asked: str) -> Caption | None:
        """What is known of the image of the question with this id or wording; None for an unknown question."""
        at = self._ids.get(asked)
        if at is None:
            whole = fold(asked)
            same = [at for at, question in enumerate(self._questions) if fold(question) == whole]
            at = same[0] if same else self._titles.find(asked)
        return None if at is None else self._captions[at]


def _rows(file: Path) -> list[dict[str, object]]:
    try:
        if file.stat().st_size > LARGEST:
            raise BadProject(f"expected at most {LARGEST:,} bytes of captions", file=file)
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise BadProject(f"cannot be read: {error.strerror}", file=file) from error
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(msgspec.json.decode(line, type=dict[str, object]))
        except msgspec.MsgspecError as error:
            raise BadProject(f"expected a JSON object: {error}", file=file, line=number) from error
    return rows


def _caption(row: dict[str, object]) -> Caption:
    caption = str(row.get("caption") or "")
    if caption in ("", NONE):
        return Caption(False)
    return Caption(True, caption, _texts(row.get("ocr") or row.get("orc") or ""))


def _texts(told: object) -> tuple[str, ...]:
    """Texts as a list, or as ScienceQA has them: the Python notation of (box, text, certainty) triples."""
    if isinstance(told, list):
        return tuple(str(text) for text in told)
    try:
        found = ast.literal_eval(str(told))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return (str(told),) if told not in ("", NONE) else ()
    triples = found if isinstance(found, list) else []
    return tuple(str(one[1]) for one in triples if len(one) == 3 and float(one[2]) >= LEAST_SURE)
