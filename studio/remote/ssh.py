"""The process of ssh that serves a project of another machine, and the line through it."""

from __future__ import annotations

import subprocess
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import IO

from autoact.errors import BadInput
from autoact.security import untrusted_text
from studio.remote import messages
from studio.remote.address import NO_PROGRAM, RemoteTarget
from studio.remote.messages import BrokenLine, MessageStream

END_S = 2.0
"""The most seconds to wait until ssh ends by itself."""


class SeveralProjects(BadInput):
    """The address names a folder of projects."""

    def __init__(self, projects: tuple[str, ...]):
        """`projects` are their paths."""
        super().__init__(f"expected one of the projects {', '.join(map(untrusted_text.line, projects))}")
        self.projects = projects


class Ssh:
    """One process at a time. What is written is sent by a thread of its own, so that no caller waits for the line."""

    def __init__(self, target: RemoteTarget):
        self._target = target
        self._process: subprocess.Popen[bytes] | None = None
        self._line: MessageStream
        self._outbox: SimpleQueue[messages.FromStudio | None] = SimpleQueue()
        self._error = ""
        """The last line that ssh, or the program there, has written to its error output."""

    def connect(self, *, quiet: bool) -> messages.Hello:
        """Starts ssh and reads the greeting; a `quiet` one asks nothing, as for a password.

        Raises BrokenLine with what ssh said, SeveralProjects for a folder of projects, and BadInput when it is not
        served for another reason.
        """
        self._error, self._outbox = "", SimpleQueue()
        try:
            self._process = subprocess.Popen(
                self._target.command(quiet=quiet), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, start_new_session=quiet,
            )  # fmt: skip
        except OSError as error:
            raise BrokenLine(f"ssh cannot be started: {error}") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        errors = threading.Thread(target=self._read_errors, args=(self._process.stderr,), daemon=True)
        errors.start()
        self._line = MessageStream(self._process.stdout, self._process.stdin)
        try:
            hello = self._greet(self._process.stdout)
        except BrokenLine as error:
            with suppress(subprocess.TimeoutExpired):  # it ends by itself, as its output has
                self._process.wait(END_S)
            missing = self.stop() == NO_PROGRAM
            errors.join(END_S)
            self.end()
            why = self._error or str(error)
            raise BrokenLine(
                "its login shell finds no program `studio`" if missing else f"it was not reached: {why}"
            ) from error
        except BadInput:
            self.end()
            raise
        threading.Thread(target=self._send, args=(self._outbox,), name="outbox", daemon=True).start()
        return hello

    def _greet(self, output: IO[bytes]) -> messages.Hello:
        messages.skip_noise(output)
        hello = self._line.read_from_machine()
        if isinstance(hello, messages.Refusal):
            if hello.projects:
                raise SeveralProjects(hello.projects)
            raise BadInput(untrusted_text.line(hello.why))
        if not isinstance(hello, messages.Hello) or hello.protocol != messages.PROTOCOL:
            raise BadInput("the studio there is of another version than this one")
        return hello

    def read(self) -> messages.FromMachine:
        """Reads the next message. Raises BrokenLine, with what ssh said."""
        try:
            return self._line.read_from_machine()
        except BrokenLine as error:
            raise BrokenLine(self._error or str(error)) from error

    def write(self, message: messages.FromStudio) -> None:
        """Has a message sent; on a line that is lost it is dropped."""
        self._outbox.put(message)

    def _send(self, outbox: SimpleQueue[messages.FromStudio | None]) -> None:
        line, process = self._line, self._process
        with suppress(BrokenLine):  # the reader finds it lost too
            while (message := outbox.get()) is not None:
                line.write(message)
        assert process is not None
        assert process.stdin is not None
        with suppress(OSError, ValueError):  # what was left in its buffer
            process.stdin.close()

    def _read_errors(self, errors: IO[bytes]) -> None:
        with errors, suppress(OSError, ValueError):
            for line in errors:
                self._error = untrusted_text.line(line.decode("utf-8", "replace").strip()) or self._error

    def stop(self) -> int:
        """Ends the process; returns its exit code. The reader then finds the line ended."""
        self._outbox.put(None)
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def end(self) -> None:
        """Ends the process and closes its output. Only the thread that reads may do so, or one when none does."""
        self.stop()
        if self._process is not None and self._process.stdout is not None and self._process.stdin is not None:
            self._process.stdout.close()
            with suppress(OSError, ValueError):  # what was left in its buffer
                self._process.stdin.close()
