"""The seed examples as a person edits them: the lines of examples.jsonl, with invalid lines and unknown keys."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import orjson

from autoact.errors import BadInput, BadProject
from autoact.files import disk
from autoact.files.records import DataRecord, RecordPlace, decode_line, scan_records
from autoact.metrics import normalise
from autoact.project.questions import ANSWER_KEYS, ID_KEYS, parse_example, question_id
from autoact.trajectory import FINISH, REFLECT, Step

LARGEST_BYTES = 20_000_000
"""Largest file that is imported."""
ALIKE_PERCENT = 85.0
"""Edit ratio of two normalised questions, in percent, from which they are near-duplicates."""
COLUMNS = ("question", "answer", "type")
"""Columns of a table without a header."""
COMPARED = 1_000
"""Examples that are compared with one another; more would take too long."""
_LABEL = re.compile(r"^\s*(thought|action input|action|argument|observation)\s*\d*\s*:", re.IGNORECASE | re.MULTILINE)
_NUMBER = re.compile(r"[-+]?[\d.,]+%?")


@dataclass(frozen=True, slots=True)
class ExampleLine:
    """One line of the file. Lines that nobody edits are written back unchanged."""

    line: str
    data: Mapping[str, Any]
    """The parsed object; empty for a line that is none."""
    error: str = ""
    """The fault of the line; empty for a valid example."""

    @property
    def question(self) -> str:
        return str(self.data.get("question", self.data.get("Question", "")))

    @property
    def answer(self) -> str:
        return str(self.data.get("answer", self.data.get("Answer", "")))

    @property
    def steps(self) -> int:
        """Number of steps of a worked example."""
        steps = self.data.get("steps")
        return len(steps) if isinstance(steps, list) else 0


def read(file: Path) -> list[ExampleLine]:
    """Returns every line that is not blank; none when there is no file. Raises BadProject."""
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
    """Parses a line; an error becomes part of the result."""
    found = decode_line(text, RecordPlace(file.name, number))
    if isinstance(found, BadProject):
        return ExampleLine(text, {}, str(found))
    try:
        parse_example(found)
    except BadProject as error:
        return ExampleLine(text, found.values, str(error))
    return ExampleLine(text, found.values)


def save(file: Path, rows: Sequence[ExampleLine]) -> None:
    """Replaces the file by these lines."""
    disk.rewrite(file, "".join(f"{row.line}\n" for row in rows).encode())


def new_example(data: Mapping[str, Any], rows: Sequence[ExampleLine], place: RecordPlace | None = None) -> ExampleLine:
    """Returns a new example, with a new id if it has none or another row has it. Raises BadProject with the key."""
    place = place or RecordPlace("examples.jsonl", len(rows) + 1)
    question = parse_example(DataRecord(place, dict(data))).question
    taken = {question_id(row.data) for row in rows}
    name = question_id(data)
    if not name or name in taken:
        name = next(free for number in range(1, 10**9) if (free := f"seed-{number:03d}") not in taken)
    row = {"id": name, **{key: value for key, value in data.items() if key not in ID_KEYS}}
    if (answer := next((key for key in ANSWER_KEYS if key in row), None)) and not isinstance(row[answer], str):
        row[answer] = question.answer  # the letter or the words, which are easier to read than their number
    return ExampleLine(orjson.dumps(row).decode(), row)


def example_data(values: Mapping[str, str]) -> dict[str, Any]:
    """Returns the values of a form as the data of an example, without blank ones; `steps` is as `steps_text` gives it.

    Raises BadInput for steps that are incomplete.
    """
    data: dict[str, Any] = {key: value.strip() for key, value in values.items() if value.strip()}
    return {**data, "steps": parse_worked_steps(data["steps"])} if "steps" in data else data


def edit_example(row: ExampleLine, values: Mapping[str, str], file: Path, number: int) -> ExampleLine:
    """Returns the row with other values, of which `steps` is as `steps_text` gives it; other keys stay.

    Raises BadProject with file, line and key, and BadInput for steps that are incomplete.
    """
    data = dict(row.data)
    words = {key: value for key, value in values.items() if key != "steps"}
    if (text := values.get("steps")) is not None and text.strip() != steps_text(row).strip():
        data["steps"] = parse_worked_steps(text)
        if not data["steps"]:
            del data["steps"]
    for key, value in words.items():
        known = key if key in data or key.capitalize() not in data else key.capitalize()
        if value.strip() or known in data:
            data[known] = value.strip()
    if not data.get("type", "-"):
        del data["type"]
    parse_example(DataRecord(RecordPlace(file, number), data))
    return ExampleLine(orjson.dumps(data).decode(), data)


def steps_text(row: ExampleLine) -> str:
    """Returns the worked steps of an example as a transcript, or as JSON where a transcript would not say all of them.

    Empty for an example that has none, or is invalid.
    """
    shown = transcript(row)
    if shown and _step_data(shown) != row.data["steps"]:
        return orjson.dumps(row.data["steps"], option=orjson.OPT_INDENT_2).decode()
    return shown


def transcript(row: ExampleLine) -> str:
    """Returns the worked steps of an example for reading; empty for an example that has none, or is invalid."""
    if row.error or not row.steps:
        return ""
    from autoact.exchange.transcript import render_steps  # with what it imports, too slow for the start

    return render_steps(parse_example(DataRecord(RecordPlace("", 1), dict(row.data))).steps)


def parse_worked_steps(text: str) -> list[Any]:
    """Returns the steps of a transcript, or of a JSON list, as examples.jsonl has them; none for an empty text.

    Raises BadInput for a step without a whole call of a tool, and for words that belong to no part of a step.
    """
    if text.strip().startswith("["):
        try:
            return list(orjson.loads(text))
        except orjson.JSONDecodeError as error:
            raise BadInput(f"invalid JSON: {error}", key="steps") from error
    from autoact.exchange.transcript import render_steps

    data = _step_data(text)
    for number, step in enumerate(data, 1):
        if not step["action"] or (step["action"] not in (FINISH, REFLECT) and not step["argument"]):
            raise BadInput(f"expected a line such as `Action: Retrieve[Brazil]` in step {number}", key="steps")
        opened = f"[{step['argument']}"
        if step["argument"] and opened in text and f"{opened}]" not in text:
            raise BadInput(f"`{step['action']}{opened:.40}` in step {number} has no closing bracket", key="steps")
    typed, read = _words(text), _words(render_steps(msgspec.convert(data, list[Step])))
    if typed != read:
        lost = next((word for word, other in zip_longest(typed, read) if word != other), None)
        raise BadInput(
            f"expected only lines of Thought:, Action: Tool[argument] and Observation:; see `{lost}`", key="steps"
        )
    return data


def _step_data(text: str) -> list[dict[str, str]]:
    """Returns the steps of a transcript as examples.jsonl has them."""
    from autoact.exchange.transcript import parse_steps

    parts = [
        {"thought": one.thought, "action": one.action, "argument": one.argument, "observation": one.observation}
        for one in (parse_steps(text) if text.strip() else ())
    ]
    return [{key: value for key, value in part.items() if value or key != "observation"} for part in parts]


def _words(text: str) -> list[str]:
    """Returns the words of a transcript without its labels."""
    return re.findall(r"\w+", _LABEL.sub("", text))


def parse_text(text: str, name: str, rows: Sequence[ExampleLine]) -> list[ExampleLine]:
    """Reads the examples in a text: any form in which questions are read, or two columns without a header.

    Raises BadInput with `name`, line and key for the first that is invalid.
    """
    return _read_examples(io.BytesIO(text.encode("utf-8", "replace")), name, rows)


def read_import(file: Path, rows: Sequence[ExampleLine]) -> list[ExampleLine]:
    """Reads the examples of a file. Raises BadInput with file, line and key."""
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise BadInput(f"expected at most {LARGEST_BYTES:,} bytes", file=file)
        with file.open("rb") as stream:
            return _read_examples(stream, file, rows)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=file) from error


def _read_examples(stream: BinaryIO, name: Path | str, rows: Sequence[ExampleLine]) -> list[ExampleLine]:
    found: list[ExampleLine] = []
    for record in scan_records(stream, name, columns=COLUMNS):
        if isinstance(record, BadProject):
            raise record
        found.append(new_example(record.values, [*rows, *found], record.place))
    if not found:
        raise BadInput("no example in it; expected lines with a question and its answer", file=name)
    return found


def repair_line(text: str, file: Path, number: int) -> ExampleLine:
    """Returns an invalid line after a person has corrected it. Raises BadProject if it is still invalid."""
    row = parse_line(" ".join(text.split("\n")), file, number)
    if row.error:
        raise BadProject(row.error)
    return row


def drop_duplicates(rows: Sequence[ExampleLine]) -> list[ExampleLine]:
    """Returns the rows without those that repeat an earlier question."""
    kept: dict[str, ExampleLine] = {}
    for number, row in enumerate(rows):
        kept.setdefault(normalise(row.question) or f"#{number}", row)
    return list(kept.values())


def near_duplicates(rows: Sequence[ExampleLine]) -> dict[int, int]:
    """Returns, by index, the index of an earlier row with nearly the same question. Takes up to a second."""
    from rapidfuzz import fuzz

    questions = [normalise(row.question) for row in rows[:COMPARED]]
    pairs: dict[int, int] = {}
    for later, text in enumerate(questions):
        for earlier in range(later if text else 0):
            if fuzz.ratio(text, questions[earlier], score_cutoff=ALIKE_PERCENT):
                pairs[later] = earlier
                break
    return pairs


def answer_kind(answer: str) -> str:
    """Returns yes/no, letter, number or words."""
    text = answer.strip()
    if text.casefold() in ("yes", "no"):
        return "yes/no"
    if len(text) == 1 and text.isalpha():
        return "letter"
    if _NUMBER.fullmatch(text):
        return "number"
    return "words"


def count_kinds(rows: Iterable[ExampleLine]) -> Counter[str]:
    """Counts the answers of each kind."""
    return Counter(answer_kind(row.answer) for row in rows if row.answer)
