"""Chooses the run of a project that is meant where none is named, for the commands and the studio alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from autoact.errors import BadInput
from autoact.run.process.health import is_active
from autoact.run.record.folder import RunFolder, latest_run, list_runs
from autoact.security import trust


class Choosable(Protocol):
    """The properties of a run on which the choice depends."""

    @property
    def alive(self) -> bool:
        """Whether it has a job, or will have one soon."""

    @property
    def foreign(self) -> bool:
        """Whether it came from elsewhere and is not trusted."""

    @property
    def set_aside(self) -> bool:
        """Whether it is a round without a gain, which later commands do not choose by themselves."""

    @property
    def is_session(self) -> bool:
        """Whether it only answers a person's questions."""


C = TypeVar("C", bound=Choosable)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run among which one is chosen."""

    folder: RunFolder
    alive: bool
    foreign: bool
    set_aside: bool

    @property
    def is_session(self) -> bool:
        return self.folder.is_session


@dataclass(frozen=True, slots=True)
class ChosenRun:
    """The run that a command is about."""

    folder: RunFolder
    why: str = ""
    """The reason for it, where a person may have meant another; else empty."""


def leading_run(runs: Sequence[C]) -> C | None:
    """Returns the run that is meant, of runs with the newest first: the newest with a job, else the newest trusted one
    that is not set aside, else the newest. A session, whose results are those of its base, comes first only if there
    is no other."""
    alive = [run for run in runs if run.alive]
    own = [run for run in runs if not run.foreign and not run.set_aside]
    chosen = alive or own or runs
    return next((run for run in chosen if not run.is_session), next(iter(chosen), None))


def list_candidates(project_root: Path) -> list[Candidate]:
    """Returns every run of a project, newest first."""
    return [
        Candidate(run, _is_alive(run), not trust.allows("run", "chosen", run.path), run.set_aside.exists())
        for run in list_runs(project_root)
    ]


def find_leading_run(project_root: Path) -> ChosenRun:
    """Returns the leading run among those that a command may choose by itself. Raises BadInput when there is none."""
    runs = [run for run in list_candidates(project_root) if not run.foreign and (run.alive or not run.set_aside)]
    chosen = leading_run(runs)
    if chosen is None:
        return ChosenRun(latest_run(project_root))  # raises, and tells why
    alive = sum(run.alive for run in runs)
    if alive > 1:
        return ChosenRun(chosen.folder, f"the newest of {alive} that run")
    if chosen is not runs[0]:
        newest = runs[0].folder.name
        return ChosenRun(chosen.folder, f"which runs, not the newer {newest}" if alive else f"not the session {newest}")
    return ChosenRun(chosen.folder)


def _is_alive(run: RunFolder) -> bool:
    try:
        return is_active(run)
    except (BadInput, OSError):  # its lock is not a file, or cannot be read
        return False
