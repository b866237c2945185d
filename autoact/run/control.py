"""The control socket: where a live job takes commands, and how they are sent to it.

One JSON object a line, both ways. Where no socket reaches (the job is not alive yet, another host), a command is a
file in the run's `control` folder: a job reads it when it starts and every two seconds.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

import msgspec

from autoact import disk
from autoact.errors import AutoActError
from autoact.run.command import Command, Reply
from autoact.run.folder import RunFolder

LONGEST = 300_000
"""Bytes of a command at most."""
LOOK = 2.0
"""Seconds between looks into the folder of commands."""
_decode = msgspec.json.Decoder(Command).decode


class Unreachable(AutoActError):
    """No live job took the command."""


class ControlServer:
    """Listens for as long as its `with` lasts. Open it only while holding the run's lock."""

    def __init__(self, folder: RunFolder, submit: Callable[[Command], Future[Reply]]):
        self.folder, self.submit = folder, submit
        self.listener: socket.socket | None = None
        self.closed = threading.Event()

    def __enter__(self) -> ControlServer:
        self._read_files()
        with _short(self.folder.socket) as address:
            Path(self.folder.socket).unlink(missing_ok=True)  # left by a job that was killed: the lock is ours
            self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            old = os.umask(0o177)
            try:
                self.listener.bind(address)
            except OSError as error:  # a file system without sockets: the folder of commands is left
                print(f"no control socket: {error}; commands are read from {self.folder.control}", file=sys.stderr)
                self.listener = None
            finally:
                os.umask(old)
        if self.listener is not None:
            self.listener.listen()
            self._start(self._accept)
        self._start(self._watch)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.closed.set()
        if self.listener is not None:
            self.folder.socket.unlink(missing_ok=True)
            self.listener.close()

    def _start(self, target: Callable[[], None]) -> None:
        threading.Thread(target=target, name=f"control-{target.__name__}", daemon=True).start()

    def _accept(self) -> None:
        assert self.listener is not None
        while not self.closed.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # closed
            if _same_user(connection):
                self._start(lambda connection=connection: self._serve(connection))  # type: ignore[misc]
            else:
                connection.close()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream, suppress(OSError):
            # The sender may be gone before its reply is there: what it wanted is in the log.
            while line := stream.readline(LONGEST):
                connection.sendall(msgspec.json.encode(self._reply(line)) + b"\n")

    def _reply(self, line: bytes) -> Reply:
        try:
            command = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Reply("", why=f"not a command: {error}")
        try:
            return self.submit(command).result()
        except CancelledError:
            return Reply(command.id, why="the job ended before it came to this")

    def _watch(self) -> None:
        while not self.closed.wait(LOOK):
            self._read_files()

    def _read_files(self) -> None:
        for file in sorted(self.folder.control.glob("*.json")):
            try:
                self.submit(_decode(file.read_bytes()))
            except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
                print(f"{file}: not a command: {error}", file=sys.stderr)
            file.unlink(missing_ok=True)


def send(folder: RunFolder, command: Command, *, timeout: float = 10.0) -> Reply:
    """Hand a command to the live job and wait for its reply. Raises Unreachable when none answers in time."""
    with _short(folder.socket) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        try:
            connection.connect(address)
            connection.sendall(msgspec.json.encode(command) + b"\n")
            with connection.makefile("rb") as stream:
                line = stream.readline(LONGEST)
        except OSError as error:
            raise Unreachable(f"run {folder.name} takes no commands: {error}") from error
    if not line:
        raise Unreachable(f"the job of run {folder.name} ended before it replied")
    return msgspec.json.decode(line, type=Reply)


def leave(folder: RunFolder, command: Command) -> None:
    """Put a command where the next job of this run, or one on another host, will find it."""
    folder.control.mkdir(mode=0o700, exist_ok=True)
    disk.replace(folder.control / f"{time.time_ns()}-{command.id}.json", msgspec.json.encode(command))


def left(folder: RunFolder) -> bool:
    """Whether commands wait in the folder."""
    return any(folder.control.glob("*.json"))


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name of the socket that fits into the 107 bytes an address has, however deep its folder lies."""
    if len(os.fsencode(path)) <= 100 or not Path("/proc/self/fd").exists():
        yield str(path)
        return
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)


def _same_user(connection: socket.socket) -> bool:
    """Whether the other end is this user's: the file's mode says so too, but not on every file system."""
    credentials = getattr(socket, "SO_PEERCRED", None)
    if credentials is None:
        return True
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, credentials, struct.calcsize("3i")))
    return bool(user == os.geteuid())
