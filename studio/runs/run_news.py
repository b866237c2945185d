"""News of runs: those that ended, wait for a person or stand still since the last look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autoact.run.process.notification import Occasion, occasion_of
from autoact.run.record.folder import RunFolder
from studio.runs.run_list import RunLine, RunList

TWICE = 2
"""Looks in a row after which a wait or a standstill is news."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The state of a run at the last look."""

    alive: bool
    occasion: Occasion | None
    looks: int
    """Looks in a row with this occasion."""


class RunNews:
    """Looks at the runs of projects. What the first look at a project finds is no news."""

    def __init__(self) -> None:
        self._lists: dict[Path, RunList] = {}
        self._seen: dict[Path, _Seen] = {}

    def look(self, roots: Sequence[Path]) -> list[tuple[RunFolder, Occasion]]:
        """Reads the run lists of these projects; returns the news."""
        news = []
        for root in roots:
            runs = self._lists.setdefault(root, RunList(root))
            runs.refresh()
            news += [(line.folder, found) for line in runs.runs if (found := self._compare(line)) is not None]
        return news

    def _compare(self, line: RunLine) -> Occasion | None:
        """Returns the news of one run, and remembers it for the next look."""
        before = self._seen.get(line.folder.path)
        found = None if line.foreign else occasion_of(line.folder, line.state, line.verdict)
        looks = TWICE if before is None else before.looks + 1 if before.occasion == found else 1
        self._seen[line.folder.path] = _Seen(line.alive, found, looks)
        if before is None or not before.alive:
            return None
        return found if not line.alive or looks == TWICE else None
