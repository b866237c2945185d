"""Reads the records of a file one at a time: JSON lines, a JSON list, a JSON object keyed by id, indented objects,
columns, Parquet, or a folder of Arrow files.

Memory holds one record, however large the file is. JSON lists and keyed objects are decoded by the standard library's
scanner from a window of the file. It is fast enough (about 60 MB/s), returns the end of each record, and its window is
bounded; streaming parsers keep the path of every level and need gigabytes for 100,000 nested brackets.
"""

from __future__ import annotations

import codecs
import csv
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson

from autoact.errors import BadProject
from autoact.files import parquet, saved_dataset
from autoact.files.saved_dataset import is_saved_dataset

LONGEST = 10_000_000
"""The most bytes of a line, and about the most characters of a record of a JSON list."""
WINDOW = 65_536
"""The fewest characters of a JSON list that are read at a time."""
REQUIRED: Set[str] = frozenset({"question", "answer"})
"""The columns that a header must have."""
NO_MAPPING: Mapping[str, str] = {}
LISTS = {"choices", "gold", "other_answers"}
"""Columns whose cells are lists."""
_BOM = codecs.BOM_UTF8
_SPACE = re.compile(r"[ \t\r\n]*")
_KEYED = re.compile(rb'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{')
"""The beginning of an object whose first value is an object."""
_INDENTED = re.compile(rb"\s*\{[ \t]*\r?\n")
"""The beginning of an object that is written over several lines."""


class RecordPlace(NamedTuple):
    """The position of a record: its line, or its number in a file whose records are not lines."""

    file: Path | str
    line: int | None = None
    record: int | None = None

    @property
    def number(self) -> int:
        """The number of the line or of the record."""
        return self.line or self.record or 0

    def __str__(self) -> str:
        return f"line {self.line}" if self.line else f"record {self.record}"

    def error(self, message: str, key: str | None = None) -> BadProject:
        """Returns an error that names this position."""
        return BadProject(message, file=self.file, line=self.line, record=self.record, key=key)


class DataRecord(NamedTuple):
    """A JSON object of a file, or a row of its columns keyed by the names in the header."""

    place: RecordPlace
    values: dict[str, Any]


def read_records(file: Path, columns: Mapping[str, str] = NO_MAPPING) -> Iterator[DataRecord]:
    """Yields every record of a file. Raises BadProject at the first that cannot be read.

    `columns` names the file's own keys or columns by what they are here, such as `question`.
    """
    if not file.is_file() and not is_saved_dataset(file):
        raise BadProject("expected a file" if file.exists() else "not found; expected a file of questions", file=file)
    try:
        for found in scan_file(file, columns=columns):
            if isinstance(found, BadProject):
                raise found
            yield rename_columns(found, columns) if columns else found
    except OSError as error:
        raise BadProject(f"cannot be read: {error.strerror}", file=file) from error


def scan_file(
    file: Path, *, longest: int = LONGEST, columns: Mapping[str, str] = NO_MAPPING
) -> Iterator[DataRecord | BadProject]:
    """Yields the records of a file, of Parquet or of a saved data set, and an error for each that cannot be read."""
    saved = is_saved_dataset(file)
    if saved or parquet.is_parquet(file):
        try:
            for number, values in enumerate(saved_dataset.read_rows(file) if saved else parquet.read_rows(file), 1):
                yield DataRecord(RecordPlace(file, record=number), values)
        except BadProject as problem:
            yield problem
        return
    header = {columns.get(name, name).casefold() for name in REQUIRED}
    with file.open("rb") as stream:
        yield from scan_records(stream, file, longest=longest, header=header)


def rename_columns(record: DataRecord, columns: Mapping[str, str]) -> DataRecord:
    """Returns a record with the keys that they have here. Raises BadProject when a required one is missing."""
    given = record.values
    keys = {ours: key if key in given else key.casefold() for ours, key in columns.items()}  # a header is in lower case
    values = {key: value for key, value in given.items() if key not in keys.values()}
    for ours, key in keys.items():
        if key in given:
            found = given[key]
            values[ours] = _split(found) if ours in LISTS and isinstance(found, str) else found
        elif ours in REQUIRED:
            raise record.place.error(
                f"no column `{columns[ours]}`, or nothing in it; there is {', '.join(given)}", ours
            )
    return DataRecord(record.place, values)


