"""The keeper: a small process that starts a run's job, outlives the terminal, and writes the exit record.

    launch  →  keeper (a session of its own, no terminal)  →  job

It restarts a job that crashed, and tells the person how the run ended. A job does not need its keeper: when the keeper
is killed, the job continues, and its end is read from lock and log. To use little memory the keeper imports no model,
and the log only after a crash, at the end, and while the run makes no progress.
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
from autoact.run.process.notify import RunWatch, notify_of_end
from autoact.run.record.folder import RunFolder
from autoact.security.child_process import python_command

JOB = ("-m", "autoact.job.job")
"""Python's arguments that start a job, before the run's folder."""
PAUSES = (1.0, 4.0, 16.0)
"""Seconds before each restart that follows a crash. After a job that made progress, they begin again at the first."""
NO_RESTART = (exit_record.FINISHED, exit_record.BAD_INPUT, exit_record.BUSY, exit_record.CANCELLED)
"""Exit codes after which a restart would end the same way, or is not wanted."""
END_EVENTS = ("run.finished", "run.failed", "run.cancelled")
"""Types of events that end a log."""
REPEATED = ("run.", "command.", "unit.", "stage.started", "train.stepped", "loss.validated", "checkpoint.skipped")
"""Beginnings of the types of events that a job repeats after a restart, and that are therefore no progress."""
POLL = 0.05
"""Seconds between checks for a request to stop, while waiting to restart a job."""


class Keeper:
    """Starts and restarts the job of one run while holding the keeper's lock. SIGTERM ends the job and the keeper."""

    def __init__(
        self, folder: RunFolder, program: tuple[str, ...] = JOB, pauses: tuple[float, ...] = PAUSES,
        kills: Callable[[], int] = oom_kills,
    ):  # fmt: skip
        self.folder, self.program, self.pauses, self.kills = folder, program, pauses, kills
        self.job = 0
        """The job's process id; 0 while there is none."""
        self.stopping = False

    def keep(self) -> int:
        """Runs the job until it ends, or has crashed too often without progress. Returns its last exit code."""
        restarts = 0
        while True:
            logged = disk.file_size(self.folder.events)
            code, ending = self._run_job()
            if code == BUSY:  # another process started the run's job and records its end
                return code
            progress, ended = (False, True) if code in NO_RESTART else _read_progress(self.folder.events, logged)
            if ended or self.stopping:
                self._write(ending)
                return code
            restarts = 0 if progress else restarts
            if restarts == len(self.pauses):
                self._write(replace(ending, cause=f"{ending.cause}; {restarts} restarts got no further"))
                return code
            self._write(replace(ending, again_at=time.time() + self.pauses[restarts]))
            if not self._wait(self.pauses[restarts]):
                self._write(ending)
                return code
            restarts += 1

    def stop(self) -> None:
        """Asks the job to stop, and prevents a restart. May be called from a signal handler."""
        self.stopping = True
        if self.job:
            os.kill(self.job, signal.SIGTERM)

    def _run_job(self) -> tuple[int, Ending]:
        """Runs one job. Returns its exit code, or minus the number of the signal that ended it, and its exit record."""
        disk.clear_path(self.folder.exit)
        self.folder.exit.unlink(missing_ok=True)
        printed, kills, began = disk.file_size(self.folder.console), self.kills(), time.monotonic()
        command = python_command(*self.program, str(self.folder.path))
        self.job = pid = os.posix_spawn(command[0], command, os.environ)
        if self.stopping:  # requested between the last check and the start
            self.stop()
        _, status, usage = os.wait4(pid, 0)
        self.job = 0
        code = os.waitstatus_to_exitcode(status)
        rss_mb = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1024)
        oom = code == -signal.SIGKILL and self.kills() > kills
        last_line = exit_record.last_output_line(self.folder.console, printed)
        return code, Ending(
            pid, exit_record.cause(code, oom=oom, rss_mb=rss_mb, last_line=last_line), time.time(),
            round(time.monotonic() - began, 3), max(0, code), max(0, -code), oom, round(rss_mb, 1),
            round(usage.ru_utime + usage.ru_stime, 3),
        )  # fmt: skip

    def _write(self, ending: Ending) -> None:
        try:
            ending.write(self.folder)
        except OSError as error:  # a full disk or a deleted folder does not end the keeper
            print(f"exit.json could not be written: {error}", file=sys.stderr, flush=True)

    def _wait(self, seconds: float) -> bool:
        """Waits. Returns False when asked to stop meanwhile."""
        until = time.monotonic() + seconds
        while not self.stopping and time.monotonic() < until:
            time.sleep(POLL)
        return not self.stopping


def _read_progress(log: Path, since: int) -> tuple[bool, bool]:
    """Reads the log after byte `since`. Returns whether it holds progress, and whether its last event ends the log."""
    from autoact.run.record.log import LONGEST_LINE, LogTail

    tail = LogTail(log, max(since, disk.file_size(log) - LONGEST_LINE - 1), numbered=False)
    progress = ended = False
    try:
        for record in tail.poll():
            progress |= not record.type.startswith(REPEATED)
            ended = record.type in END_EVENTS
    finally:
        tail.close()
    return progress, ended


def main(arguments: list[str] | None = None) -> int:
    """Runs `python -m autoact.run.process.keeper FOLDER [PROGRAM ...]`: starts a keeper and returns at once.

    Returns exit code 0 when the keeper has started, 3 when the run has one already, and 1, after printing the cause,
    when none could start. The caller gives this process a session of its own. The keeper is a child, which does not
    lead the session, so that it can never get a controlling terminal.
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
            watch = RunWatch(keeper.folder)
            watch.start()
            code = keeper.keep()
            watch.close()
        if code != BUSY and not keeper.stopping:  # without the lock, so that nothing waits for a slow network
            notify_of_end(keeper.folder)
        return code
    except RunBusy:
        os.write(start, bytes([BUSY]))
        return BUSY
    except (AutoActError, OSError) as error:  # the outermost handler of this process
        print(error, file=sys.stderr, flush=True)
        return exit_record.FAILED


if __name__ == "__main__":
    sys.exit(main())
