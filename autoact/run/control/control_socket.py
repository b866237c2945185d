"""The control socket: the server through which a job takes commands, and the functions that send them.

Both sides write one JSON object a line. When the socket cannot be reached (the job has not started, or runs on another
host), a command is saved as a file in the run's `control` folder; a job reads it at its start and every two seconds.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
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
"""The most bytes of a command."""
LOOK = 2.0
"""Seconds between two readings of the folder of commands."""
MOST = 64
"""The most connections at once. A further one replaces the one that has been silent for longest."""
GRACE = 0.2
"""Seconds that a connection may be silent before another may replace it."""
PAUSE = 0.05
"""Seconds to the next attempt after a connection could not be accepted or made."""
_decode = msgspec.json.Decoder(Command).decode


class Unreachable(AutoActError):
    """Raised when no job took the command."""


class ControlServer:
    """Accepts commands inside its `with` block. Open it only while holding the run's lock."""

    def __init__(self, folder: RunFolder, submit: Callable[[Command], Future[Reply]]):
        self.folder, self.submit = folder, submit
        self.listener: socket.socket | None = None
        self.closed = threading.Event()
        self.changing = threading.Lock()
        """A lock on `connected` and `silent`."""
        self.connected: set[socket.socket] = set()
        self.silent: dict[socket.socket, float] = {}
        """Connections without a complete line yet, with the start of the wait; the longest wait first."""
        self.taken: set[Path] = set()
        """Files whose commands the conductor has, and files that are not commands and cannot be renamed."""

    def __enter__(self) -> ControlServer:
        self._read_files()
        with _short_address(self.folder.socket) as address:
            disk.clear_path(self.folder.socket)
            self.folder.socket.unlink(missing_ok=True)  # of a job that was killed, as this job has the lock
            self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            old = os.umask(0o177)
            try:
                self.listener.bind(address)
            except OSError as error:  # a file system without sockets: only the folder of commands is used
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
            with suppress(OSError):  # the path is no longer a socket; the next job clears it
                self.folder.socket.unlink(missing_ok=True)
            with suppress(OSError):  # wakes the thread that waits for connections
                self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()

    def _start(self, target: Callable[..., None], *arguments: socket.socket) -> None:
        threading.Thread(target=target, args=arguments, name=f"control-{target.__name__}", daemon=True).start()

    def _accept(self) -> None:
        """Accepts connections, and retries after errors: too few descriptors, threads or bytes may be temporary."""
        assert self.listener is not None
        while not self.closed.is_set():
            try:
                connection, _ = self.listener.accept()
                self._admit(connection)
            except (OSError, RuntimeError):
                self._drop_silent_connection()
                self.closed.wait(PAUSE)

    def _admit(self, connection: socket.socket) -> None:
        """Serves a connection of this user in a thread, once fewer than MOST are open.

        Raises RuntimeError when no thread can be started.
        """
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
        """Closes the connection that has been silent for longest. Returns False when none has been for GRACE."""
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
        with suppress(OSError):  # the other end may have closed it first
            connection.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads from it, which closes it

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError), connection.makefile("rb") as stream:
                # The sender may close before its reply is ready; its command is in the log.
                while line := self._read_line(connection, stream):
                    connection.sendall(msgspec.json.encode(self._reply(line)) + b"\n")
        finally:
            self._forget(connection)

    def _read_line(self, connection: socket.socket, stream: BinaryIO) -> bytes:
        """Returns the next line of a connection; empty when it has ended."""
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
        """Submits the new commands in the folder. A file is kept until the log holds the reply to its command."""
        for file in sorted(file for file in self.folder.control.glob("*.json") if file not in self.taken):
            try:
                command = _decode(disk.read_file(file, LONGEST))
            except FileNotFoundError:
                continue
            except (OSError, BadInput, msgspec.DecodeError, UnicodeDecodeError) as error:
                print(f"{file}: not a command: {error}", file=sys.stderr)
                self._rename_invalid(file)
                continue
            self.taken.add(file)
            self.submit(command).add_done_callback(partial(self._delete_file, file))

    def _delete_file(self, file: Path, reply: Future[Reply]) -> None:
        """Deletes the file of a command that has its reply. One without a reply is left for the next job."""
        if not reply.cancelled():
            with suppress(OSError):  # it stays in `taken`; the next job finds its reply in the log
                file.unlink(missing_ok=True)
                self.taken.discard(file)

    def _rename_invalid(self, file: Path) -> None:
        """Renames a file that is not a command, so that it is neither lost nor read again."""
        try:
            file.rename(file.with_name(f"{file.name}.refused"))
        except OSError:
            self.taken.add(file)


def encode(command: Command | Sequence[Command]) -> bytes:
    """Returns one command or several as JSON. Raises BadInput for a text that is not valid Unicode."""
    try:
        return msgspec.json.encode(command)
    except UnicodeEncodeError as error:
        raise BadInput("expected UTF-8 text") from error


def send(folder: RunFolder, command: Command, *, timeout: float = 10.0) -> Reply:
    """Sends a command to the job and returns its reply. Raises Unreachable without one within `timeout` seconds."""
    try:
        with _short_address(folder.socket) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            _connect(connection, address, time.monotonic() + timeout)
            connection.sendall(encode(command) + b"\n")
            with connection.makefile("rb") as stream:
                line = stream.readline(LONGEST)
        if line:
            return msgspec.json.decode(line, type=Reply)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreachable(f"run {folder.name} takes no commands: {error}") from error
    raise Unreachable(f"the job of run {folder.name} ended before it replied")


def _connect(connection: socket.socket, address: str, until: float) -> None:
    """Connects, and retries until the time `until` while the server's queue is full."""
    while True:
        try:
            return connection.connect(address)
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(PAUSE)


def save_command(folder: RunFolder, command: Command) -> Path:
    """Saves a command as a file for the next job of this run, or for one on another host; returns the file.

    Raises BadInput when the path of the folder is not a folder.
    """
    try:
        folder.control.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError as error:
        raise BadInput("expected a folder for commands, found something else", file=folder.control) from error
    file = folder.control / f"{time.time_ns()}-{command.id}.json"
    disk.replace(file, encode(command))
    return file


def has_commands(folder: RunFolder) -> bool:
    """Returns True when there are commands in the folder."""
    return any(folder.control.glob("*.json"))


@contextmanager
def _short_address(path: Path) -> Iterator[str]:
    """Yields an address of the socket that fits into the limit of 107 bytes, however long its path is."""
    if len(os.fsencode(path)) <= 100 or not Path("/proc/self/fd").exists():
        yield str(path)
        return
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)


def _same_user(connection: socket.socket) -> bool:
    """Returns True when the other end belongs to this user; not every file system enforces the socket file's mode."""
    credentials = getattr(socket, "SO_PEERCRED", None)
    if credentials is None:
        return True
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, credentials, struct.calcsize("3i")))
    return bool(user == os.geteuid())
