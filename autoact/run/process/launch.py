"""Starting a run so that it outlives the terminal, and reaching its processes with signals."""

from __future__ import annotations

import os
import signal
import subprocess

from autoact.errors import AutoActError
from autoact.files import disk
from autoact.run.process import lock, logout
from autoact.run.process.exit_record import BUSY, last_words
from autoact.run.process.keeper import JOB
from autoact.run.record.folder import RunFolder
from autoact.security import child_process, trust


def launch(folder: RunFolder, program: tuple[str, ...] = JOB) -> None:
    """Have a keeper start the run's job, in a session of its own; what they print goes to console.log.

    When this returns the keeper holds its lock. Raises RunBusy, naming who has the run, NotTrusted for a run or a
    project from elsewhere, BadInput where something that is no file stands in a file's place, and AutoActError, with
    what was printed, when no keeper could start.
    """
    trust.require_start(folder.path)
    if lock.is_held(folder):
        raise lock.busy(folder)
    around = logout.way_around() if logout.ends_processes() else ()
    disk.clear_path(folder.console)
    with os.fdopen(disk.open_file(folder.console, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "ab") as console:
        printed = os.fstat(console.fileno()).st_size
        keeper = child_process.python_command("-m", "autoact.run.process.keeper", str(folder.path.absolute()), *program)
        started = subprocess.run(
            [*around, *keeper],
            stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True, check=False,
            env=child_process.environment(), cwd=child_process.FOLDER,
        )  # fmt: skip
    if started.returncode == BUSY:
        raise lock.busy(folder, keeper=True)
    if started.returncode:
        raise AutoActError(f"the keeper of {folder.name} could not start: {last_words(folder.console, printed)}")


def stop(folder: RunFolder) -> bool:
    """Ask job and keeper to stop; the job logs what it has and ends. False when neither is alive here."""
    # The keeper first: it must know that the end is wanted before it sees it.
    asked = _signal(folder, signal.SIGTERM, keeper=True)
    return _signal(folder, signal.SIGTERM) or asked


def kill(folder: RunFolder) -> bool:
    """End the job at once, and let the keeper not start it again. What was logged is safe."""
    stop(folder)
    return _signal(folder, signal.SIGKILL)


def dump_stacks(folder: RunFolder) -> bool:
    """Have the job print where each of its threads is to console.log. False when none is alive here."""
    return _signal(folder, signal.SIGUSR1)


def _signal(folder: RunFolder, number: int, *, keeper: bool = False) -> bool:
    """Signal the holder of a lock, and no later process with its number."""
    owner = lock.owner(folder, keeper=keeper)
    if owner is None or not owner.alive or not lock.is_held(folder, keeper=keeper):
        return False
    try:
        os.kill(owner.pid, number)
    except ProcessLookupError:
        return False
    return True
