"""A program in a child process of its own: started shut in, watched, and ended with all it began."""

from __future__ import annotations

import marshal
import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autoact.tools.sandbox import bubblewrap, interpreter
from autoact.tools.sandbox.bounds import Bounds
from autoact.tools.sandbox.folder import excess, listed, own_folder
from autoact.tools.sandbox.inside.child import CONFINED
from autoact.tools.sandbox.layers import Layers
from autoact.tools.sandbox.outcome import End, Outcome

_GLANCE = 0.05
"""Seconds between two looks at what the program has written."""
_LINES_TOLD = 3
_CHILD = re.compile(rb'"child-pid": (\d+)')
"""In what bubblewrap reports of itself before the child reports."""


def run(program: str, layers: Layers, bounds: Bounds) -> Outcome:
    """Run `program` and give back how it ended; nothing it started, and no file, is left. Raises OSError."""
    if not layers.hold_a_process:
        return Outcome("refused", error=layers.lacking() or "no layers to hold a process with")
    with own_folder() as folder, _started(program, folder, layers, bounds) as watch:
        end, reason = watch.until_it_ends()
        return watch.outcome(end, reason, folder)


@contextmanager
def _started(program: str, folder: Path, layers: Layers, bounds: Bounds) -> Iterator[_Watch]:
    status, tell = os.pipe()
    # bubblewrap closes the one it reports on before the child begins.
    report = os.dup(tell)
    command = interpreter.command()
    if layers.bubblewrap:
        places = [*interpreter.readable(), *interpreter.to_start()]
        command = bubblewrap.wrapped(layers.bubblewrap, command, places, str(folder), report)
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            pass_fds=(tell, report) if layers.bubblewrap else (tell,),
            env=interpreter.environment(folder), cwd=folder, start_new_session=True,
        )  # fmt: skip
    except OSError:
        os.close(status)
        raise
    finally:
        os.close(tell)
        os.close(report)
    watch = _Watch(process, status, folder, bounds)
    try:
        watch.hand_over(_orders(program, folder, tell, layers, bounds))
        yield watch
    finally:
        watch.close()


def _orders(program: str, folder: Path, status: int, layers: Layers, bounds: Bounds) -> bytes:
    """What the child's `main` takes."""
    limits = {"CORE": 0, "AS": bounds.memory, "FSIZE": bounds.file, "NOFILE": bounds.open_files,
              "CPU": bounds.cpu_seconds + 1, "NPROC": _own_tasks() + bounds.threads}  # fmt: skip
    # Alone in a process namespace, it has no parent; bubblewrap ends it with us.
    parent = 0 if layers.bubblewrap else os.getpid()
    rules = (interpreter.readable(), list(interpreter.DEVICES)) if layers.landlock else None
    return marshal.dumps((status, str(folder), parent, limits, rules, interpreter.packages(), program))


def _own_tasks() -> int:
    """Threads of every process of this user: the kernel's limit counts them together."""
    count, user = 0, os.getuid()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if process.stat().st_uid == user:
                    count += (process / "task").stat().st_nlink - 2
            except (FileNotFoundError, ProcessLookupError):
                continue
    return count


class _Watch:
    """The running child, what it has said so far, and what it may still take."""

    def __init__(self, process: subprocess.Popen[bytes], status: int, folder: Path, bounds: Bounds) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self._process, self._status, self._folder, self._bounds = process, status, folder, bounds
        self._said = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray(), status: bytearray()}
        self._began = time.monotonic()
        self._cpu_seconds = 0.0

    def hand_over(self, orders: bytes) -> None:
        """Give the child its orders, which it reads to their end before anything else."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(orders)
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # it ended before it began, and its status says so

    def until_it_ends(self) -> tuple[End | None, str]:
        """Read what it says until it ends, or exceeds a bound: then which, and in words."""
        with selectors.DefaultSelector() as waiting:
            for descriptor in self._said:
                waiting.register(descriptor, selectors.EVENT_READ)
            while waiting.get_map():
                left = self._bounds.seconds - (time.monotonic() - self._began)
                if left <= 0:
                    return "time", f"it ran longer than {self._bounds.seconds:g} s"
                for key, _ in waiting.select(min(left, _GLANCE)):
                    if not self._heard(key.fd):
                        waiting.unregister(key.fd)
                    elif len(self._said[key.fd]) > self._bounds.output:
                        return "output", f"it printed more than {self._bounds.output:,} bytes"
                if reason := excess(self._folder, self._bounds) or self._taken():
                    return "resources", reason
        return None, ""

    def _heard(self, descriptor: int) -> bool:
        part = os.read(descriptor, 65_536)
        self._said[descriptor] += part
        return bool(part)

    def _taken(self) -> str:
        """In words, what it takes that its folder does not show: writing to files it removed, and threads."""
        named = _CHILD.search(self._said[self._status])
        process = Path("/proc", named[1].decode() if named else str(self._process.pid))
        try:
            counted = dict(line.split(": ") for line in (process / "io").read_text().splitlines())
            threads = (process / "task").stat().st_nlink - 2
        except OSError:
            return ""  # it has just ended, or the kernel keeps no such account
        if max(int(counted["wchar"]), int(counted["write_bytes"])) > self._bounds.written:
            return f"it wrote more than {self._bounds.written / 1e6:.0f} MB"
        return f"it had more than {self._bounds.threads} threads" if threads > self._bounds.threads else ""

    def outcome(self, end: End | None, reason: str, folder: Path) -> Outcome:
        """What came of it, once it is ended."""
        code = self._end()
        stdout, stderr, status = (bytes(said[: self._bounds.output]) for said in self._said.values())
        if not status.endswith(CONFINED):
            cause = status.decode(errors="replace") or _last_lines(stderr)
            return Outcome("refused", error=f"it could not be shut in: {cause}")
        if end is None:
            end, reason = _own_end(code, _last_lines(stderr), self._bounds, self._cpu_seconds)
        elapsed = time.monotonic() - self._began
        return Outcome(end, stdout.decode(errors="replace"), reason, listed(folder), elapsed, self._cpu_seconds)

    def _end(self) -> int:
        """End the child with its whole group, and give back its exit code. Safe to call again."""
        if self._process.returncode is None:
            # Not yet waited for, so the number is still its own.
            os.killpg(self._process.pid, signal.SIGKILL)
            _, code, usage = os.wait4(self._process.pid, 0)
            self._process.returncode = os.waitstatus_to_exitcode(code)
            self._cpu_seconds = usage.ru_utime + usage.ru_stime
        return self._process.returncode

    def close(self) -> None:
        """End the child, whatever happened, and let go of its pipes."""
        self._end()
        os.close(self._status)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


def _own_end(code: int, said: str, bounds: Bounds, cpu_seconds: float) -> tuple[End, str]:
    """How a child that was left alone ended: 0, an error of its program, or a signal from the kernel."""
    if code == 0:
        return "finished", said
    # bubblewrap tells a signal as the shell does.
    number = -code if code < 0 else code - 128 if code > 128 else 0
    # The first process of a namespace gets no warning, only the end.
    if number == signal.SIGXCPU or (number == signal.SIGKILL and cpu_seconds >= bounds.cpu_seconds):
        return "time", f"it took more than {bounds.cpu_seconds} s of processor time"
    if number in signal.valid_signals():
        return "killed", f"it ended by {signal.Signals(number).name}"
    return "failed", said or f"it ended with exit code {code}"


def _last_lines(stderr: bytes) -> str:
    lines = [line for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    return "\n".join(lines[-_LINES_TOLD:])
