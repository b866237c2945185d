"""Starting a run from the studio: a process of its own, which the studio neither owns nor waits for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from studio.shelf import RunLine

Command = Callable[[Path], list[str]]
"""From a project's folder to the command line that runs it."""


def command(project: Path) -> list[str]:
    """What `autoact run` in a shell would do."""
    return [sys.executable, "-m", "autoact", "run", str(project), "--preset", "quick"]


def of_app(app: object) -> Command:
    """The command line that this app starts runs with."""
    found = getattr(app, "command", command)
    return found if callable(found) else command


@dataclass(slots=True)
class Launch:
    """A run that was asked for and has not shown itself yet."""

    process: subprocess.Popen[bytes]
    known: frozenset[str]
    """Names of the runs there were before, none of them alive."""
    run: str = ""
    """The name of the run that came of it: a new one, or an interrupted one that goes on."""
    failed: str = ""
    """Why there will be none."""

    @property
    def pending(self) -> bool:
        return not self.run and not self.failed

    def look(self, runs: Iterable[RunLine]) -> bool:
        """Compare with the runs there are now; whether that settled the matter."""
        self.run = next((run.folder.name for run in runs if run.alive or run.folder.name not in self.known), "")
        code = self.process.poll()
        if not self.run and code is not None:
            self.failed = f"no run came of it (exit code {code})"
        return not self.pending


def start(command_line: list[str], known: Iterable[str]) -> Launch:
    """Start a process that outlives the terminal. Raises OSError when the system will not."""
    process = subprocess.Popen(
        command_line,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return Launch(process, frozenset(known))
