"""Starts a run's processes so that they outlive the terminal, and sends them signals."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from autoact.errors import AutoActError
from autoact.files import disk
from autoact.run.process import lock, logout
from autoact.run.process.exit_record import BUSY, last_output_line
from autoact.run.process.keeper import JOB
from autoact.run.record.folder import RunFolder
from autoact.security import child_process, trust

NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


def launch(folder: RunFolder, program: tuple[str, ...] = JOB, variables: Mapping[str, str] = NO_VARIABLES) -> None:
    """Starts a keeper, which starts the job, in a session of its own; their output goes to console.log.

    `variables` are added to the environment of both.
    When this returns the keeper holds its lock. Raises RunBusy, which names the holder; NotTrusted for an untrusted
    run or project; BadInput when the path of a lock or of the console is not a file; and AutoActError, with the last
    line of output, when no keeper could start.
    """
    trust.require_start(folder.path)
    if lock.is_held(folder):
        raise lock.busy_error(folder)
    printed = disk.file_size(folder.console)
    keeper = ("autoact.run.process.keeper", str(folder.path.absolute()), *program)
    starting = start_in_session(folder.console, *keeper, variables=variables)
    try:
        code = starting.wait()
    except BaseException:
        starting.kill()
        raise
    if code == BUSY:
        raise lock.busy_error(folder, keeper=True)
    if code:
        raise AutoActError(f"the keeper of {folder.name} could not start: {last_output_line(folder.console, printed)}")


def start_in_session(
    output: Path, module: str, *arguments: str, variables: Mapping[str, str] = NO_VARIABLES
) -> subprocess.Popen[bytes]:
    """Starts a module as a program in a session of its own, which outlives the terminal and, where possible, the login.

    What it prints is added to `output`. Raises BadInput when that is not a file and cannot be replaced.
    """
    prefix = logout.logout_prefix() if logout.ends_processes() else ()
    disk.clear_path(output)
    with os.fdopen(disk.open_file(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "ab") as printed:
        return subprocess.Popen(
            [*prefix, *child_process.python_command("-m", module, *arguments)],
            stdin=subprocess.DEVNULL, stdout=printed, stderr=printed, start_new_session=True,
            env={**child_process.environment(), **variables}, cwd=child_process.FOLDER,
        )  # fmt: skip


def stop(folder: RunFolder) -> bool:
    """Asks job and keeper to stop; the job flushes its log and ends. Returns False when neither is alive here."""
    # The keeper first: otherwise it would restart the job.
    keeper_signalled = _signal(folder, signal.SIGTERM, keeper=True)
    return _signal(folder, signal.SIGTERM) or keeper_signalled


def kill(folder: RunFolder) -> bool:
    """Ends the job at once and stops its keeper. Logged events are kept. Returns False when neither is alive here."""
    stopped = stop(folder)
    return _signal(folder, signal.SIGKILL) or stopped


def dump_stacks(folder: RunFolder) -> bool:
    """Makes the job print the stack of each thread to console.log. Returns False when no job is alive here."""
    return _signal(folder, signal.SIGUSR1)


def _signal(folder: RunFolder, number: int, *, keeper: bool = False) -> bool:
    """Sends a signal to the holder of a lock. Returns False when there is none; a later process's pid is not used."""
    owner = lock.owner(folder, keeper=keeper)
    if owner is None or not owner.alive or not lock.is_held(folder, keeper=keeper):
        return False
    try:
        os.kill(owner.pid, number)
    except ProcessLookupError:
        return False
    return True
