"""Loads a folder of CSV files into one SQLite file, so that SQL can query a project's tables."""

from __future__ import annotations

import csv
import itertools
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path

from autoact.errors import BadProject

MOST_FILES = 50
MOST_ROWS = 200_000
MOST_COLUMNS = 100
LONGEST_CELL = 100_000
DELIMITERS = {".csv": ",", ".tsv": "\t"}


def table_files(folder: Path) -> list[Path]:
    """Returns the CSV and TSV files of a folder by name; none when the folder does not exist."""
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.iterdir() if file.suffix.casefold() in DELIMITERS)[:MOST_FILES]


def load(files: Iterable[Path], target: Path) -> None:
    """Writes every file as a table into a new SQLite file. Raises BadProject with file and line."""
    with closing(sqlite3.connect(target)) as connection:
        taken: set[str] = set()
        for file in files:
            name = _unique_name(identifier(file.stem, "table"), taken)
            try:
                _load(connection, name, file)
            except (OSError, UnicodeDecodeError, csv.Error, sqlite3.Error) as error:
                raise BadProject(f"cannot be read as a table: {error}", file=file) from error
        connection.commit()


def _load(connection: sqlite3.Connection, table: str, file: Path) -> None:
    with file.open(encoding="utf-8-sig", newline="") as text:
        lines = csv.reader(text, delimiter=DELIMITERS[file.suffix.casefold()])
        header = next(lines, None)
        if not header or len(header) > MOST_COLUMNS:
            raise BadProject(f"expected a first line with 1 to {MOST_COLUMNS} column names", file=file, line=1)
        taken: set[str] = set()
        columns = [_unique_name(identifier(name, f"column_{number}"), taken) for number, name in enumerate(header, 1)]
        quoted = ", ".join(f'"{column}"' for column in columns)
        connection.execute(f'CREATE TABLE "{table}" ({quoted})')
        placeholders = ", ".join("?" * len(columns))
        connection.executemany(f'INSERT INTO "{table}" VALUES ({placeholders})', _rows(lines, len(columns)))
        if next(lines, None) is not None:
            raise BadProject(f"expected at most {MOST_ROWS:,} rows", file=file)


def _rows(lines: Iterator[list[str]], width: int) -> Iterator[Sequence[object]]:
    for line in itertools.islice(lines, MOST_ROWS):
        if line:
            cells = [value(cell) for cell in line[:width]]
            yield [*cells, *[None] * (width - len(cells))]


def value(cell: str) -> int | float | str | None:
    """Converts a cell: a number where it is written like one, None where it is empty, else text."""
    text = cell.strip()
    if re.fullmatch(r"[+-]?\d{1,18}", text) and not re.match(r"[+-]?0\d", text):
        return int(text)
    if re.fullmatch(r"[+-]?\d{1,18}\.\d{1,18}(?:[eE][+-]?\d{1,3})?", text):
        return float(text)
    return text[:LONGEST_CELL] or None


def identifier(name: str, otherwise: str) -> str:
    """Makes an identifier that SQL needs no quotes for; `otherwise` where nothing of the name can stay.

    A reserved word of SQL gets a line after it: `order_`.
    """
    plain = re.sub(r"\W+", "_", name.strip(), flags=re.ASCII).strip("_").lower()
    plain = f"_{plain}" if plain[:1].isdigit() else plain
    return f"{plain}_" if plain and _is_reserved(plain) else plain or otherwise


@cache
def _is_reserved(word: str) -> bool:
    """Returns whether a word cannot stand for a column without quotes in SQLite."""
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute(f"CREATE TABLE plain ({word})")
        except sqlite3.OperationalError:
            return True
    return False


def _unique_name(name: str, taken: set[str]) -> str:
    """Returns `name`, with a number when it is taken already."""
    free = next(each for n in itertools.count(1) if (each := name if n == 1 else f"{name}_{n}") not in taken)
    taken.add(free)
    return free