def scan_records(
    stream: BinaryIO, name: Path | str, *, longest: int = LONGEST, columns: Sequence[str] = (),
    header: Set[str] = REQUIRED,
) -> Iterator[DataRecord | BadProject]:  # fmt: skip
    """Yields records, and an error in place of each that cannot be read; reading goes on after a bad line.

    The form follows from the suffix of `name` and the first bytes of `stream`, which must be seekable. `columns` names
    the columns of a text without a header; a row with all names of `header` is one.
    """
    head = stream.read(WINDOW).removeprefix(_BOM)
    stream.seek(0)
    begins, suffix = head.lstrip()[:1], Path(name).suffix.lower()
    if begins == b"[" or (begins == b"{" and _KEYED.match(head) and not _is_row(head)):
        return _decode_json(stream, name, longest)
    if begins == b"<":
        return iter([RecordPlace(name, 1).error("looks like HTML or XML, perhaps a page in place of a download")])
    if begins == b"{" and _INDENTED.match(head):
        return _decode_objects(stream, name, longest)
    if begins == b"{" or suffix in (".json", ".jsonl"):
        return _decode_lines(stream, name, longest)
    return _read_columns(stream, name, longest, columns, header)


def read_lines(stream: BinaryIO, longest: int = LONGEST) -> Iterator[tuple[int, bytes | str]]:
    """Yields lines with their numbers; for a line of more than `longest` bytes an error message (str) instead."""
    for number, line in enumerate(iter(lambda: stream.readline(longest + 1), b""), 1):
        if len(line) > longest and not line.endswith(b"\n"):
            length = len(line) + _skip_line(stream)
            yield number, f"the line has {length:,} bytes; expected at most {longest:,}"
        else:
            yield number, line.removeprefix(_BOM)


def _skip_line(stream: BinaryIO) -> int:
    """Reads to the end of a line in small parts; returns the number of bytes skipped."""
    skipped = 0
    while part := stream.readline(WINDOW):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped


# -- JSON lines ------------------------------------------------------------------------------------------------------


def _decode_lines(stream: BinaryIO, name: Path | str, longest: int) -> Iterator[DataRecord | BadProject]:
    for number, line in read_lines(stream, longest):
        if isinstance(line, str):
            yield RecordPlace(name, number).error(line)
        elif line.strip():
            yield decode_line(line, RecordPlace(name, number))


def decode_line(line: bytes | str, place: RecordPlace) -> DataRecord | BadProject:
    """Returns the record in a line, or an error."""
    try:
        return _record(orjson.loads(line), place)
    except orjson.JSONDecodeError as error:
        return place.error(f"not valid JSON: {error}")


def _record(value: Any, place: RecordPlace) -> DataRecord | BadProject:
    if isinstance(value, dict):
        return DataRecord(place, value)
    return place.error(f"expected a JSON object, found {type(value).__name__}")


def _is_row(head: bytes) -> bool:
    """Returns whether the first line is a record by itself: the values of an object keyed by id are all objects."""
    found = decode_line(head.lstrip().partition(b"\n")[0], RecordPlace(""))
    return isinstance(found, DataRecord) and not all(isinstance(value, dict) for value in found.values.values())


# -- a JSON list, or an object keyed by id ---------------------------------------------------------------------------


def _decode_json(stream: BinaryIO, name: Path | str, longest: int) -> Iterator[DataRecord | BadProject]:
    window, place = _Window(stream, longest), RecordPlace(name, record=1)
    try:
        opening = window.take("[{")
        closing = "]" if opening == "[" else "}"
        if window.peek() == closing:
            return
        for number in itertools.count(1):
            place = RecordPlace(name, record=number)
            keyed = {"id": window.decode_key()} if opening == "{" else {}
            found = _record(window.decode(), place)
            yield DataRecord(place, {**keyed, **found.values}) if isinstance(found, DataRecord) else found
            if window.take("," + closing) == closing:
                break
        if window.peek():
            yield place.error(f"not valid JSON: something follows the closing {closing}")
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        yield place.error(f"not valid JSON: {_describe(error)}")


def _describe(error: ValueError | RecursionError) -> str:
    """Returns the reason why a JSON text cannot be decoded."""
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _decode_objects(stream: BinaryIO, name: Path | str, longest: int) -> Iterator[DataRecord | BadProject]:
    """Yields objects that are written over several lines each, one after the other."""
    window, place = _Window(stream, longest), RecordPlace(name, record=1)
    try:
        while window.peek():
            yield _record(window.decode(), place)
            place = place._replace(record=place.number + 1)
    except (ValueError, RecursionError) as error:
        yield place.error(f"not valid JSON: {_describe(error)}")


