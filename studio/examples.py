"""The seed examples as a person edits them: lines of examples.jsonl, the wrong ones and foreign keys included."""

from __future__ import annotations

import csv
import io
import re
import stat
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from autoact import disk
from autoact.errors import BadInput, BadProject
from autoact.lab.metrics import normalise
from autoact.project import example_of

LARGEST_BYTES = 20_000_000
"""Of a file that is taken in."""
ALIKE_PERCENT = 85.0
"""Edit ratio of two normalised questions from which they count as nearly the same."""
COMPARED = 1_000
"""Examples that are compared with one another; more would take too long to tell at once."""
_NUMBER = re.compile(r"[-+]?[\d.,]+%?")


@dataclass(frozen=True, slots=True)
class Row:
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


def read(file: Path) -> list[Row]:
    """Every line of the file that says something; none when there is no file. Raises BadProject."""
    if not file.exists():
        return []
    try:
        lines = file.read_bytes().decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadProject(f"cannot be read as UTF-8 text: {error}", file=file) from error
    return [parsed(text, file, number) for number, text in enumerate(lines, 1) if text.strip()]


def parsed(text: str, file: Path, number: int) -> Row:
    """A line with what is wrong with it."""
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return Row(text, {}, str(BadProject(f"not valid JSON: {error}", file=file.name, line=number)))
    if not isinstance(data, dict):
        return Row(text, {}, str(BadProject("expected a JSON object", file=file.name, line=number)))
    try:
        example_of(data, Path(file.name), number)
    except BadProject as error:
        return Row(text, data, str(error))
    return Row(text, data)


def save(file: Path, rows: Sequence[Row]) -> None:
    """Put the lines where they belong, whole."""
    mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else 0o644
    disk.replace(file, "".join(f"{row.line}\n" for row in rows).encode())
    file.chmod(mode)


def made(data: Mapping[str, Any], rows: Iterable[Row], file: Path) -> Row:
    """A new example; its id is one that no other row has. Raises BadProject with the key at fault."""
    taken = {str(row.data.get("id")) for row in rows}
    name = str(data.get("id") or "")
    if not name or name in taken:
        name = next(free for number in range(1, 10**9) if (free := f"seed-{number:03d}") not in taken)
    row = {"id": name, **{key: value for key, value in data.items() if key != "id"}}
    example_of(row, file, 1)
    return Row(orjson.dumps(row).decode(), row)


def changed(row: Row, values: Mapping[str, str], file: Path, number: int) -> Row:
    """The row with other words; its steps and other keys stay. Raises BadProject with file, line and key."""
    data = dict(row.data)
    for key, value in values.items():
        known = key if key in data or key.capitalize() not in data else key.capitalize()
        if value.strip() or known in data:
            data[known] = value.strip()
    if not data.get("type", "-"):
        del data["type"]
    example_of(data, file, number)
    return Row(orjson.dumps(data).decode(), data)


def pasted(text: str, name: str, rows: Sequence[Row]) -> list[Row]:
    """The examples in a text: a JSON list, JSON lines, CSV, or columns parted by tabs.

    Raises BadInput with `name`, line and key for the first that is none.
    """
    found: list[Row] = []
    for number, data in _objects(text, name):
        example_of(data, Path(name), number)
        found.append(made(data, [*rows, *found], Path(name)))
    if not found:
        raise BadInput("nothing in it; expected lines with a question and its answer", file=name)
    return found


def of_file(file: Path, rows: Sequence[Row]) -> list[Row]:
    """The examples of a file. Raises BadInput with file, line and key."""
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise BadInput(f"expected at most {LARGEST_BYTES:,} bytes", file=file)
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot be read as UTF-8 text: {error}", file=file) from error
    return pasted(text, str(file), rows)


def mended(text: str, file: Path, number: int) -> Row:
    """A line that a person put right. Raises BadProject when it is not."""
    row = parsed(" ".join(text.splitlines()), file, number)
    if row.trouble:
        raise BadProject(row.trouble)
    return row


def _objects(text: str, name: str) -> list[tuple[int, dict[str, Any]]]:
    begin = text.lstrip("\ufeff \t\r\n")
    if not begin.startswith(("[", "{")):
        return _columns(text.lstrip("\ufeff"), name)
    if begin.startswith("["):
        rows = _json(begin, name, None)
        numbered = list(enumerate(rows, 1)) if isinstance(rows, list) else []
    else:
        lines = enumerate(text.lstrip("\ufeff").splitlines(), 1)
        numbered = [(number, _json(line, name, number)) for number, line in lines if line.strip()]
    for number, row in numbered:
        if not isinstance(row, dict):
            raise BadInput(f"expected a JSON object, found {type(row).__name__}", file=name, line=number)
    return numbered


def _json(text: str, name: str, line: int | None) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"not valid JSON: {error}", file=name, line=line) from error


def _columns(text: str, name: str) -> list[tuple[int, dict[str, Any]]]:
    """Rows under a head that names question and answer; without such a head the first two columns are these."""
    reader = csv.reader(io.StringIO(text), delimiter="\t" if "\t" in text.partition("\n")[0] else ",")
    try:
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise BadInput(f"not valid CSV: {error}", file=name, line=reader.line_num) from error
    head = [cell.casefold() for cell in lines[0][1]] if lines else []
    told = {"question", "answer"} <= set(head)
    names = head if told else ["question", "answer", "type"]
    objects = []
    for number, cells in lines[1:] if told else lines:
        if len(cells) < 2:
            raise BadInput("expected a question and its answer, found one column", file=name, line=number)
        data: dict[str, Any] = {key: cell for key, cell in zip(names, cells, strict=False) if key and cell}
        if isinstance(choices := data.get("choices"), str):
            data["choices"] = [choice.strip() for choice in choices.split("|")]
        objects.append((number, data))
    return objects


def once(rows: Sequence[Row]) -> list[Row]:
    """The rows without those that ask again what an earlier one asked."""
    kept: dict[str, Row] = {}
    for number, row in enumerate(rows):
        kept.setdefault(normalise(row.question) or f"#{number}", row)
    return list(kept.values())


def nearly_alike(rows: Sequence[Row]) -> dict[int, int]:
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


def kind(answer: str) -> str:
    """What sort of answer it is."""
    said = answer.strip()
    if said.casefold() in ("yes", "no"):
        return "yes/no"
    if len(said) == 1 and said.isalpha():
        return "letter"
    if _NUMBER.fullmatch(said):
        return "number"
    return "words"


def kinds(rows: Iterable[Row]) -> Counter[str]:
    """How many answers of each sort there are."""
    return Counter(kind(row.answer) for row in rows if row.answer)
