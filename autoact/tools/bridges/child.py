"""A child process that answers one request at a time; one that is late or writes too much is killed with all it
started."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from autoact.script import Observation
from autoact.security.child_process import python_command
from autoact.tools.bridges.protocol import ChildFailed, ChildReply
from autoact.tools.library.deadline import OVERTIME
from autoact.tools.library.tool import ToolContext

LARGEST_REPLY = 1_000_000
"""Bytes of one reply. A well-behaved child shortens its text long before."""
LARGEST_REQUEST = 32_000
"""Bytes of one request: less than a pipe holds, so that writing it never blocks."""
PATIENCE = 3
"""Failures in a row after which the child is not started again for REST_S seconds."""
REST_S = 60.0
_INHERITED = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER")


class Child:
    """A child process, started by the first request and again after a failure. Threads take turns."""

    greeting: str
    """The text of the child's first reply, sent when it was ready."""

    def __init__(
        self, opening: Mapping[str, Any], environment: Mapping[str, str], folder: Path | None, start_s: float
    ) -> None:
        self._opening, self._environment, self._folder, self._start_s = opening, environment, folder, start_s
        self._process: subprocess.Popen[bytes] | None = None
        self._received = bytearray()
        self._failures = 0
        self._rests_until = 0.0
        self._turn = threading.RLock()
        self._closed = False
        self.greeting = ""

    def start(self) -> None:
        """Starts the process, unless it runs. Raises ChildFailed."""
        with self._turn:
            if self._process is None:
                self._start()

    def ask(self, request: Mapping[str, Any], within_s: float) -> Observation:
        """Returns the child's answer. Raises ChildFailed when there is none within `within_s` seconds; the child is
        killed then.

        A request that had to wait for its turn for twice as long is not sent: its caller has given up.
        """
        if not self._turn.acquire(timeout=OVERTIME * within_s):
            raise ChildFailed(f"it was busy with other calls for {OVERTIME * within_s:g} s")
        try:
            self.start()
            reply = self._exchange(request, within_s)
        finally:
            self._turn.release()
        return Observation(reply.text, failed=reply.failed)

    def close(self) -> None:
        """Kills the process and starts no other; a thread that waits for an answer gets ChildFailed. Safe to call
        again."""
        self._closed = True
        if (process := self._process) is not None:
            kill_tree(process.pid)  # the thread that waits for an answer sees that it ended
        with self._turn:
            self._stop()

    def _start(self) -> None:
        wait = self._rests_until - time.monotonic()
        if wait > 0 or self._closed:
            left = f"not started for {wait:.0f} s after {PATIENCE} failures in a row"
            raise ChildFailed("the library is closed" if self._closed else left)
        self._process = subprocess.Popen(
            python_command("-I", "-m", "autoact.tools.bridges.worker"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
            env=dict(self._environment), cwd=self._folder, start_new_session=True,
        )  # fmt: skip
        self._received.clear()
        self.greeting = self._exchange(self._opening, self._start_s, must_succeed=True).text

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        kill_tree(process.pid)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()

    def _exchange(self, request: Mapping[str, Any], within_s: float, *, must_succeed: bool = False) -> ChildReply:
        try:
            self._send(request)
            reply = self._receive(within_s)
            if reply.ended or (must_succeed and reply.failed):
                raise ChildFailed(reply.text)
        except BaseException:  # an interrupted exchange would answer the next request with this one's reply
            self._stop()
            self._failures += 1
            if self._failures >= PATIENCE:
                self._failures, self._rests_until = 0, time.monotonic() + REST_S
            raise
        if not must_succeed:
            self._failures = 0
        return reply

    def _send(self, request: Mapping[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        line = msgspec.json.encode(request) + b"\n"
        if len(line) > LARGEST_REQUEST:
            raise ChildFailed(f"the request is longer than {LARGEST_REQUEST:,} bytes")
        with suppress(BrokenPipeError):  # it has ended; reading the answer will fail
            self._process.stdin.write(line)

    def _receive(self, within_s: float) -> ChildReply:
        assert self._process is not None
        assert self._process.stdout is not None
        deadline = time.monotonic() + within_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while (end := self._received.find(b"\n")) < 0:
                if not selector.select(max(deadline - time.monotonic(), 0)):
                    raise ChildFailed(f"no answer within {within_s:g} s")
                chunk = os.read(self._process.stdout.fileno(), 65536)
                self._received += chunk
                if not chunk:
                    raise ChildFailed("its process ended without an answer")
                if len(self._received) > LARGEST_REPLY:
                    raise ChildFailed(f"it answered with more than {LARGEST_REPLY:,} bytes")
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        try:
            return msgspec.json.decode(line, type=ChildReply)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ChildFailed("its answer could not be read") from error


def child_environment(
    context: ToolContext, secrets: Sequence[str], extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Returns the environment of a child: the user's own basic variables, `extra`, and the secrets that are named."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    named = {name: value for name in secrets if (value := context.secret(name)) is not None}
    return {**kept, "NO_COLOR": "1", "TERM": "dumb", **(extra or {}), **named}


def kill_tree(pid: int) -> None:
    """Kills a process group's leader, its group, and its descendants in groups of their own where /proc shows them."""
    for _ in range(8):  # a process that forks meanwhile is found in the next round
        found = _descendants(pid)
        for one in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(one, signal.SIGKILL)
        if not found:
            break
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _descendants(pid: int) -> set[int]:
    """Returns the ids of the living descendants of a process; empty where there is no /proc."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            state, parent = stat.read_text(errors="replace").rpartition(")")[2].split()[:2]
            if state not in "ZX":
                children.setdefault(int(parent), []).append(int(stat.parent.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        waiting += (more := [child for child in children.get(waiting.pop(), []) if child not in found])
        found.update(more)
    return found