class _Window:
    """The part of a JSON text that is being decoded. Methods raise ValueError for invalid JSON."""

    def __init__(self, stream: BinaryIO, longest: int):
        self._stream, self._longest = stream, longest
        self._utf8 = codecs.getincrementaldecoder("utf-8-sig")()
        self._scan = json.JSONDecoder().raw_decode
        self._text, self._at = "", 0

    def peek(self) -> str:
        """Returns the next character that is not a space; empty at the end of the file."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text) or not self._read():
                return self._text[self._at : self._at + 1]

    def take(self, expected: str) -> str:
        """Consumes and returns the next character, which must be one of those expected."""
        found = self.peek()
        if not found or found not in expected:
            wanted = " or ".join(expected)
            raise ValueError(f"expected {wanted}, found {found or 'the end of the file'}")
        self._at += 1
        return found

    def decode_key(self) -> str:
        """Consumes a key and its colon; returns the key."""
        key = self.decode()
        if not isinstance(key, str):
            raise ValueError("expected a key in quotes")
        self.take(":")
        return key

    def decode(self) -> Any:
        """Consumes and returns the next value; reads more of the file until the value is complete."""
        self.peek()
        while True:
            try:
                _, end = self._scan(self._text, self._at)
            except json.JSONDecodeError as error:
                reason = f"{error.msg} at character {error.pos - self._at}"
                if len(self._text) - self._at > self._longest:
                    raise ValueError(f"no end within {self._longest:,} characters") from error
                if not self._read():
                    raise ValueError(reason) from error
            else:
                # Decoded again as all other records are: orjson refuses NaN and unpaired surrogates.
                value = orjson.loads(self._text[self._at : end])
                self._at = end
                return value

    def _read(self) -> bool:
        """Doubles the window and drops what was decoded; returns False at the end of the file."""
        self._text, self._at = self._text[self._at :], 0
        more = self._stream.read(max(WINDOW, len(self._text)))
        self._text += self._utf8.decode(more, final=not more)
        return bool(more)


# -- columns ---------------------------------------------------------------------------------------------------------


def _read_columns(
    stream: BinaryIO, name: Path | str, longest: int, columns: Sequence[str], required: Set[str]
) -> Iterator[DataRecord | BadProject]:
    """Yields rows under a header; the separator is the most frequent of tab, semicolon and comma in the first line."""
    names, start = list(columns), 1
    try:
        lines = _decode_text(stream, longest)
        skipped, first = next(((at, line) for at, line in enumerate(lines) if line.strip()), (0, ""))
        csv.field_size_limit(max(longest, csv.field_size_limit()))
        reader = csv.reader(itertools.chain([first], lines), delimiter=max("\t;,", key=first.count), strict=True)
        start = skipped + 1
        for cells in reader:
            place, start = RecordPlace(name, start), skipped + reader.line_num + 1
            if place.line == skipped + 1 and (header := _header(cells, required)):
                names = header
            elif not names:
                wanted = " and ".join(sorted(required, reverse=True))
                yield place.error(f"expected a JSON object, or a header that names the columns {wanted}")
                return
            elif any(map(str.strip, cells)):
                yield _row(names, cells, place)
    except UnicodeDecodeError as error:
        yield RecordPlace(name, start).error(f"not UTF-8 text: {error.reason}")
    except (csv.Error, ValueError) as error:
        yield RecordPlace(name, start).error(f"not valid CSV: {error}")


def _decode_text(stream: BinaryIO, longest: int) -> Iterator[str]:
    """Yields lines as text. Raises ValueError for one that is too long or not UTF-8."""
    for _, line in read_lines(stream, longest):
        if isinstance(line, str):
            raise ValueError(line)
        yield line.decode()


def _header(cells: Iterable[str], required: Set[str]) -> list[str]:
    """Returns the names of the columns; none when the row is not a header."""
    names = [cell.strip().casefold() for cell in cells]
    return names if required <= set(names) else []


def _row(names: Sequence[str], cells: Sequence[str], place: RecordPlace) -> DataRecord | BadProject:
    if len(cells) < 2:
        return place.error("expected a question and its answer, found one column")
    if any(map(str.strip, cells[len(names) :])):
        known = ", ".join(names)
        return place.error(f"found {len(cells)} columns where {len(names)} are named ({known}); quote text with commas")
    values: dict[str, Any] = {key: text.strip() for key, text in zip(names, cells, strict=False) if text.strip()}
    for key in LISTS & values.keys():
        values[key] = _split(values[key])
    return DataRecord(place, values)


def _split(text: str) -> list[Any]:
    """Returns the items of a cell: a JSON list, or texts separated by |."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    return found if isinstance(found, list) else [item.strip() for item in text.split("|")]
