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
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import msgspec

from autoact.errors import AutoActError, BadInput
from autoact.files import disk
from autoact.run.control.command import Command, Reply
from autoact.run.record.folder import RunFolder

LONGEST = 300_000
"""Bytes of a command at most."""
LOOK = 2.0
"""Seconds between looks into the folder of commands."""
MOST = 64
"""Connections at once. One more takes the place of the one that has been silent the longest."""
GRACE = 0.2
"""Seconds in which a sender that has connected sends its line."""
PAUSE = 0.05
"""Seconds to the next try when no connection could be taken, or made."""
_decode = msgspec.json.Decoder(Command).decode


class Unreachable(AutoActError):
    """No live job took the command."""


class ControlServer:
    """Listens for as long as its `with` lasts. Open it only while holding the run's lock."""

    def __init__(self, folder: RunFolder, submit: Callable[[Command], Future[Reply]]):
        self.folder, self.submit = folder, submit
        self.listener: socket.socket | None = None
        self.closed = threading.Event()
        self.changing = threading.Lock()
        """Held while the two collections of connections change."""
        self.connected: set[socket.socket] = set()
        self.silent: dict[socket.socket, float] = {}
        """Connections that have yet to send a whole line, and since when; the one that was waited for longest first."""
        self.taken: set[Path] = set()
        """Files whose commands are with the conductor, and files that are no command and cannot be renamed."""

    def __enter__(self) -> ControlServer:
        self._read_files()
        with _short(self.folder.socket) as address:
            disk.clear_path(self.folder.socket)
            self.folder.socket.unlink(missing_ok=True)  # left by a job that was killed: the lock is ours
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
            with suppress(OSError):  # something else stands there by now, which the next job will find
                self.folder.socket.unlink(missing_ok=True)
            with suppress(OSError):  # wakes the thread that waits for connections
                self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()

    def _start(self, target: Callable[..., None], *arguments: socket.socket) -> None:
        threading.Thread(target=target, args=arguments, name=f"control-{target.__name__}", daemon=True).start()

    def _accept(self) -> None:
        """Give each connection a thread. Descriptors, threads or memory may be short for a while; that passes."""
        assert self.listener is not None
        while not self.closed.is_set():
            try:
                connection, _ = self.listener.accept()
                self._admit(connection)
            except (OSError, RuntimeError):
                self._drop_silent_connection()
                self.closed.wait(PAUSE)

    def _admit(self, connection: socket.socket) -> None:
        """Serve a connection of this user's, once there is a place for it. Raises RuntimeError without threads."""
        if not _same_user(connection):
            connection.close()
            return
        while len(self.connected) >= MOST and not self.closed.is_set():
            if not self._drop_silent_connection():
                self.closed.wait(PAUSE)
        with self.changing:
            self.connected.add(connection)
        try:
            self._start(self._serve, connection)
        except RuntimeError:
            self._forget(connection)
            raise

    def _drop_silent_connection(self) -> bool:
        """Whether there was a connection that had not sent a whole line in the time that a sender needs."""
        with self.changing:
            connection, since = next(iter(self.silent.items()), (None, 0.0))
        if connection is None or time.monotonic() - since < GRACE:
            return False
        self._forget(connection)
        return True

    def _forget(self, connection: socket.socket) -> None:
        with self.changing:
            self.connected.discard(connection)
            self.silent.pop(connection, None)
        with suppress(OSError):  # it may have hung up first
            connection.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads from it, which closes it

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError), connection.makefile("rb") as stream:
                # The sender may be gone before its reply is there: what it wanted is in the log.
                while line := self._line(connection, stream):
                    connection.sendall(msgspec.json.encode(self._reply(line)) + b"\n")
        finally:
            self._forget(connection)

    def _line(self, connection: socket.socket, stream: BinaryIO) -> bytes:
        """The next line of a connection; empty when it has ended."""
        with self.changing:
            if connection in self.connected:
                self.silent[connection] = time.monotonic()
        line = stream.readline(LONGEST)
        with self.changing:
            self.silent.pop(connection, None)
        return line

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
        """Submit the commands that are new in the folder. A file stays until the log has what came of its command."""
        for file in sorted(file for file in self.folder.control.glob("*.json") if file not in self.taken):
            try:
                command = _decode(disk.read_file(file, LONGEST))
            except FileNotFoundError:
                continue
            except (OSError, BadInput, msgspec.DecodeError, UnicodeDecodeError) as error:
                print(f"{file}: not a command: {error}", file=sys.stderr)
                self._refuse(file)
                continue
            self.taken.add(file)
            self.submit(command).add_done_callback(partial(self._done, file))

    def _done(self, file: Path, reply: Future[Reply]) -> None:
        """Remove the file of a command that has its reply. One that the job did not come to is for the next job."""
        if not reply.cancelled():
            with suppress(OSError):  # it stays among the taken; the next job finds its reply in the log
                file.unlink(missing_ok=True)
                self.taken.discard(file)

    def _refuse(self, file: Path) -> None:
        """Rename what is no command, so that it is neither lost nor read again."""
        try:
            file.rename(file.with_name(f"{file.name}.refused"))
        except OSError:
            self.taken.add(file)


def send(folder: RunFolder, command: Command, *, timeout: float = 10.0) -> Reply:
    """Hand a command to the live job and wait for its reply. Raises Unreachable when none answers in time."""
    try:
        with _short(folder.socket) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            _connect(connection, address, time.monotonic() + timeout)
            connection.sendall(msgspec.json.encode(command) + b"\n")
            with connection.makefile("rb") as stream:
                line = stream.readline(LONGEST)
        if line:
            return msgspec.json.decode(line, type=Reply)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreachable(f"run {folder.name} takes no commands: {error}") from error
    raise Unreachable(f"the job of run {folder.name} ended before it replied")


def _connect(connection: socket.socket, address: str, until: float) -> None:
    """Connect, however many others wait for the job to take them."""
    while True:
        try:
            return connection.connect(address)
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(PAUSE)


def leave(folder: RunFolder, command: Command) -> None:
    """Put a command where the next job of this run, or one on another host, will find it. Raises BadInput."""
    try:
        folder.control.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError as error:
        raise BadInput("expected a folder for commands, found something else", file=folder.control) from error
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
