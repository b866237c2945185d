"""The scores of a project: those of its group and of the meta-agent alone, each of one finished run."""

from __future__ import annotations

import math
from collections.abc import Sequence

from autoact.errors import BadInput
from autoact.files import disk
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from autoact.trajectory import META
from studio.runs.progress import mean_f1
from studio.runs.run_list import RunLine

CASTS = ("group", META)


class ScoreReader:
    """Reads the scores of one project repeatedly; the settings of a run once, and a log again only if it has grown."""

    def __init__(self) -> None:
        self._limits: dict[str, dict[str, float]] = {}
        """By run: for each of CASTS that was to answer held-out questions, the most questions."""
        self._scores: dict[str, tuple[int, dict[str, float | None]]] = {}
        """By run: size of its log in bytes, and the mean F1 by cast, 0 to 1."""

    def read(self, runs: Sequence[RunLine]) -> str:
        """Returns the mean F1 in percent, group / meta, over held-out questions; empty without both.

        Each is of the run that was to ask the most questions, and of the newest such run: an evaluation of a few
        questions hides no other. Runs that have not finished, are foreign or set aside do not count.
        """
        over = [run.folder for run in runs if run.verdict == "finished" and not (run.foreign or run.set_aside)]
        found = [self._read_cast(over, cast) for cast in CASTS]
        shown = ["-" if f1 is None else f"{100 * f1:.1f}" for f1 in found]
        return "" if found == [None, None] else " / ".join(shown)

    def add(self, folder: RunFolder, size: int, state: RunState) -> None:
        """Takes the scores from the state of a log of this size, which then need not be read."""
        self._scores[folder.name] = size, {cast: mean_f1(state.solved, cast) for cast in CASTS}

    def _read_cast(self, folders: Sequence[RunFolder], cast: str) -> float | None:
        asked = [folder for folder in folders if self._limit(folder, cast)]
        for folder in sorted(asked, key=lambda folder: -self._limit(folder, cast)):  # keeps the newest first
            size = disk.file_size(folder.events)
            if self._scores.get(folder.name, (-1,))[0] != size:
                self.add(folder, size, RunState.of(folder.events))
            if (f1 := self._scores[folder.name][1][cast]) is not None:
                return f1
        return None

    def _limit(self, folder: RunFolder, cast: str) -> float:
        if folder.name not in self._limits:
            self._limits[folder.name] = _read_limits(folder)
        return self._limits[folder.name].get(cast, 0)


def _read_limits(folder: RunFolder) -> dict[str, float]:
    """Returns the most held-out questions that each of CASTS was to answer, infinity for all."""
    try:
        config = folder.read_config()
    except BadInput:
        return {}
    plan, planning = config.get("run", {}), config.get("group_planning", {})
    if not (isinstance(plan, dict) and isinstance(planning, dict)) or plan.get("data") or plan.get("question"):
        return {}
    limit, methods = planning.get("limit"), planning.get("compare", CASTS)
    most = limit if isinstance(limit, int) and limit > 0 else math.inf
    return {cast: most for cast in CASTS if isinstance(methods, list | tuple) and cast in methods}
