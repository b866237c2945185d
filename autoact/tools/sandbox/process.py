"""Runs a program in a child process: started confined, watched, and killed with everything it started."""

from __future__ import annotations

import marshal
import os
import re
import select
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from autoact.tools.sandbox import bubblewrap, interpreter, memory_group, usage
from autoact.tools.sandbox.bounds import Bounds
from autoact.tools.sandbox.folder import find_excess, list_files, program_folder
from autoact.tools.sandbox.inside.child import CONFINED
from autoact.tools.sandbox.layers import Layers
from autoact.tools.sandbox.memory_group import MemoryGroup
from autoact.tools.sandbox.program_result import End, ProgramResult

MOST_PROGRAMS = 16
"""Programs that may run at once: the kernel counts their tasks together, also those of programs that start later."""
_CHECK_INTERVAL_S = 0.05
"""Seconds between two checks of the program's use of resources."""
_KILL_WAIT_S = 10.0
"""Seconds to wait at most for a killed process that the kernel delays."""
_LINES_SHOWN = 3
_CHILD = re.compile(rb'"child-pid": (\d+)')
"""The process id in bubblewrap's own report, which comes before the child's."""


def run(program: str, layers: Layers, bounds: Bounds) -> ProgramResult:
    """Runs `program` and returns its result. Nothing it started, and no file, is left. Raises OSError."""
    if not layers.can_confine:
        return ProgramResult("refused", error=layers.refusal() or "no protection to confine a process with")
    parent = layers.memory_group
    group = memory_group.create_group(parent, bounds.memory + bounds.folder) if parent else nullcontext()
    with program_folder() as folder, group as limited, _start_child(program, folder, layers, bounds, limited) as watch:
        end, reason = watch.watch()
        return watch.result(end, reason, folder)


@contextmanager
def _start_child(
    program: str, folder: Path, layers: Layers, bounds: Bounds, group: MemoryGroup | None
) -> Iterator[_Watch]:
    status, report_end = os.pipe()
    # Two descriptors, as bubblewrap closes the one it reports on before the child begins.
    report = os.dup(report_end)
    command = interpreter.command()
    if layers.bubblewrap:
        paths = [*interpreter.readable(), *interpreter.startup_files()]
        command = bubblewrap.wrap_command(layers.bubblewrap, command, paths, interpreter.DEVICES, str(folder), report)
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            pass_fds=(report_end, report) if layers.bubblewrap else (report_end,),
            env=interpreter.environment(folder), cwd=folder, start_new_session=True,
        )  # fmt: skip
    except OSError:
        os.close(status)
        raise
    finally:
        os.close(report_end)
        os.close(report)
    watch = _Watch(process, status, folder, bounds, group)
    try:
        if group is not None:
            group.add(process.pid)
        if layers.bubblewrap:
            watch.wait_for_inner()
        watch.send_orders(_orders(program, folder, report_end, layers, bounds))
        yield watch
    finally:
        watch.close()


def _orders(program: str, folder: Path, status: int, layers: Layers, bounds: Bounds) -> bytes:
    """Returns the orders that the child's `main` reads."""
    limits = {"CORE": 0, "AS": bounds.memory, "FSIZE": bounds.file, "NOFILE": bounds.open_files,
              "CPU": bounds.cpu_seconds + 1, "NPROC": _count_tasks() + MOST_PROGRAMS * bounds.threads}  # fmt: skip
    # In a process namespace it has no parent; bubblewrap kills it when this process ends.
    parent = 0 if layers.bubblewrap else os.getpid()
    rules = (interpreter.readable(), list(interpreter.DEVICES)) if layers.landlock else None
    return marshal.dumps((status, str(folder), parent, limits, rules, interpreter.packages(), program))


