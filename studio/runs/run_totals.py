"""Totals of each run, read once from its whole log, and again when the log has grown."""

from __future__ import annotations

from dataclasses import dataclass

from autoact.files import disk
from autoact.lab.tally import LogTotals
from autoact.run.record.folder import RunFolder
from studio.runs.progress import main_f1


@dataclass(frozen=True, slots=True)
class RunTotals:
    """The totals of one run."""

    started: float = 0.0
    """Unix time in seconds; 0 when the log is empty."""
    seconds: float = 0.0
    """Seconds during which a job was running."""
    kept: int = 0
    """Trajectories that the filter kept."""
    f1: float | None = None
    """See `main_f1`."""
    tokens: int = 0
    """Prompt tokens encoded plus tokens generated."""
    at: float = 0.0
    """Unix time of the last event in seconds."""

    @classmethod
    def read(cls, folder: RunFolder) -> RunTotals:
        """Reads the whole log: call it in a thread."""
        reading = LogTotals.of(folder.events)
        state = reading.state
        return cls(
            reading.started,
            reading.seconds,
            sum(verdict.kept for verdict in state.verdicts.values()),
            main_f1(state.solved),
            sum(spent.prefilled + spent.decoded for spent in state.tokens.values()),
            state.at,
        )


class TotalsByRun:
    """The totals of a project's runs, with the size of the log at which each was read."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, RunTotals]] = {}

    def get(self, folder: RunFolder) -> RunTotals | None:
        """Returns the totals that were read last; None when they were never read."""
        known = self._known.get(folder.name)
        return known[1] if known else None

    def read(self, folder: RunFolder) -> bool:
        """Reads a log again if it has grown; returns whether it had. Slow: call it in a thread."""
        size = disk.file_size(folder.events)
        if self._known.get(folder.name, (-1,))[0] == size:
            return False
        self._known[folder.name] = size, RunTotals.read(folder)
        return True
