"""Database: answers SQL questions about a project's tables, a SQLite file or a database server, and only reads."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from autoact.files import disk
from autoact.script import Observation
from autoact.security import grants
from autoact.tools.database import csv_tables
from autoact.tools.database.server import DRIVERS, ServerReader
from autoact.tools.database.sqlite import CannotQuery, QueryRows, SqliteReader
from autoact.tools.library.tool import (
    Call,
    Check,
    Group,
    Need,
    ToolContext,
    ToolLimits,
    ToolRecord,
    require_package,
    with_state,
)

PASSWORD = "AUTOACT_DATABASE_PASSWORD"
RECORD = ToolRecord(
    name="Database",
    definition="Answers an SQL question (SELECT) about the project's tables; [schema] tells which tables there are.",
    usage="Database[SELECT name FROM rivers ORDER BY length DESC LIMIT 1]",
    powers=("database",),
    limits=ToolLimits(timeout_s=5.0, max_chars=800),
    settings={"url": "", "tables": "tables", "rows": 20, "read_only_role": False},
)
_SQLITE = re.compile(r"sqlite(?:\+\w+)?:/{3}(?P<path>.+)", re.IGNORECASE)
_STATEMENT = re.compile(
    r"\s*(?:select|with|values|explain|pragma|insert|update|delete|create|drop|alter|attach)\b", re.I
)
_ABOUT_TABLES = re.compile(r"\b(?:schema|tables?|columns?|describe|fields)\b", re.IGNORECASE)


class DatabaseReader(Protocol):
    """A source of tables and rows, which several threads may ask at once."""

    def tables(self) -> Mapping[str, list[str]]: ...
    def query(self, sql: str, rows: int) -> QueryRows: ...
    def close(self) -> None: ...


def answer(reader: DatabaseReader, argument: str, rows: int) -> Observation:
    """Returns the rows of a statement, or the tables for a question about them; an error with the tables where that
    helps."""
    try:
        if not _STATEMENT.match(argument):
            about = bool(_ABOUT_TABLES.search(argument))
            prefix = "" if about else "Database expects a SELECT statement. "
            return Observation(f"{prefix}Tables: {schema(reader.tables(), argument)}", failed=not about)
        return Observation(format_rows(reader.query(argument, rows)))
    except CannotQuery as error:
        return Observation(f"Database failed: {error}.{_hint(reader, str(error))}", failed=True)


def schema(tables: Mapping[str, list[str]], argument: str = "") -> str:
    """Lists tables with their columns: those that the argument names, else all of them."""
    words = set(re.findall(r"\w+", argument.casefold()))
    chosen = [name for name in tables if name.casefold() in words] or list(tables)
    return "; ".join(f"{name}({', '.join(tables[name])})" for name in chosen) or "none"


def format_rows(found: QueryRows) -> str:
    """Formats rows for an agent: values of a single column without its name, of several columns as `name: value`."""
    if not found.rows:
        return "No rows."
    if len(found.columns) == 1:
        lines = [_cell(row[0]) for row in found.rows]
    else:
        lines = [
            ", ".join(f"{column}: {_cell(cell)}" for column, cell in zip(found.columns, row, strict=True))
            for row in found.rows
        ]
    return "; ".join(lines) + (f"; and more than these {len(lines)} rows" if found.more else "")


def _cell(value: Any) -> str:
    return "NULL" if value is None else format(value, ".12g") if isinstance(value, float) else str(value)


def _hint(reader: DatabaseReader, error: str) -> str:
    """Lists the tables when the error is about an unknown table or column."""
    unknown = re.search(r"no such (?:table|column)|does(?: not|n't) exist|unknown column", error, re.IGNORECASE)
    return f" Tables: {schema(reader.tables())}" if unknown else ""


# -- sources of tables -----------------------------------------------------------------------------------------------


def settle(context: ToolContext, record: ToolRecord) -> ToolRecord:
    """Returns the record with its state: whether there are tables, and whether querying them is safe."""
    url: str = record.settings["url"]
    if not url:
        if csv_tables.table_files(_project_path(context, record.settings["tables"])):
            return record
        folder = record.settings["tables"]
        return with_state(
            record, "needs-setting", f"put CSV files into the project's folder `{folder}`, or set `url` to a database"
        )
    if (file := _sqlite_file(context, url)) is not None:
        return record if file.is_file() else with_state(record, "needs-setting", f"`url` names no file: {file}")
    if re.search(r"://[^/@]*:[^/@]+@", url):
        return with_state(record, "refused", f"`url` holds a password; keep that in the environment as {PASSWORD}")
    if not record.settings["read_only_role"]:
        reason = "a server's user may write: give `url` one that may only read and set `read_only_role = true`"
        return with_state(record, "refused", reason)
    if context.secret(PASSWORD) is not None and not context.granted(PASSWORD, url):
        return with_state(record, "refused", grants.refusal(PASSWORD, url))
    driver = DRIVERS.get(url.partition("://")[0], "sqlalchemy")
    lacks = require_package(record, "sqlalchemy", "database")
    return lacks if lacks != record else require_package(record, driver, "database")


def is_server(url: str) -> bool:
    """Returns whether a URL leads to a database server, not to a file."""
    return "://" in url and not _SQLITE.fullmatch(url)


def _project_path(context: ToolContext, path: str) -> Path:
    return (context.root or Path()) / disk.expand_user(path)


def _sqlite_file(context: ToolContext, url: str) -> Path | None:
    """Returns the file of a SQLite URL or of a plain path; None for a server."""
    match = _SQLITE.fullmatch(url)
    return _project_path(context, match["path"] if match else url) if match or "://" not in url else None


def open_reader(context: ToolContext, record: ToolRecord) -> DatabaseReader:
    """Returns the reader that all sessions of the library share. Raises BadProject for a table that cannot be read."""

    def make() -> DatabaseReader:
        reader = _make_reader(context, record)
        context.closing.callback(reader.close)
        return reader

    return context.shared.get("database", make)


def _make_reader(context: ToolContext, record: ToolRecord) -> DatabaseReader:
    url, seconds = record.settings["url"], record.limits.timeout_s
    if not url:
        folder = context.closing.enter_context(tempfile.TemporaryDirectory(prefix="autoact-tables-"))
        target = Path(folder) / "tables.db"
        csv_tables.load(csv_tables.table_files(_project_path(context, record.settings["tables"])), target)
        return SqliteReader(target, seconds)
    file = _sqlite_file(context, url)
    return SqliteReader(file, seconds) if file else ServerReader(url, context.secret_for(PASSWORD, url), seconds)


def open_calls(context: ToolContext, records: Mapping[str, ToolRecord]) -> dict[str, Call]:
    """Opens the tool; the database itself opens with the first call."""
    record = records["Database"]
    return {"Database": lambda argument: answer(open_reader(context, record), argument, record.settings["rows"])}


def checks(context: ToolContext, records: Mapping[str, ToolRecord]) -> Iterable[Check]:
    """Yields checks that it lists its tables, computes, and refuses to write."""
    url = records["Database"].settings["url"]
    needs: Need = "network" if is_server(url) else ""
    yield Check("Database", "schema", r"Tables: \w+\(", needs=needs)
    yield Check("Database", "SELECT 6 * 7", "^42$", needs=needs)
    yield Check(
        "Database", "CREATE TABLE autoact_check (a)", "not authorized|expected one SELECT|expects a SELECT", needs=needs
    )


GROUP = Group((RECORD,), open_calls, settle, checks)
