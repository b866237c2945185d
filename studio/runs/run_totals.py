"""What came of each run, in figures: read once from its whole log, and again when that has grown."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from autoact import disk
from autoact.lab.tally import Reading
from autoact.run.record.folder import RunFolder


@dataclass(frozen=True, slots=True)
class RunTotals:
    """One run's."""

    started: float = 0.0
    """Unix seconds; 0 when the log is empty."""
    seconds: float = 0.0
    """At work: the time between a job's end and the next one's start is left out."""
    kept: int = 0
    f1: float | None = None
    """Mean of the group's, else of any cast's scored answers."""
    tokens: int = 0
    """Prompt tokens encoded, plus tokens generated."""

    @classmethod
    def of(cls, folder: RunFolder) -> RunTotals:
        """Reads the whole log: call it in a thread."""
        reading = Reading.of(folder.events)
        state = reading.state
        scored = [one for one in state.solved if one.scored]
        chosen = [one for one in scored if one.cast == "group"] or scored
        return cls(
            reading.started,
            reading.seconds,
            sum(verdict.kept for verdict in state.verdicts.values()),
            fmean(one.f1 for one in chosen) if chosen else None,
            sum(spent.prefilled + spent.decoded for spent in state.tokens.values()),
        )


class TotalsByRun:
    """Figures by run, with the size of the log they were read from."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, RunTotals]] = {}

    def look(self, folder: RunFolder) -> RunTotals | None:
        """What is known, however old."""
        known = self._known.get(folder.name)
        return known[1] if known else None

    def read(self, folder: RunFolder) -> bool:
        """Read a log that has grown; whether it had. Slow."""
        size = disk.file_size(folder.events)
        if self._known.get(folder.name, (-1,))[0] == size:
            return False
        self._known[folder.name] = size, RunTotals.of(folder)
        return True
