"""Plays the runs of an experiment, one after the other or some side by side, and goes on past one that fails.

The queue keeps nothing in memory that matters: after any end of its process the same command finds the runs in the
journal, waits for those that are still active, resumes those that are not, and starts those that are missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from autoact.errors import AutoActError
from autoact.experiments.journal import append_run
from autoact.experiments.progress import (
    CellProgress,
    ExperimentProgress,
    Grid,
    RunReader,
    describe,
    describe_counts,
)
from autoact.experiments.sharing import SharedRun
from autoact.files import disk
from autoact.registry.stages import DIFFERENTIATION
from autoact.run.process.health import ELSEWHERE, is_active
from autoact.run.process.launch import stop
from autoact.run.process.lock import RunLock
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.state import RunState

LOOK = 0.2
"""Seconds between two looks at the active runs."""


@dataclass(slots=True)
class Queue:
    """One pass over an experiment: every run that is not finished is tried once."""

    grid: Grid
    start: Callable[[RunFolder, Sequence[str]], None]
    """Starts or resumes a run's job on these cards, or, without any, on what it finds. Raises AutoActError."""
    report: Callable[[str], None]
    """Is given a line for each run that begins and ends."""
    jobs: int = 1
    """The most runs at the same time."""
    cards: Sequence[str] = ()
    """Numbers of the GPUs to hand out; without them runs are not limited by cards."""
    stopping: bool = False
    _tried: set[str] = field(default_factory=set)
    """Keys of the runs that were started in this pass, or found active."""
    _active: dict[str, RunFolder] = field(default_factory=dict)
    """By key."""
    _held: dict[str, Sequence[str]] = field(default_factory=dict)
    """The cards of the active runs, by key."""

    def play(self) -> list[CellProgress]:
        """Plays the runs; returns the progress of the cells at the end. Raises RunBusy when another queue plays it."""
        reader = RunReader(self.grid.project_root)
        with RunLock.take(RunFolder(self.grid.experiment.folder)):
            while True:
                progress = ExperimentProgress(self.grid, reader)
                self._find_active(progress)
                self._begin_runs(progress)
                if not self._active:
                    return progress.cell_progress()
                ended = self._wait_for_end()
                self._report_end(ExperimentProgress(self.grid, reader), ended)

    def stop(self) -> None:
        """Stops the active runs and begins no others; `play` returns when they have ended."""
        self.stopping = True
        for folder in list(self._active.values()):
            stop(folder)

    def _wait_for_end(self) -> list[str]:
        """Waits until at least one of the active runs has ended; returns the keys of those that have."""
        while not (ended := [key for key, folder in self._active.items() if not is_active(folder)]):
            time.sleep(LOOK)
        for key in ended:
            del self._active[key]
            self._held.pop(key, None)
        return ended

    def _find_active(self, progress: ExperimentProgress) -> None:
        """Finds runs that an earlier queue left active."""
        for run in progress.runs:
            folder = self._folder(run)
            if run.run and run.key not in self._active and is_active(folder):
                self._active[run.key] = folder
                self._held[run.key] = _read_cards(folder)
                self._tried.add(run.key)
                self.report(f"{run.run} is active already; waiting for it")

    def _begin_runs(self, progress: ExperimentProgress) -> None:
        """Begins runs that can be played now, while there is room."""
        for run in progress.runs:
            if self.stopping or len(self._active) >= self.jobs:
                return
            if run.key in self._tried or progress.is_complete(run) or not self._is_ready(progress, run):
                continue
            if (cards := self._find_cards(run)) is not None:
                self._tried.add(run.key)
                self._begin(progress, run, cards)

    def _find_cards(self, run: SharedRun) -> Sequence[str] | None:
        """Returns cards for a run: one, or one for each process of its training. None when too few are free."""
        processes = run.nodes[-1].config.differentiation.processes if DIFFERENTIATION in run.stages else 1
        needed = min(processes, len(self.cards))
        held = {card for cards in self._held.values() for card in cards}
        free = [card for card in self.cards if card not in held]
        return free[:needed] if len(free) >= needed else None

    def _is_ready(self, progress: ExperimentProgress, run: SharedRun) -> bool:
        """Returns whether the base of a run has finished the stage before it, and no job writes there."""
        if not run.parent:
            return True
        return progress.is_finished(run.parent) and progress.by_key[run.parent].key not in self._active

    def _begin(self, progress: ExperimentProgress, run: SharedRun, cards: Sequence[str]) -> None:
        """Makes or resumes a run. A run that cannot be started is reported, and the others go on."""
        found, again = progress.of_run(run), bool(run.run)
        if found is not None and found.verdict.startswith(ELSEWHERE):
            self.report(f"{run.run} is {found.verdict} and is left alone")
            return
        try:
            folder = self._folder(run) if again else self._make(progress, run)
            if self.cards:
                disk.replace(folder.cards, ",".join(cards).encode())
            self.start(folder, cards)
        except (AutoActError, OSError) as error:  # boundary: one run of many
            self.report(f"a run could not be started: {error}")
            return
        self._active[run.key], self._held[run.key] = folder, cards
        if self.stopping:  # the signal came while the run was being started
            stop(folder)
        words = f"{', '.join(run.stages)}, for {describe_cells(progress, run)}"
        words += f", on card {', '.join(cards)}" if cards else ""
        self.report(f"{folder.name} is {'resumed' if again else 'started'}: {words}")

    def _make(self, progress: ExperimentProgress, run: SharedRun) -> RunFolder:
        """Makes the folder of a new run, which no later command chooses by itself, and adds it to the journal."""
        base, before = None, RunState()
        if run.parent:
            base = self._folder(progress.by_key[run.parent])
            before = progress.reader.read(base.name).state
        config = msgspec.to_builtins(run.make_config(base, before))
        experiment = self.grid.experiment
        folder = new_run(self.grid.project_root, experiment.name, config, now=datetime.now())
        words = f"a run of the experiment {experiment.name}, for {describe_cells(progress, run)}"
        disk.replace(folder.set_aside, f"{words}\n".encode())
        append_run(experiment.folder, folder.name, [node.key for node in run.nodes])
        return folder

    def _folder(self, run: SharedRun) -> RunFolder:
        return RunFolder(self.grid.project_root / "runs" / run.run)

    def _report_end(self, progress: ExperimentProgress, ended: list[str]) -> None:
        cells = progress.cell_progress()
        for key in ended:
            run = progress.by_key[key]
            found = progress.of_run(run)
            words = "finished" if found is None or progress.is_complete(run) else describe(found)
            self.report(f"{run.run} is {words}; {describe_counts(cells)}")


def _read_cards(folder: RunFolder) -> Sequence[str]:
    """Returns the cards that a queue gave to a run; none if no queue did."""
    try:
        return [card for card in disk.read_file(folder.cards).decode("utf-8", "replace").split(",") if card]
    except FileNotFoundError:
        return []


def describe_cells(progress: ExperimentProgress, run: SharedRun) -> str:
    """Returns the cell that needs a run in words, or the number of those that share it."""
    cells = progress.cells_of(run)
    return cells[0].title if len(cells) == 1 else f"{len(cells)} cells"
