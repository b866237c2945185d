"""Captions of the pictures of a data set's questions, from a file, by question id or wording."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autoact.errors import BadProject, ToolFailed
from autoact.files.records import read_records
from autoact.project.questions import QUESTION_KEYS, parse_picture, question_id
from autoact.tools.library.tool import PYTHON_PARSER
from autoact.tools.pages.title_search import Titles, fold
from autoact.trajectory import Picture, Question

LARGEST = 100_000_000
"""Bytes."""


class Captions:
    """Pictures by question."""

    def __init__(self, file: Path) -> None:
        """Reads a file of records with `caption` and `ocr` (or `orc`). Raises BadProject."""
        if file.stat().st_size > LARGEST:
            raise BadProject(f"expected at most {LARGEST:,} bytes of captions", file=file)
        rows = [(question_id(row), _picture(row), _wording(row)) for _, row in read_records(file)]
        self._pictures = [picture for _, picture, _ in rows]
        self._ids = {name: at for at, (name, _, _) in enumerate(rows) if name}
        wordings = [wording for _, _, wording in rows]
        self._whole = _index(wordings)
        self._bare = _index(wording.partition("\nOptions:")[0] for wording in wordings)
        first_lines = [wording.partition("\n")[0] for wording in wordings]
        self._begun, self._titles = _index(first_lines), Titles.of(first_lines)

    def for_question(self, question: Question) -> Picture | None:
        """Returns the picture of a question, by its id or else by its wording; None where the file has no record of it.

        Raises ToolFailed when several questions with different pictures have this wording.
        """
        if (at := self._ids.get(question.id)) is not None:
            return self._pictures[at]
        return self._single(self._whole.get(fold(_with_options(question))) or self._bare.get(fold(question.text)) or [])

    def find(self, wording_or_id: str) -> Picture | None:
        """Returns the picture of the question whose id, wording or (nearly) first line this is; None when there is
        none.

        Raises ToolFailed when it fits several questions with different pictures.
        """
        if (at := self._ids.get(wording_or_id)) is not None:
            return self._pictures[at]
        matches = (index.get(fold(wording_or_id)) for index in (self._whole, self._bare, self._begun))
        found = next(filter(None, matches), [])
        near = self._titles.find(wording_or_id) if not found else None
        return self._single(found if near is None else [near])

    def _single(self, found: list[int]) -> Picture | None:
        """Returns the picture that these questions share. Raises ToolFailed when they have different ones."""
        pictures = {self._pictures[at] for at in found}
        if len(pictures) > 1:
            raise ToolFailed("several questions with this wording have different pictures; name one by its id")
        return pictures.pop() if pictures else None


def _index(wordings: Iterable[str]) -> dict[str, list[int]]:
    """Returns the positions of each wording."""
    index: dict[str, list[int]] = {}
    for at, wording in enumerate(wordings):
        index.setdefault(fold(wording), []).append(at)
    return index


def _picture(row: Mapping[str, Any]) -> Picture | None:
    with PYTHON_PARSER:  # data sets write recognised texts as Python's own literals
        return parse_picture(row)


def _wording(row: Mapping[str, Any]) -> str:
    return str(next((row[key] for key in QUESTION_KEYS if key in row), ""))


def _with_options(question: Question) -> str:
    """Returns a question with its options, as ScienceQA's flat rows write it."""
    options = " ".join(f"({chr(ord('A') + index)}) {choice}" for index, choice in enumerate(question.choices))
    return f"{question.text}\nOptions: {options}"
