"""SQL over a SQLite file, by worker processes that are killed when a statement takes too long."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from autoact.security import child_process
from autoact.tools.database import sqlite_worker

_GRACE_S = 0.5
"""Seconds between the worker's own deadline and the kill."""
_START_S = 10.0
_LONGEST_LINE = 2_000_000
_CHUNK = 65_536


class CannotQuery(ValueError):
    """The database gave no answer; the message says why."""


class QueryRows(Struct, frozen=True):
    """The first rows of a statement's answer."""

    columns: list[str]
    rows: list[list[Any]]
    more: bool
    """Whether rows were left out."""


class SqliteReader:
    """One SQLite file, opened read-only by processes of its own: one for each statement that runs at the same time.

    A process starts when a statement finds none idle, and stays for later ones.
    """

    def __init__(self, file: Path, seconds: float) -> None:
        """`seconds` is the time that one statement may take."""
        self._file, self._seconds = file.resolve(), seconds
        self._processes: list[_Process] = []
        self._idle: list[_Process] = []

    def tables(self) -> Mapping[str, list[str]]:
        """Returns the columns with their types, by table. Raises CannotQuery."""
        with self._process() as process:
            return process.tables()

    def query(self, sql: str, rows: int) -> QueryRows:
        """Returns at most `rows` rows of one statement that only reads. Raises CannotQuery."""
        with self._process() as process:
            return process.query(sql, rows)

    def close(self) -> None:
        """Ends the processes, also in the middle of a statement. The next statement starts another."""
        for process in self._processes:
            process.kill()
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _process(self) -> Iterator[_Process]:
        """Yields a process that no other thread uses. The list's own pop and append are atomic."""
        try:
            process = self._idle.pop()
        except IndexError:
            process = _Process(self._file, self._seconds)
            self._processes.append(process)
        try:
            yield process
        finally:
            self._idle.append(process)


class _Process:
    """The worker program on one file. One thread at a time may use it."""

    def __init__(self, file: Path, seconds: float) -> None:
        self._file, self._seconds = file, seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._tables: Mapping[str, list[str]] = {}

    def tables(self) -> Mapping[str, list[str]]:
        self._start()
        return self._tables

    def query(self, sql: str, rows: int) -> QueryRows:
        process = self._start()
        request = json.dumps({"sql": sql, "rows": rows, "seconds": self._seconds})
        try:
            assert process.stdin is not None
            process.stdin.write(request.encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError as error:
            self.close()
            raise CannotQuery("the database's reader has ended") from error
        answer = self._read_line(process, self._seconds + _GRACE_S)
        if "error" in answer:
            raise CannotQuery(answer["error"])
        return QueryRows(answer["columns"], answer["rows"], answer["more"])

    def kill(self) -> None:
        """Ends the process from another thread than the one that uses it, which then sees that it ended."""
        if (process := self._process) is not None:
            process.kill()

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is not None:
            return self._process
        command = child_process.python_command("-I", sqlite_worker.__file__, str(self._file))
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={},
            cwd=child_process.FOLDER, start_new_session=True,
        )  # fmt: skip
        greeting = self._read_line(self._process, _START_S)
        if "error" in greeting:
            self.close()
            raise CannotQuery(f"the database cannot be opened: {greeting['error']}")
        self._tables = greeting["tables"]
        return self._process

    def _read_line(self, process: subprocess.Popen[bytes], seconds: float) -> dict[str, Any]:
        """Reads the worker's next line. Kills the worker after `seconds`."""
        assert process.stdout is not None
        end, line = time.monotonic() + seconds, b""
        while not line.endswith(b"\n"):
            waiting = max(0.0, end - time.monotonic())
            if not select.select([process.stdout], [], [], waiting)[0]:
                self.close()
                raise CannotQuery(f"it took longer than {self._seconds:g} seconds")
            chunk = os.read(process.stdout.fileno(), _CHUNK)
            line += chunk
            if not chunk or len(line) > _LONGEST_LINE:
                self.close()
                raise CannotQuery("the statement took more memory than it may")
        answer: dict[str, Any] = json.loads(line)
        return answer
