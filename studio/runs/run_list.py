"""A project's runs with how each of them is, read from the ends of their logs."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from autoact import disk, trust
from autoact.run.process.health import SILENT, verdict
from autoact.run.record.folder import RunFolder, runs_of
from autoact.run.record.log import LONGEST_LINE, LogTail
from autoact.run.record.state import RunState

AT_REST = ("finished", "failed", "cancelled", "interrupted")
"""Verdicts that hold until someone takes one of the run's locks or writes to its log."""
Marks = tuple[tuple[int, int], ...]
"""When log, locks and end of a run were written, and how long they are; 0 for what is not there."""
SESSION = re.compile("-session-[0-9a-f]+$")
"""In the name of a run that answers a person's questions."""
ALIVE = ("starting", "running", "paused", "stuck", "unresponsive")
"""Verdicts of runs that have a job, or are about to."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run in the list."""

    folder: RunFolder
    verdict: str
    state: RunState = field(default_factory=RunState, compare=False)
    """The end of its log: how it ended, not what it did."""
    foreign: bool = False
    """It came from elsewhere and is not trusted."""

    @property
    def shown(self) -> str:
        """The verdict, or that it is foreign: what the log of such a run says is its author's word."""
        return "foreign" if self.foreign and not self.alive else self.verdict

    @property
    def alive(self) -> bool:
        return self.verdict in ALIVE


def leading_run(runs: Sequence[RunLine]) -> RunLine | None:
    """Returns the run to show first: the newest at work, a session only if there is no other; else the newest of the
    project's own; else the newest."""
    alive = [run for run in runs if run.alive]
    training = [run for run in alive if not SESSION.search(run.folder.name)]
    own = [run for run in runs if not run.foreign]
    return next(iter(training or alive or own or runs), None)


class RunList:
    """The runs of one project, newest first."""

    def __init__(self, project_root: Path):
        self.root = project_root
        self.runs: list[RunLine] = []
        self._endings: dict[str, tuple[int, RunState]] = {}
        self._at_rest: dict[str, tuple[Marks, RunLine]] = {}
        """Runs without a job, which need not be judged again as long as their marks stay as they are."""
        self._trusted: set[str] = set()

    def look(self) -> bool:
        """See what is there now; whether anything changed."""
        runs = [replace(self._line(folder), foreign=self._is_foreign(folder)) for folder in runs_of(self.root)]
        changed = runs != self.runs
        self.runs = runs
        return changed

    def _is_foreign(self, folder: RunFolder) -> bool:
        """Asked again of foreign runs only: a person may trust one at any time."""
        if folder.name not in self._trusted and trust.is_trusted(folder.path):
            self._trusted.add(folder.name)
        return folder.name not in self._trusted

    def _line(self, folder: RunFolder) -> RunLine:
        marks, known = _marks(folder), self._at_rest.get(folder.name)
        if known is not None and known[0] == marks:
            return known[1]
        state = self._ending(folder)
        line = RunLine(folder, run_verdict(folder, state), state)
        if line.verdict in AT_REST:
            self._at_rest[folder.name] = marks, line
        return line

    def _ending(self, folder: RunFolder) -> RunState:
        size = disk.file_size(folder.events)
        known = self._endings.get(folder.name)
        if known is None or known[0] != size:
            known = self._endings[folder.name] = size, fold_ending(folder, size)
        return known[1]


def _marks(folder: RunFolder) -> Marks:
    return tuple(_mark(path) for path in (folder.events, folder.lock, folder.keeper, folder.exit))


def _mark(path: Path) -> tuple[int, int]:
    try:
        found = path.lstat()
    except OSError:  # not there, or not there any more
        return 0, 0
    return found.st_mtime_ns, found.st_size


def fold_ending(folder: RunFolder, size: int) -> RunState:
    """The last part of a log, folded: enough for how the run ended, not for what it did."""
    state, tail = RunState(), LogTail(folder.events, max(0, size - LONGEST_LINE - 1), numbered=False)
    try:
        state.follow(tail)
    finally:
        tail.close()
    return state


def run_verdict(folder: RunFolder, state: RunState, *, now: float | None = None) -> str:
    """The run's verdict; `starting` for one that was made a moment ago and has not said a word."""
    found = verdict(folder, state, now=now)
    if found == "interrupted" and state.seq < 0:
        made = _mark(folder.config)[0] / 1e9
        return "starting" if (time.time() if now is None else now) - made < SILENT else found
    return found
