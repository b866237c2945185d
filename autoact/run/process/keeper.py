"""The keeper: a small process that starts a run's job, outlives the terminal, and writes down how the job ended.

    launch  →  keeper (a session of its own, no terminal)  →  job

It restarts a job that crashed. It owns nothing that a run needs: when the keeper is killed, the job goes on, and its
end is read from lock and log. To stay small it imports no model, and the log only after a crash.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from autoact.errors import AutoActError, RunBusy
from autoact.files import disk
from autoact.run.process import exit_record
from autoact.run.process.cgroup import oom_kills
from autoact.run.process.exit_record import BUSY, Ending
from autoact.run.process.lock import RunLock
from autoact.run.record.folder import RunFolder
from autoact.security.child_process import python_command

JOB = ("-m", "autoact.job.job")
"""What Python runs, with the run's folder behind it."""
PAUSES = (1.0, 4.0, 16.0)
"""Seconds before each restart that follows a crash. A job that got further before it crashed begins the row anew."""
BY_ITSELF = (exit_record.FINISHED, exit_record.BAD_INPUT, exit_record.BUSY, exit_record.CANCELLED)
"""Exit codes after which another try would end the same way, or is not wanted."""
LAST_WORDS = ("run.finished", "run.failed", "run.cancelled")
DONE_AGAIN = ("run.", "command.", "unit.", "train.stepped", "checkpoint.skipped")
"""Types of events, by their beginnings, that a job repeats after a restart: they show no progress."""
LOOK = 0.05
"""Seconds between looks for a request to stop, while waiting to start a job again."""


class Keeper:
    """Looks after one run, while holding its keeper's lock. SIGTERM ends the job and the keeper with it."""

    def __init__(
        self, folder: RunFolder, program: tuple[str, ...] = JOB, pauses: tuple[float, ...] = PAUSES,
        kills: Callable[[], int] = oom_kills,
    ):  # fmt: skip
        self.folder, self.program, self.pauses, self.kills = folder, program, pauses, kills
        self.job = 0
        """Its process id; 0 while there is none."""
        self.stopping = False

    def keep(self) -> int:
        """Start the job until it ends by itself, or keeps crashing at the same place; its last exit code."""
        restarts = 0
        while True:
            logged = disk.file_size(self.folder.events)
            code, ended = self._once()
            if code == BUSY:  # the run belongs to a job that another started: its end is none of ours
                return code
            moved, said_so = (False, True) if code in BY_ITSELF else _progress(self.folder.events, logged)
            if said_so or self.stopping:
                self._write(ended)
                return code
            restarts = 0 if moved else restarts
            if restarts == len(self.pauses):
                self._write(replace(ended, cause=f"{ended.cause}; {restarts} restarts got no further"))
                return code
            self._write(replace(ended, again_at=time.time() + self.pauses[restarts]))
            if not self._rest(self.pauses[restarts]):
                self._write(ended)
                return code
            restarts += 1

    def stop(self) -> None:
        """Ask the job to stop, and start no other. May be called from a signal handler."""
        self.stopping = True
        if self.job:
            os.kill(self.job, signal.SIGTERM)

    def _once(self) -> tuple[int, Ending]:
        """One job from start to end: its exit code, minus the signal's number when one ended it, and its ending."""
        disk.clear_path(self.folder.exit)
        self.folder.exit.unlink(missing_ok=True)
        printed, kills, began = disk.file_size(self.folder.console), self.kills(), time.monotonic()
        command = python_command(*self.program, str(self.folder.path))
        self.job = pid = os.posix_spawn(command[0], command, os.environ)
        if self.stopping:  # asked between the last look and the start
            self.stop()
        _, status, usage = os.wait4(pid, 0)
        self.job = 0
        code = os.waitstatus_to_exitcode(status)
        rss_mb = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1024)
        oom = code == -signal.SIGKILL and self.kills() > kills
        words = exit_record.last_words(self.folder.console, printed)
        return code, Ending(
            pid, exit_record.cause(code, oom=oom, rss_mb=rss_mb, last_words=words), time.time(),
            round(time.monotonic() - began, 3), max(0, code), max(0, -code), oom, round(rss_mb, 1),
            round(usage.ru_utime + usage.ru_stime, 3),
        )  # fmt: skip

    def _write(self, ended: Ending) -> None:
        try:
            ended.write(self.folder)
        except OSError as error:  # a full disk, or a deleted folder: no reason to leave the run alone
            print(f"exit.json could not be written: {error}", file=sys.stderr, flush=True)

    def _rest(self, seconds: float) -> bool:
        """Wait; False when asked to stop meanwhile."""
        until = time.monotonic() + seconds
        while not self.stopping and time.monotonic() < until:
            time.sleep(LOOK)
        return not self.stopping


def _progress(log: Path, since: int) -> tuple[bool, bool]:
    """What the log got after byte `since`: whether any of it need not be done again, and whether the end is said."""
    from autoact.run.record.log import LONGEST_LINE, LogTail

    tail = LogTail(log, max(since, disk.file_size(log) - LONGEST_LINE - 1), numbered=False)
    moved = said_so = False
    try:
        for record in tail.poll():
            moved |= not record.type.startswith(DONE_AGAIN)
            said_so = record.type in LAST_WORDS
    finally:
        tail.close()
    return moved, said_so


def main(arguments: list[str] | None = None) -> int:
    """`python -m autoact.run.process.keeper FOLDER [PROGRAM ...]`: returns at once, 0 when a keeper is at work.

    Exit code 3 says that the run has a keeper already, 1 that none could start; why was then printed. The caller gave
    this process a session of its own; the keeper is a child that does not lead it, so that no terminal can ever become
    its own again.
    """
    path, *program = sys.argv[1:] if arguments is None else arguments
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    started, start = os.pipe()
    if os.fork():
        os.close(start)
        answer = os.read(started, 1)
        return answer[0] if answer else exit_record.FAILED
    keeper = Keeper(RunFolder(Path(path)), tuple(program) or JOB)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: keeper.stop())
    try:
        with RunLock.take(keeper.folder, keeper=True):
            os.write(start, bytes([exit_record.FINISHED]))
            os.close(start)
            return keeper.keep()
    except RunBusy:
        os.write(start, bytes([BUSY]))
        return BUSY
    except (AutoActError, OSError) as error:  # the boundary of a process
        print(error, file=sys.stderr, flush=True)
        return exit_record.FAILED


if __name__ == "__main__":
    sys.exit(main())
