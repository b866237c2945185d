"""SQL over a database server, by SQLAlchemy, in read-only transactions that are never committed.

Nothing here can prevent what the server allows its user: the URL's user has to be one that may only read.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

from autoact.errors import ToolFailed
from autoact.tools.database.sqlite import CannotQuery, QueryRows
from autoact.tools.database.sqlite_worker import LARGEST_ANSWER, MOST_TABLES, json_value
from autoact.tools.library.deadline import run_within

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, Engine, Inspector

T = TypeVar("T")
_READS = re.compile(r"\s*(?:select|with|values)\b", re.IGNORECASE)
_ESCAPES = re.compile(r"\b(?:outfile|dumpfile|max_execution_time)\b", re.IGNORECASE)
"""Words by which a SELECT of MySQL or MariaDB writes a file on the server, or gives itself more time."""
_GRACE_S = 1.0
DRIVERS = {"postgresql": "pg8000", "mysql": "pymysql", "mariadb": "pymysql"}
"""The driver of each dialect that the extra `database` installs, used where the URL names no other."""
# Statements at the start of a transaction; `ms` is the time that one statement may take.
_OPENINGS = {
    "postgresql": ("SET TRANSACTION READ ONLY", "SET LOCAL statement_timeout = {ms}"),
    "mysql": ("SET SESSION max_execution_time = {ms}", "START TRANSACTION READ ONLY"),
    "mariadb": ("SET SESSION max_statement_time = {ms} / 1000", "START TRANSACTION READ ONLY"),
}


class ServerReader:
    """One database server. Every question has a connection of its own, so no session state reaches the next."""

    def __init__(self, url: str, password: str | None, seconds: float) -> None:
        self._url, self._password, self._seconds = url, password, seconds
        self._engine: Engine | None = None
        self._making = threading.Lock()

    def tables(self) -> Mapping[str, list[str]]:
        """Returns the columns with their types, by table and view. Raises CannotQuery."""
        return self._run_timed(self._describe)

    def query(self, sql: str, rows: int) -> QueryRows:
        """Returns at most `rows` rows of one statement that only reads. Raises CannotQuery."""
        if not _READS.match(sql) or ";" in sql.rstrip("; \t\n") or _ESCAPES.search(sql):
            raise CannotQuery("expected one SELECT statement that only reads, without a semicolon in it")
        return self._run_timed(lambda: self._read(sql.rstrip("; \t\n"), rows))

    def close(self) -> None:
        """Discards the engine. The next question makes another."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    def _connect(self) -> Connection:
        with self._making:
            engine = self._engine = self._engine or self._new_engine()
        # Without this, a percent sign in a statement would begin a parameter.
        connection = engine.connect().execution_options(no_parameters=True)
        name = engine.dialect.name
        for statement in _OPENINGS.get("mariadb" if getattr(engine.dialect, "is_mariadb", False) else name, ()):
            connection.exec_driver_sql(statement.format(ms=int(self._seconds * 1000)))
        return connection

    def _new_engine(self) -> Engine:
        from sqlalchemy import create_engine, make_url
        from sqlalchemy.pool import NullPool

        url = make_url(self._url)
        driver = DRIVERS.get(url.drivername)
        if driver is not None:
            url = url.set(drivername=f"{url.drivername}+{driver}")
        return create_engine(url.set(password=self._password) if self._password else url, poolclass=NullPool)

    def _describe(self) -> dict[str, list[str]]:
        from sqlalchemy import inspect

        with self._connect() as connection:
            inspector = inspect(connection)
            names = sorted([*inspector.get_table_names(), *inspector.get_view_names()])[:MOST_TABLES]
            return {name: _columns(connection, inspector, name) for name in names}

    def _read(self, sql: str, most: int) -> QueryRows:
        with self._connect() as connection, closing(_execute(connection, sql, most)) as answer:  # closing rolls back
            found: list[list[Any]] = []
            size = 0
            for row in answer:
                if len(found) == most or size > LARGEST_ANSWER:
                    return QueryRows(list(answer.keys()), found, True)
                found.append([json_value(_plain_value(value)) for value in row])
                size += sum(len(str(value)) for value in found[-1])
            return QueryRows(list(answer.keys()), found, False)

    def _run_timed(self, work: Callable[[], T]) -> T:
        """Returns what `work` returns. A connection whose statement is late is abandoned, with the engine."""
        try:
            return run_within(self._seconds + _GRACE_S, work)
        except CannotQuery:
            raise
        except ToolFailed as late:
            self._engine = None
            raise CannotQuery(f"it took longer than {self._seconds:g} seconds") from late
        except Exception as error:  # drivers have exceptions of their own, whose messages become the observation
            raise CannotQuery(_first_line(error)) from error


def _columns(connection: Connection, inspector: Inspector, name: str) -> list[str]:
    """Returns the columns of a table or view with their types; without types where the role may not see a view's
    definition."""
    from sqlalchemy.exc import DBAPIError

    try:
        return [f"{column['name']} {column['type']}" for column in inspector.get_columns(name)]
    except DBAPIError:
        quoted = connection.dialect.identifier_preparer.quote(name)
        return list(connection.exec_driver_sql(f"SELECT * FROM {quoted} WHERE 1 = 0").keys())


def _execute(connection: Connection, sql: str, most: int) -> CursorResult[Any]:
    """Runs a statement so that no more than `most` + 1 rows need be fetched, and returns its result."""
    if connection.dialect.name == "postgresql":
        # Its drivers fetch the whole result of a statement, but not of a cursor, which also accepts reads only.
        connection.exec_driver_sql(f"DECLARE answer CURSOR FOR {sql}")
        return connection.exec_driver_sql(f"FETCH {most + 1} FROM answer")
    if connection.dialect.name in ("mysql", "mariadb"):
        connection.exec_driver_sql(f"SET SESSION sql_select_limit = {most + 1}")
    return connection.exec_driver_sql(sql, execution_options={"stream_results": True})


def _plain_value(value: Any) -> Any:
    """Converts dates, decimals and the like to text."""
    return value if value is None or isinstance(value, bytes | str | int | float) else str(value)


def _first_line(error: Exception) -> str:
    """Returns the first line of the driver's message, without the statement that SQLAlchemy adds and the password of
    a URL."""
    cause = getattr(error, "orig", None) or error
    message = cause.args[0] if cause.args else ""
    text = (
        str(message["M"]) if isinstance(message, dict) and "M" in message else str(cause)
    )  # pg8000 gives fields by letter
    line = (text.splitlines() or [type(error).__name__])[0]
    return re.sub(r"://[^@\s]*@", "://", line)
