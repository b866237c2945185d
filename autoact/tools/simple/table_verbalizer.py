"""TableVerbalizer: turns a table in CSV, Markdown or HTML into plain sentences, one for each row."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from pathlib import Path

from autoact.script import Observation
from autoact.tools.database.csv_tables import table_files
from autoact.tools.library.tool import Call, Check, Group, ToolContext, ToolLimits, ToolRecord

Table = list[list[str]]
"""Rows of cells; the first row has the names of the columns."""

LONGEST_TABLE = 100_000
LONGEST_CELL = 200
WIDEST_CELL = 50
"""Columns that one HTML cell may span."""
RECORD = ToolRecord(
    name="TableVerbalizer",
    definition="Turns a table (CSV, Markdown, HTML, or a file of the project's tables) into plain sentences.",
    usage="TableVerbalizer[country, capital; Peru, Lima; Chad, N'Djamena]",
    repeatable=True,
    keeps_lines=True,
    limits=ToolLimits(max_chars=1000),
    settings={"tables": "tables", "rows": 20, "columns": 12},
)
_NUMBER = re.compile(r"[+-]?[\d.,]+%?")
_RULE = re.compile(r"\|?(?:\s*:?-{2,}:?\s*\|)*\s*:?-{2,}:?\s*\|?")
_RULE_WITHIN = re.compile(r"\|\s*((?:\|\s*:?-{2,}:?\s*)+)\|")


class CannotRead(ValueError):
    """The text is not a table; the message says what was expected."""


def verbalize(table: Table, rows: int, columns: int) -> str:
    """Returns a sentence for each of the first `rows` rows about the first `columns` columns. Raises CannotRead."""
    if len(table) < 2:
        raise CannotRead("expected a row of column names and at least one row below it")
    names, *body = [[_short(cell) for cell in row[:columns]] for row in table]
    names = [name or f"column {number}" for number, name in enumerate(names, 1)]
    sentences = [sentence for row in body[:rows] if (sentence := _sentence(names, row))]
    left = len(body) - rows
    return " ".join([*sentences, *([f"{left} more row{'s' if left > 1 else ''}."] if left > 0 else [])])


def _sentence(names: list[str], row: list[str]) -> str:
    """Writes a row as a sentence about the thing in its first column, or about the case that a number there stands
    for."""
    cells = [(name, cell) for name, cell in zip(names[1:], row[1:], strict=False) if cell]
    subject = row[0] if row else ""
    if not cells:
        return f"One {names[0]} is {subject}." if subject else ""
    if not subject:
        return f"{_capital(_join_cells(cells))}."
    if _NUMBER.fullmatch(subject):
        return f"For {names[0]} {subject}, {_join_cells(cells)}."
    (name, cell), *others = cells
    return f"The {name} of {subject} is {cell}{', ' if others else ''}{_join_cells(others)}."


def _join_cells(cells: list[tuple[str, str]]) -> str:
    return ", ".join(f"the {name} is {cell}" for name, cell in cells)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _short(cell: str) -> str:
    text = " ".join(cell.split()).rstrip(".")
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"


# -- forms of tables -------------------------------------------------------------------------------------------------


def parse_table(text: str) -> Table:
    """Parses a table in any of the three forms. Raises CannotRead."""
    if len(text) > LONGEST_TABLE:
        raise CannotRead(f"a table may have {LONGEST_TABLE:,} characters, not {len(text):,}")
    lines = [line for line in text.splitlines() if line.strip()]
    if re.search(r"<(?:table|tr)\b", text, re.IGNORECASE):
        table = parse_html(text)
    elif len(lines) > 1 and any(_RULE.fullmatch(line.strip()) and "-" in line for line in lines[1:2]):
        table = [_cells(line) for line in (lines[0], *lines[2:])]
    elif len(lines) == 1 and (rule := _RULE_WITHIN.search(text)):
        table = _from_one_line(text, rule)
    else:
        table = parse_csv(lines)
    return [row for row in table if any(cell.strip() for cell in row)]


def _cells(line: str) -> list[str]:
    """Returns the cells of a Markdown row; `\\|` is a bar within a cell."""
    inner = re.sub(r"(?<!\\)\|$", "", line.strip().removeprefix("|"))
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", inner)]


def _from_one_line(text: str, rule: re.Match[str]) -> Table:
    """Parses a Markdown table whose line breaks were lost; its rule shows how many cells make a row."""
    width = rule[1].count("|")
    body = _cells(text[rule.end() :])
    start = 1 if body and not body[0] else 0
    rows = [body[at : at + width] for at in range(start, len(body), width + 1)]
    return [_cells(text[: rule.start() + 1]), *rows]


def parse_csv(lines: list[str]) -> Table:
    """Parses cells separated by commas, semicolons, tabs or bars; in a single line, semicolons end the rows."""
    if len(lines) == 1:
        lines = [row.strip() for row in lines[0].split(";")]
    delimiter = max(("\t", "|", ";", ","), key=lambda mark: min((line.count(mark) for line in lines), default=0))
    try:
        return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True)]
    except csv.Error as error:
        raise CannotRead(f"this is no CSV: {error}") from error


def parse_html(text: str) -> Table:
    """Parses the rows of the first table; tables nested in its cells count as text."""
    reader = _Rows()
    reader.feed(text)
    reader.close()
    return reader.rows


class _Rows(HTMLParser):
    """Collects rows and cells; end tags may be missing, as HTML allows."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: Table = []
        self._depth = self._span = 0
        self._ended = self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._depth += tag == "table"
        if self._ended or self._depth > 1:
            return
        if tag == "tr":
            self._inside = False
            self.rows.append([])
        elif tag in ("td", "th"):
            span = dict(attrs).get("colspan") or ""
            self._span = min(int(span), WIDEST_CELL) if re.fullmatch(r"[1-9]\d{0,3}", span) else 1
            self.rows = self.rows or [[]]
            self.rows[-1].extend([""] * self._span)
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr") and self._depth <= 1:
            self._inside = False
        if tag == "table":
            self._depth -= 1
            self._ended = self._ended or self._depth <= 0

    def handle_data(self, data: str) -> None:
        if self._inside and not self._ended:
            self.rows[-1][-self._span :] = [cell + data for cell in self.rows[-1][-self._span :]]


