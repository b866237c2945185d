"""The seed examples as a person edits them: lines of examples.jsonl, the wrong ones and foreign keys included."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from autoact import disk
from autoact.errors import BadInput, BadProject
from autoact.lab.metrics import normalise
from autoact.questions import ANSWER_KEYS, ID_KEYS, example_of, id_of
from autoact.records import Place, Record, decode_line, scan_records

LARGEST_BYTES = 20_000_000
"""Of a file that is taken in."""
ALIKE_PERCENT = 85.0
"""Edit ratio of two normalised questions from which they count as nearly the same."""
COLUMNS = ("question", "answer", "type")
"""Of a text without a header."""
COMPARED = 1_000
"""Examples that are compared with one another; more would take too long to tell at once."""
_NUMBER = re.compile(r"[-+]?[\d.,]+%?")


@dataclass(frozen=True, slots=True)
class ExampleLine:
    """One line. Lines that nobody touches are written back as they were."""

    line: str
    data: Mapping[str, Any]
    """Empty for a line that is no example."""
    trouble: str = ""

    @property
    def question(self) -> str:
        return str(self.data.get("question", self.data.get("Question", "")))

    @property
    def answer(self) -> str:
        return str(self.data.get("answer", self.data.get("Answer", "")))

    @property
    def steps(self) -> int:
        """Of a worked example."""
        steps = self.data.get("steps")
        return len(steps) if isinstance(steps, list) else 0


def read(file: Path) -> list[ExampleLine]:
    """Every line of the file that says something; none when there is no file. Raises BadProject."""
    if not file.exists():
        return []
    if not file.is_file():
        raise BadProject("expected a file", file=file)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadProject(f"cannot be read as UTF-8 text: {error}", file=file) from error
    return [parse_line(line, file, number) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def parse_line(text: str, file: Path, number: int) -> ExampleLine:
    """A line with what is wrong with it."""
    found = decode_line(text, Place(file.name, number))
    if isinstance(found, BadProject):
        return ExampleLine(text, {}, str(found))
    try:
        example_of(found)
    except BadProject as error:
        return ExampleLine(text, found.values, str(error))
    return ExampleLine(text, found.values)


def save(file: Path, rows: Sequence[ExampleLine]) -> None:
    """Put the lines where they belong, whole."""
    disk.rewrite(file, "".join(f"{row.line}\n" for row in rows).encode())


def new_example(data: Mapping[str, Any], rows: Sequence[ExampleLine], place: Place | None = None) -> ExampleLine:
    """A new example; it keeps its id unless another row has it. Raises BadProject with the key at fault."""
    place = place or Place("examples.jsonl", len(rows) + 1)
    question = example_of(Record(place, dict(data))).question
    taken = {id_of(row.data) for row in rows}
    name = id_of(data)
    if not name or name in taken:
        name = next(free for number in range(1, 10**9) if (free := f"seed-{number:03d}") not in taken)
    row = {"id": name, **{key: value for key, value in data.items() if key not in ID_KEYS}}
    if (answer := next((key for key in ANSWER_KEYS if key in row), None)) and not isinstance(row[answer], str):
        row[answer] = question.answer  # a number says less to a person than the letter or the words it stands for
    return ExampleLine(orjson.dumps(row).decode(), row)


def edit_example(row: ExampleLine, values: Mapping[str, str], file: Path, number: int) -> ExampleLine:
    """The row with other words; its steps and other keys stay. Raises BadProject with file, line and key."""
    data = dict(row.data)
    for key, value in values.items():
        known = key if key in data or key.capitalize() not in data else key.capitalize()
        if value.strip() or known in data:
            data[known] = value.strip()
    if not data.get("type", "-"):
        del data["type"]
    example_of(Record(Place(file, number), data))
    return ExampleLine(orjson.dumps(data).decode(), data)


def parse_text(text: str, name: str, rows: Sequence[ExampleLine]) -> list[ExampleLine]:
    """The examples in a text: any form that questions are read from, or two columns without a header.

    Raises BadInput with `name`, place and key for the first that is none.
    """
    return _taken(io.BytesIO(text.encode("utf-8", "replace")), name, rows)


def read_import(file: Path, rows: Sequence[ExampleLine]) -> list[ExampleLine]:
    """The examples of a file. Raises BadInput with file, place and key."""
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise BadInput(f"expected at most {LARGEST_BYTES:,} bytes", file=file)
        with file.open("rb") as stream:
            return _taken(stream, file, rows)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=file) from error


def _taken(stream: BinaryIO, name: Path | str, rows: Sequence[ExampleLine]) -> list[ExampleLine]:
    found: list[ExampleLine] = []
    for record in scan_records(stream, name, columns=COLUMNS):
        if isinstance(record, BadProject):
            raise record
        found.append(new_example(record.values, [*rows, *found], record.place))
    if not found:
        raise BadInput("nothing in it; expected lines with a question and its answer", file=name)
    return found


def repair_line(text: str, file: Path, number: int) -> ExampleLine:
    """A line that a person put right. Raises BadProject when it is not."""
    row = parse_line(" ".join(text.split("\n")), file, number)
    if row.trouble:
        raise BadProject(row.trouble)
    return row


def drop_duplicates(rows: Sequence[ExampleLine]) -> list[ExampleLine]:
    """The rows without those that ask again what an earlier one asked."""
    kept: dict[str, ExampleLine] = {}
    for number, row in enumerate(rows):
        kept.setdefault(normalise(row.question) or f"#{number}", row)
    return list(kept.values())


def near_duplicates(rows: Sequence[ExampleLine]) -> dict[int, int]:
    """By index: an earlier row with nearly the same question. Takes a while: up to a second for a thousand rows."""
    from rapidfuzz import fuzz

    asked = [normalise(row.question) for row in rows[:COMPARED]]
    pairs: dict[int, int] = {}
    for later, text in enumerate(asked):
        for earlier in range(later if text else 0):
            if fuzz.ratio(text, asked[earlier], score_cutoff=ALIKE_PERCENT):
                pairs[later] = earlier
                break
    return pairs


def answer_kind(answer: str) -> str:
    """What sort of answer it is."""
    said = answer.strip()
    if said.casefold() in ("yes", "no"):
        return "yes/no"
    if len(said) == 1 and said.isalpha():
        return "letter"
    if _NUMBER.fullmatch(said):
        return "number"
    return "words"


def count_kinds(rows: Iterable[ExampleLine]) -> Counter[str]:
    """How many answers of each sort there are."""
    return Counter(answer_kind(row.answer) for row in rows if row.answer)
