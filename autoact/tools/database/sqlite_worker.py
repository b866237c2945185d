"""The worker on one SQLite file: a program that answers SQL statements line by line, read-only and within limits.

Run as `python -I sqlite_worker.py FILE` by autoact/tools/database/sqlite.py, which kills it when a statement takes
too long: SQLite checks no clock while it prepares a statement, nor within one function call. It imports only the
standard library.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LARGEST_VALUE = 1_000_000
"""Bytes of one text or blob, also of an intermediate result."""
LONGEST_CELL = 2_000
LARGEST_ANSWER = 64_000
MOST_TABLES = 200
MOST_MEMORY = 1 << 30
_STEPS = 1_000
"""Steps of SQLite's virtual machine between two checks of the clock."""

_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: LARGEST_VALUE, sqlite3.SQLITE_LIMIT_SQL_LENGTH: 20_000,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200, sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0, sqlite3.SQLITE_LIMIT_VDBE_OP: 250_000,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200, sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 50, sqlite3.SQLITE_LIMIT_COLUMN: 200,
}  # fmt: skip


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FUNCTIONS = _words(
    "abs acos acosh asin asinh atan atan2 atanh avg bm25 ceil ceiling char coalesce concat concat_ws cos cosh count "
    "cume_dist date datetime degrees dense_rank exp first_value floor glob group_concat hex highlight ifnull iif instr "
    "json json_array json_array_length json_each json_extract json_group_array json_group_object json_object "
    "json_quote json_tree json_type json_valid julianday lag last_value lead length like likelihood likely ln log "
    "log10 log2 lower ltrim match max min mod nth_value ntile nullif octet_length percent_rank pi pow power quote "
    "radians rank replace round row_number rtrim sign sin sinh snippet sqrt strftime string_agg substr substring sum "
    "tan tanh time timediff total trim trunc typeof unicode unixepoch unlikely upper -> ->> "
    "current_date current_time current_timestamp"
)
"""The functions that statements may call; printf, for one, is not among them: it can pad to a billion characters in
a single step."""
_PRAGMAS = frozenset({"data_version", "table_info", "table_xinfo", "table_list"})
_READABLE = frozenset({"", "sqlite_master", "sqlite_schema", "json_each", "json_tree"})
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE})


def connect(file: Path) -> tuple[sqlite3.Connection, dict[str, list[str]]]:
    """Opens a guarded connection and returns it with the columns of every table. Raises sqlite3.Error."""
    connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    for pragma in ("query_only = 1", "trusted_schema = 0", "cell_size_check = 1", "temp_store = 2"):
        connection.execute(f"PRAGMA {pragma}")
    tables = describe_tables(connection)
    for function in ("json_each", "json_tree"):  # connects them now, as it does virtual tables
        connection.execute(f"SELECT 1 FROM {function}('[]')")
    for category, most in _LIMITS.items():
        connection.setlimit(category, most)
    connection.set_authorizer(make_authorizer(frozenset(name.casefold() for name in all_tables(connection))))
    return connection, tables


def describe_tables(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Returns the columns with their types, by table and view; without the internal tables of virtual tables."""
    rows = connection.execute("SELECT name, type FROM pragma_table_list WHERE schema = 'main'").fetchall()
    names = sorted(name for name, kind in rows if kind != "shadow" and not name.startswith("sqlite_"))[:MOST_TABLES]
    tables = {}
    for name in names:
        # Reading a virtual table's columns also connects it, which the authorizer would forbid later.
        columns = connection.execute("SELECT name, type FROM pragma_table_info(?)", (name,)).fetchall()
        tables[name] = [f"{column} {kind}".strip() for column, kind in columns]
    return tables


def all_tables(connection: sqlite3.Connection) -> list[str]:
    """Returns the names of all tables, views and internal tables of virtual tables."""
    return [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]


def make_authorizer(tables: frozenset[str]) -> Callable[..., int]:
    """Makes the function that SQLite asks before each action of a statement: it allows reading known tables only."""

    def allowed(action: int, first: str | None, second: str | None, _database: str | None, _inside: str | None) -> bool:
        if action == sqlite3.SQLITE_READ:
            # The statement's own common tables come here only when they are counted, without a column.
            return second == "" or (first or "").casefold() in tables | _READABLE
        if action == sqlite3.SQLITE_FUNCTION:
            return (second or "").casefold() in _FUNCTIONS
        if action == sqlite3.SQLITE_PRAGMA:
            return (first or "").casefold() in _PRAGMAS
        return action in _ALLOWED

    return lambda *asked: sqlite3.SQLITE_OK if allowed(*asked) else sqlite3.SQLITE_DENY


def answer(connection: sqlite3.Connection, sql: str, rows: int, seconds: float) -> dict[str, Any]:
    """Returns the first `rows` rows of one statement, or the error."""
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS)
    try:
        cursor = connection.execute(sql)
        found: list[list[Any]] = []
        size = 0
        for row in cursor:
            if len(found) == rows or size > LARGEST_ANSWER:
                return {"columns": column_names(cursor), "rows": found, "more": True}
            found.append([json_value(value) for value in row])
            size += sum(len(str(value)) for value in found[-1])
        return {"columns": column_names(cursor), "rows": found, "more": False}
    except (sqlite3.Error, sqlite3.Warning, ValueError, MemoryError) as error:
        late = time.monotonic() > end
        return {"error": f"it took longer than {seconds:g} seconds" if late else str(error) or "out of memory"}


def column_names(cursor: sqlite3.Cursor) -> list[str]:
    return [column[0] for column in cursor.description or ()]


def json_value(value: Any) -> Any:
    """Converts a value for JSON and shortens long text."""
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, str):
        return value if len(value) <= LONGEST_CELL else value[:LONGEST_CELL] + "…"
    return value if value is None or isinstance(value, int) or abs(value) < float("inf") else str(value)


def confine() -> None:
    """Limits the process: it can write no file and has a maximum of memory, even if something gets past the guard."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


def main(file: str) -> None:
    """Writes the schema as the first line, then an answer to each request, a line of {"sql", "rows", "seconds"}."""
    confine()
    try:
        connection, tables = connect(Path(file))
    except sqlite3.Error as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return
    print(json.dumps({"tables": tables}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(answer(connection, request["sql"], request["rows"], request["seconds"])), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
