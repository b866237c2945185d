"""Starting a job that outlives the terminal it was started from, and asking it to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from autoact.run import lock
from autoact.run.folder import RunFolder


def launch(folder: RunFolder) -> subprocess.Popen[bytes]:
    """Start the run's job in a session of its own; what it prints goes to console.log."""
    with folder.console.open("ab") as console:
        return subprocess.Popen(
            [sys.executable, "-m", "autoact.run.job", str(folder.path)],
            stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True,
        )  # fmt: skip


def stop(folder: RunFolder) -> bool:
    """Ask the job that owns the run to stop; it logs what it has and ends. False when no job is alive here."""
    owner = lock.owner(folder)
    if owner is None or not lock.is_held(folder):
        return False
    os.kill(owner.pid, signal.SIGTERM)
    return True
