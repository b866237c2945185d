"""SQL over a database server by way of SQLAlchemy, in transactions that are read-only and never committed.

Nothing here can stop a server from doing what its user may do: the URL's user has to be one that may only read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from autoact.errors import ToolFailed
from autoact.tools.deadline import within
from autoact.tools.sql_guard import LARGEST_ANSWER, MOST_TABLES, told
from autoact.tools.sql_reader import CannotQuery, Rows

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

T = TypeVar("T")
_READS = re.compile(r"\s*(?:select|with|values)\b", re.IGNORECASE)
_GRACE_S = 1.0
# What a dialect is told at the start of a transaction; `ms` is the time that one statement may take.
_OPENINGS = {
    "postgresql": ("SET TRANSACTION READ ONLY", "SET LOCAL statement_timeout = {ms}"),
    "mysql": ("SET SESSION max_execution_time = {ms}", "START TRANSACTION READ ONLY"),
    "mariadb": ("SET SESSION max_statement_time = {ms} / 1000", "START TRANSACTION READ ONLY"),
}


class ServerReader:
    """One database server; connects with the first question and again after trouble."""

    def __init__(self, url: str, password: str | None, seconds: float) -> None:
        self._url, self._password, self._seconds = url, password, seconds
        self._engine: Engine | None = None

    def tables(self) -> Mapping[str, list[str]]:
        """Columns with their types, by table and view. Raises CannotQuery."""
        return self._timed(self._described)

    def query(self, sql: str, rows: int) -> Rows:
        """At most `rows` rows of one statement that only reads. Raises CannotQuery."""
        if not _READS.match(sql) or ";" in sql.rstrip("; \t\n"):
            raise CannotQuery("expected one SELECT statement")
        return self._timed(lambda: self._read(sql.rstrip("; \t\n"), rows))

    def close(self) -> None:
        """Give the connections back. The next question makes others."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _connected(self) -> Connection:
        from sqlalchemy import create_engine, make_url

        if self._engine is None:
            url = make_url(self._url)
            self._engine = create_engine(url.set(password=self._password) if self._password else url)
        connection = self._engine.connect()
        for statement in _OPENINGS.get(self._engine.dialect.name, ()):
            connection.exec_driver_sql(statement.format(ms=int(self._seconds * 1000)))
        return connection

    def _described(self) -> dict[str, list[str]]:
        from sqlalchemy import inspect

        with self._connected() as connection:
            inspector = inspect(connection)
            names = sorted([*inspector.get_table_names(), *inspector.get_view_names()])[:MOST_TABLES]
            return {
                name: [f"{column['name']} {column['type']}" for column in inspector.get_columns(name)]
                for name in names
            }  # fmt: skip

    def _read(self, sql: str, most: int) -> Rows:
        with self._connected() as connection:  # leaving rolls back
            cursor = connection.exec_driver_sql(sql)
            found: list[list[Any]] = []
            size = 0
            for row in cursor:
                if len(found) == most or size > LARGEST_ANSWER:
                    return Rows(list(cursor.keys()), found, True)
                found.append([told(_plain(value)) for value in row])
                size += sum(len(str(value)) for value in found[-1])
            return Rows(list(cursor.keys()), found, False)

    def _timed(self, work: Callable[[], T]) -> T:
        """What `work` gives. A connection that a statement still holds after its time is given up."""
        try:
            return within(self._seconds + _GRACE_S, work)
        except CannotQuery:
            raise
        except ToolFailed as late:
            self._engine = None
            raise CannotQuery(f"it took longer than {self._seconds:g} seconds") from late
        except Exception as error:  # drivers have exceptions of their own; what they say becomes the observation
            raise CannotQuery(_first_line(error)) from error


def _plain(value: Any) -> Any:
    """Dates, decimals and the like as they are written."""
    return value if value is None or isinstance(value, bytes | str | int | float) else str(value)


def _first_line(error: Exception) -> str:
    """What the driver says; SQLAlchemy goes on with the statement, and the message of a driver may hold the URL."""
    cause = getattr(error, "orig", None) or error
    line = (str(cause).splitlines() or [type(error).__name__])[0]
    return re.sub(r"://[^@\s]*@", "://", line)
