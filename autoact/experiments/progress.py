"""The progress of an experiment: the state of each of its runs and cells, from the journal and the runs' own files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autoact.experiments.cells import Cell, expand
from autoact.experiments.experiment import Experiment
from autoact.experiments.journal import read_journal
from autoact.experiments.sharing import SharedRun, StageTree
from autoact.files import disk
from autoact.project.project import Project
from autoact.run.process import lock
from autoact.run.process.health import cause, verdict
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState

FINISHED, RUNNING, FAILED, STOPPED, WAITING = "finished", "running", "failed", "stopped", "waiting"
NO_ADAPTERS = "no question was asked, or an adapter had nothing to learn from"
STATUSES = (FINISHED, RUNNING, FAILED, STOPPED, WAITING)


@dataclass(frozen=True, slots=True)
class RunProgress:
    """The progress of one run."""

    finished: frozenset[str]
    """Names of its finished stages."""
    verdict: str
    """As `autoact runs` says it; empty for a run that is not made yet."""
    cause: str
    stage: str
    """The stage that it plays, or played last."""
    done: int
    of: int
    state: RunState


@dataclass(frozen=True, slots=True)
class CellProgress:
    """The progress of one cell."""

    cell: Cell
    status: str
    """One of STATUSES."""
    run: str
    """The run that plays its last stages, or else the one that it waits for; empty before there is one."""
    cause: str
    """The reason why it failed or stopped; the present work if it runs."""


@dataclass(slots=True)
class RunReader:
    """Reads the progress of runs; reads a log again only when it has grown."""

    project_root: Path
    _states: dict[str, tuple[int, RunState]] = field(default_factory=dict)
    """By run: the size of its log, and its state."""

    def read(self, name: str) -> RunProgress:
        """Returns the progress of the run of this name."""
        folder = RunFolder(self.project_root / "runs" / name)
        size = disk.file_size(folder.events)
        known = self._states.get(name)
        state = known[1] if known and known[0] == size else RunState.of(folder.events)
        self._states[name] = size, state
        finished = frozenset(stage for stage, one in state.stages.items() if one.status == "finished")
        found, stage = verdict(folder, state), state.stage or next(reversed(state.stages), "")
        at = state.stages.get(stage)
        why = cause(folder, state, found)
        return RunProgress(finished, found, why, stage, at.done if at else 0, at.of if at else 0, state)


@dataclass(frozen=True, slots=True)
class Grid:
    """An experiment with its cells and the tree of their stages."""

    project_root: Path
    experiment: Experiment
    cells: Sequence[Cell]
    tree: StageTree

    @classmethod
    def of(cls, project: Project, experiment: Experiment) -> Grid:
        """Expands an experiment with the project's settings. Raises BadInput."""
        cells = expand(project, experiment)
        return cls(project.root, experiment, cells, StageTree.of(cells, experiment.seed_from))


class ExperimentProgress:
    """The cells of an experiment and the runs that they share, as of one moment."""

    def __init__(self, grid: Grid, reader: RunReader | None = None):
        """Reads the journal now, and runs when they are asked for. Raises BadInput."""
        self.experiment = grid.experiment
        self.cells, self.tree, self.reader = grid.cells, grid.tree, reader or RunReader(grid.project_root)
        self.runs = self.tree.runs(read_journal(grid.experiment.folder, grid.project_root / "runs"))
        self.by_key: dict[str, SharedRun] = {node.key: run for run in self.runs for node in run.nodes}
        self._progress: dict[str, RunProgress] = {}

    def of_run(self, run: SharedRun) -> RunProgress | None:
        """Returns the progress of a run; None before it is made."""
        if not run.run:
            return None
        if run.run not in self._progress:
            self._progress[run.run] = self.reader.read(run.run)
        return self._progress[run.run]

    def is_finished(self, key: str) -> bool:
        """Returns whether the stage of this key is finished."""
        found = self.of_run(self.by_key[key])
        return found is not None and self.tree.nodes[key].stage in found.finished

    def is_complete(self, run: SharedRun) -> bool:
        """Returns whether all stages that the cells need of a run are finished."""
        return all(self.is_finished(node.key) for node in run.nodes)

    def cell_progress(self) -> list[CellProgress]:
        """Returns the progress of every cell, in the order of the file."""
        return [self._cell(cell, key) for cell, key in zip(self.cells, self.tree.ends, strict=True)]

    def cells_of(self, run: SharedRun) -> list[Cell]:
        """Returns the cells that need a run."""
        return [cell for cell, key in zip(self.cells, self.tree.ends, strict=True) if run in self._path(key)]

    def _path(self, key: str) -> list[SharedRun]:
        """Returns the runs of a cell whose last stage has this key, the last first."""
        path = [self.by_key[key]]
        while path[-1].parent:
            path.append(self.by_key[path[-1].parent])
        return path

    def _cell(self, cell: Cell, key: str) -> CellProgress:
        if self.is_finished(key):
            name = self.by_key[key].run
            if any(one.cast == cell.method for one in self.reader.read(name).state.solved):
                return CellProgress(cell, FINISHED, name, "")
            return CellProgress(cell, FAILED, name, f"no answer by {cell.method}: {NO_ADAPTERS}")
        for run in self._path(key):
            found = self.of_run(run)
            if found is not None and not self.is_complete(run):
                return CellProgress(cell, status_of(found), run.run, describe(found))
        return CellProgress(cell, WAITING, "", "")


def status_of(found: RunProgress) -> str:
    """Returns the status of a cell whose run has this progress and is not finished."""
    if found.verdict == "failed":
        return FAILED
    return STOPPED if found.verdict in ("cancelled", "interrupted", "unreadable", "finished") else RUNNING


def describe(found: RunProgress) -> str:
    """Returns what a run does now, or why it does nothing, in a few words."""
    if status_of(found) != RUNNING:
        return f"{found.verdict}: {found.cause}" if found.cause else found.verdict
    at = f" {found.done}/{found.of}" if found.of else ""
    doing = f"{found.stage}{at}" if found.stage else found.cause
    return ", ".join(part for part in (found.verdict if found.verdict != "running" else "", doing) if part)


def count_statuses(cells: Sequence[CellProgress]) -> dict[str, int]:
    """Returns the numbers of cells by status, in the order of STATUSES, without those that are 0."""
    counts = Counter(cell.status for cell in cells)
    return {status: counts[status] for status in STATUSES if counts[status]}


def describe_counts(cells: Sequence[CellProgress]) -> str:
    """Returns the numbers of cells by status in words."""
    counts = ", ".join(f"{count} {status}" for status, count in count_statuses(cells).items())
    return f"{len(cells)} cells: {counts}"


def is_playing(folder: Path) -> bool:
    """Returns whether a queue plays the experiment in this folder, on this machine."""
    return lock.is_held(RunFolder(folder))
