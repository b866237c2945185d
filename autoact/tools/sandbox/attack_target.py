"""A target for attacks on the sandbox: everything that an attack could reach, set up so that reaching it leaves a
trace.

Attacks are judged by these traces, not by their own output.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from msgspec import Struct

from autoact.tools.sandbox import interpreter

KEY = "AUTOACT_PROVING_KEY"
"""The environment variable that holds the secret while the target exists."""
KNOCK = b"knock"
"""The bytes that an attack sends to a listener."""
_ENOUGH = 1_000_000
"""Bytes of stdout after which an attack counts as a flood."""


class ProgramRun(Struct, frozen=True):
    """The output of a program, inside the sandbox or outside it."""

    stdout: str
    seconds: float


class AttackTarget:
    """A secret in a file, in the environment and in another process; listeners; notes that an attack may change."""

    def __init__(self) -> None:
        self.secret = f"canary-{secrets.token_hex(8)}"
        self._closing = ExitStack()

    def __enter__(self) -> AttackTarget:
        self.folder = Path(
            self._closing.enter_context(tempfile.TemporaryDirectory(prefix="ground-", ignore_cleanup_errors=True))
        ).resolve()
        self.secret_file = self.folder / "secret.txt"
        self.secret_file.write_text(self.secret)
        self.notes = self.folder / "notes.txt"
        self.notes.write_text("untouched")
        self._as_it_was = self._state()
        os.environ[KEY] = self.secret
        self._closing.callback(os.environ.pop, KEY, None)
        tcp, udp, unix = (socket.socket(*kind) for kind in _LISTENERS)
        abstract = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._listeners = [self._closing.enter_context(listener) for listener in (tcp, udp, unix, abstract)]
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", 0))
        self._socket_folder = tempfile.mkdtemp(prefix="socket-")
        self._closing.callback(shutil.rmtree, self._socket_folder)
        unix.bind(f"{self._socket_folder}/listening")
        abstract.bind(f"\0{self.secret}")
        for listener in (tcp, unix):
            listener.listen()
        for listener in self._listeners:
            listener.setblocking(False)
        self.victim = subprocess.Popen(["sleep", "600"], env={**os.environ}, start_new_session=True)
        self._closing.callback(self._end_victim)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing.close()

    def names(self) -> str:
        """Returns the first lines of an attack, which assign the targets to names."""
        tcp, udp, *_ = self._listeners
        aims = {
            "SECRET_FILE": str(self.secret_file), "GROUND": str(self.folder), "NOTES": str(self.notes), "KEY": KEY,
            "TCP": tcp.getsockname()[1], "UDP": udp.getsockname()[1], "UNIX": f"{self._socket_folder}/listening",
            "ABSTRACT": f"\0{self.secret}", "VICTIM": self.victim.pid, "KNOCK": KNOCK,
        }  # fmt: skip
        return "".join(f"{name} = {value!r}\n" for name, value in aims.items())

    def unconfined(self, attack: str, seconds: float = 10.0) -> ProgramRun:
        """Runs an attack without any protection. It must leave its trace, or the attack proves nothing."""
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="unconfined-", ignore_cleanup_errors=True) as own:
            with Path(own, ".stdout").open("wb") as stdout:
                process = subprocess.Popen(
                    [interpreter.executable(), "-c", attack], stdin=subprocess.DEVNULL, stdout=stdout,
                    stderr=subprocess.DEVNULL, cwd=own, start_new_session=True, close_fds=False,
                )  # fmt: skip
            _wait(process, Path(own, ".stdout"), began + seconds)
            output = Path(own, ".stdout").read_bytes()[:_ENOUGH].decode(errors="replace")
        return ProgramRun(output, time.monotonic() - began)

    def shows_secret(self, run: ProgramRun) -> bool:
        """Returns whether the secret is in the output."""
        return self.secret in run.stdout

    def is_reached(self, run: ProgramRun) -> bool:
        """Returns whether anything arrived at a listener."""
        return any([self._has_message(listener) for listener in self._listeners])

    def is_changed(self, run: ProgramRun) -> bool:
        """Returns whether the files of the target, their modes or their times have changed."""
        return self._state() != self._as_it_was

    def is_hurt(self, run: ProgramRun) -> bool:
        """Returns whether the other process no longer runs."""
        time.sleep(0.02)
        return self.victim.poll() is not None

    def _has_message(self, listener: socket.socket) -> bool:
        try:
            if listener.type == socket.SOCK_DGRAM:
                return listener.recv(99) != b""
            connection, _ = listener.accept()
            connection.close()
        except BlockingIOError:
            return False
        return True

    def _state(self) -> list[tuple[str, int, int, int, int]]:
        if not self.folder.exists():
            return []
        details = [(str(path), path.lstat()) for path in sorted([self.folder, *self.folder.rglob("*")])]
        return [(name, found.st_mode, found.st_size, found.st_mtime_ns, found.st_uid) for name, found in details]

    def _end_victim(self) -> None:
        self.victim.kill()
        self.victim.wait()


_LISTENERS = (
    (socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET, socket.SOCK_DGRAM), (socket.AF_UNIX, socket.SOCK_STREAM),
)  # fmt: skip


def _wait(process: subprocess.Popen[bytes], stdout: Path, deadline: float) -> None:
    """Waits for the process, and kills its group when it is late or has printed enough."""
    while process.poll() is None:
        if time.monotonic() > deadline or stdout.stat().st_size > _ENOUGH:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        else:
            time.sleep(0.01)
