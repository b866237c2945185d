"""The list of a project's runs with their verdicts, read from the ends of their logs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from autoact.files import disk
from autoact.run.process.health import SILENT, verdict
from autoact.run.record.folder import RunFolder, list_runs
from autoact.run.record.log_end import read_end
from autoact.run.record.state import RunState
from studio.actions import remote_machine

WITHOUT_JOB = ("finished", "failed", "cancelled", "interrupted")
"""Verdicts that stay valid until one of the run's files changes."""
FileStamps = tuple[tuple[int, int], ...]
"""Modification time in ns and size in bytes of a run's log, locks and exit record; 0, 0 for a missing file."""
ALIVE = ("starting", "running", "paused", "stuck", "unresponsive")
"""Verdicts of runs that have a job, or will have one soon."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run in the list."""

    folder: RunFolder
    verdict: str
    state: RunState = field(default_factory=RunState, compare=False)
    """State folded from the end of its log: enough for its verdict, stage and pauses."""
    foreign: bool = False
    """Whether it came from elsewhere and is not trusted."""
    set_aside: bool = False
    """Whether it is a round without a gain, which later commands do not choose by themselves."""

    @property
    def label(self) -> str:
        """The verdict; `foreign` for an untrusted run without a job, whose log proves nothing; or `set aside`."""
        if self.foreign and not self.alive:
            return "foreign"
        return "set aside" if self.set_aside and self.verdict == "finished" else self.verdict

    @property
    def alive(self) -> bool:
        return self.verdict in ALIVE

    @property
    def is_session(self) -> bool:
        return self.folder.is_session


class RunList:
    """The runs of one project, newest first."""

    def __init__(self, project_root: Path):
        self.root = project_root
        self.runs: list[RunLine] = []
        self._endings: dict[str, tuple[int, RunState]] = {}
        self._without_job: dict[str, tuple[FileStamps, RunLine]] = {}
        """Runs without a job: their verdict is computed again only if their files change."""
        self._trusted: set[str] = set()
        self._followed: RunLine | None = None
        """The run whose whole log is read, more often than the list."""

    def follow(self, line: RunLine | None) -> None:
        """Takes over folder, verdict and state of the run whose whole log is read; None when none is followed."""
        self._followed = line
        if line is not None:
            self.runs = [
                replace(run, verdict=line.verdict, state=line.state) if run.folder == line.folder else run
                for run in self.runs
            ]

    def refresh(self) -> bool:
        """Reads the list again; returns whether anything changed."""
        runs = [
            replace(self._line(folder), foreign=self._is_foreign(folder), set_aside=folder.set_aside.exists())
            for folder in list_runs(self.root)
        ]
        changed = runs != self.runs or any(new.state is not old.state for new, old in zip(runs, self.runs, strict=True))
        self.runs = runs
        return changed

    def _is_foreign(self, folder: RunFolder) -> bool:
        """Returns whether a run is not trusted. A foreign run is checked again each time: a person may trust it."""
        if folder.name not in self._trusted and remote_machine.is_trusted(folder.path):
            self._trusted.add(folder.name)
        return folder.name not in self._trusted

    def _line(self, folder: RunFolder) -> RunLine:
        if (followed := self._followed) is not None and followed.folder == folder:
            return RunLine(folder, run_verdict(folder, followed.state), followed.state)
        stamps, known = _stamps(folder), self._without_job.get(folder.name)
        if known is not None and known[0] == stamps:
            return known[1]
        state = self._ending(folder)
        line = RunLine(folder, run_verdict(folder, state), state)
        if line.verdict in WITHOUT_JOB:
            self._without_job[folder.name] = stamps, line
        return line

    def _ending(self, folder: RunFolder) -> RunState:
        size = disk.file_size(folder.events)
        before, state = self._endings.get(folder.name, (0, None))
        if state is None or before != size:
            state = read_end(folder.events, state if before < size else None)
            self._endings[folder.name] = size, state
        return state


def _stamps(folder: RunFolder) -> FileStamps:
    return tuple(_stamp(path) for path in (folder.events, folder.lock, folder.keeper, folder.exit))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.lstat()
    except OSError:  # missing, or deleted meanwhile
        return 0, 0
    return found.st_mtime_ns, found.st_size


def run_verdict(folder: RunFolder, state: RunState, *, now: float | None = None) -> str:
    """Returns the run's verdict, while the line to its machine is lost that of then; `starting` for a new run whose log
    is still empty."""
    now = remote_machine.last_seen() if now is None else now
    found = verdict(folder, state, now=now)
    if found == "interrupted" and state.seq < 0:
        created = _stamp(folder.config)[0] / 1e9
        return "starting" if (time.time() if now is None else now) - created < SILENT else found
    return found