# -- the tool --------------------------------------------------------------------------------------------------------


def open_calls(context: ToolContext, records: Mapping[str, ToolRecord]) -> dict[str, Call]:
    """Opens the tool, which has no state."""
    record = records["TableVerbalizer"]
    settings = record.settings

    def call(argument: str) -> Observation:
        files = table_files((context.root or Path()) / settings["tables"])
        named = {name: file for file in files for name in (file.name, file.stem)}.get(argument)
        try:
            text = argument if named is None else _beginning(named)
            return Observation(verbalize(parse_table(text), settings["rows"], settings["columns"]))
        except (CannotRead, OSError) as error:
            known = f" Tables: {', '.join(file.name for file in files)}." if files else ""
            return Observation(f"TableVerbalizer failed: {error}.{known}", failed=True)

    return {"TableVerbalizer": call}


def _beginning(file: Path) -> str:
    """Reads the first lines of a file, at most LONGEST_TABLE characters, without a line cut in the middle."""
    with file.open(encoding="utf-8-sig", errors="replace") as text:
        start = text.read(LONGEST_TABLE)
        return start if len(start) < LONGEST_TABLE else start.rpartition("\n")[0]


def checks(context: ToolContext, records: Mapping[str, ToolRecord]) -> Iterable[Check]:
    """Yields a check that it reads its own example."""
    yield Check("TableVerbalizer", "country, capital; Peru, Lima; Chad, N'Djamena", "The capital of Peru is Lima")


GROUP = Group((RECORD,), open_calls, checks=checks)