def _count_tasks() -> int:
    """Counts the threads of all processes of this user: the kernel's limit counts them together."""
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
    """The running child, its output so far, and its limits."""

    def __init__(
        self, process: subprocess.Popen[bytes], status: int, folder: Path, bounds: Bounds, group: MemoryGroup | None
    ) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self._process, self._status, self._folder, self._bounds, self._group = process, status, folder, bounds, group
        self._output = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray(), status: bytearray()}
        self._began = time.monotonic()
        self._cpu_seconds = 0.0
        self._inner: int | None = None
        """A descriptor of the process that bubblewrap started."""
        self._pid = process.pid
        """Of the process that runs the program."""

    def wait_for_inner(self) -> None:
        """Reads from bubblewrap the id of the process it started, which does nothing until it has its orders."""
        while not (named := _CHILD.search(self._output[self._status])):
            if not select.select([self._status], [], [], self._bounds.seconds)[0] or not self._read_output(
                self._status
            ):
                return  # it failed; its status or exit code says so
        self._pid = int(named[1])
        if self._group is not None:
            self._group.add(self._pid)
        # It has ended, or the kernel is older than 5.3: then nothing waits for its end, and a sweep removes its folder.
        with suppress(OSError):
            self._inner = os.pidfd_open(self._pid)

    def send_orders(self, orders: bytes) -> None:
        """Sends the orders, which the child reads to their end before anything else."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(orders)
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # it ended before it read its orders; its status says so

    def watch(self) -> tuple[End | None, str]:
        """Reads the output until the child ends, or exceeds a limit: then returns which, and an explanation."""
        with selectors.DefaultSelector() as waiting:
            for descriptor in self._output:
                waiting.register(descriptor, selectors.EVENT_READ)
            while waiting.get_map():
                left = self._bounds.seconds - (time.monotonic() - self._began)
                if left <= 0:
                    return "time", f"it ran longer than {self._bounds.seconds:g} s"
                for key, _ in waiting.select(min(left, _CHECK_INTERVAL_S)):
                    if not self._read_output(key.fd):
                        waiting.unregister(key.fd)
                    elif len(self._output[key.fd]) > self._bounds.output:
                        return "output", f"it printed more than {self._bounds.output:,} bytes"
                if reason := find_excess(self._folder, self._bounds) or usage.find_excess(self._pid, self._bounds):
                    return "resources", reason
        return None, ""

    def _read_output(self, descriptor: int) -> bool:
        part = os.read(descriptor, 65_536)
        self._output[descriptor] += part
        return bool(part)

    def result(self, end: End | None, reason: str, folder: Path) -> ProgramResult:
        """Kills the child if it still runs and returns the program's result."""
        code = self._end()
        while select.select([self._status], [], [], 0)[0] and self._read_output(self._status):
            pass  # the status may have arrived just after the last output
        stdout, stderr, status = (bytes(text[: self._bounds.output]) for text in self._output.values())
        if not status.endswith(CONFINED):
            cause = status.decode(errors="replace") or _last_lines(stderr)
            return ProgramResult("refused", error=f"it could not be confined: {cause}")
        if end is None:
            end, reason = _explain_end(code, _last_lines(stderr), self._bounds, self._cpu_seconds)
            if self._group is not None and self._group.exceeded():
                end, reason = "resources", f"it took more than {self._bounds.memory / 1e6:,.0f} MB of memory"
        elapsed = time.monotonic() - self._began
        return ProgramResult(
            end, stdout.decode(errors="replace"), reason, list_files(folder), elapsed, self._cpu_seconds
        )

    def _end(self) -> int:
        """Kills the child with its whole group and returns its exit code. Safe to call again."""
        if self._process.returncode is None:
            # It was not waited for yet, so its id cannot belong to another process.
            os.killpg(self._process.pid, signal.SIGKILL)
            _, code, taken = os.wait4(self._process.pid, 0)
            self._process.returncode = os.waitstatus_to_exitcode(code)
            self._cpu_seconds = taken.ru_utime + taken.ru_stime
            self._wait_for_inner_end()
        return self._process.returncode

    def _wait_for_inner_end(self) -> None:
        """Waits for the inner process, which may write until then: the kernel ends a namespace some time after
        bubblewrap."""
        if self._inner is not None:
            select.select([self._inner], [], [], _KILL_WAIT_S)
            os.close(self._inner)

    def close(self) -> None:
        """Kills the child, if it still runs, and closes its pipes."""
        self._end()
        os.close(self._status)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


def _explain_end(code: int, text: str, bounds: Bounds, cpu_seconds: float) -> tuple[End, str]:
    """Returns how a child ended that was not killed here: exit code 0, an error of its program, or a signal of the
    kernel."""
    if code == 0:
        return "finished", text
    # bubblewrap reports a signal as the shell does, as 128 + number.
    number = -code if code < 0 else code - 128 if code > 128 else 0
    # The first process of a namespace gets no SIGXCPU, only SIGKILL.
    if number == signal.SIGXCPU or (number == signal.SIGKILL and cpu_seconds >= bounds.cpu_seconds):
        return "time", f"it took more than {bounds.cpu_seconds} s of processor time"
    if number in signal.valid_signals():
        return "killed", f"it ended by {signal.Signals(number).name}"
    return "failed", text or f"it ended with exit code {code}"


def _last_lines(stderr: bytes) -> str:
    lines = [line for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    return "\n".join(lines[-_LINES_SHOWN:])
