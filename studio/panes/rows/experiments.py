"""The experiments of a project as rows of the lab pane: cells by status, and the cells of the one under the cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from textual.content import Content

from autoact.errors import AutoActError
from autoact.experiments.experiment import experiments_folder, list_experiments, read_experiment
from autoact.experiments.progress import (
    FAILED,
    FINISHED,
    RUNNING,
    STATUSES,
    CellProgress,
    ExperimentProgress,
    Grid,
    RunReader,
    count_statuses,
    is_playing,
)
from autoact.project.project import Project
from studio.terminal import untrusted_text
from studio.widgets.lists.table import Column
from studio.widgets.status import short_name

COLUMNS = (
    Column("experiment"), Column("queue", 8, least=76), Column("cells", 6, right=True),
    *(Column(status, 9, right=True) for status in STATUSES[:3]), Column("left", 6, right=True),
)  # fmt: skip
STYLES = {FINISHED: "$success", RUNNING: "$accent", FAILED: "$error"}


@dataclass(frozen=True, slots=True)
class ExperimentSummary:
    """One experiment as of one moment."""

    name: str
    playing: bool
    cells: Sequence[CellProgress] = ()
    error: str = ""
    """The reason why its file, or the project's, cannot be used; empty if it can."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Cells by status."""
        return count_statuses(self.cells)


@dataclass(slots=True)
class ExperimentRows:
    """The experiments as rows of the table."""

    rows: Sequence[ExperimentSummary] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> Sequence[str | Content]:
        one = self.rows[index]
        if one.error:
            return one.name, Content.styled("error", "$error"), *("",) * (len(COLUMNS) - 2)
        left = sum(count for status, count in one.counts.items() if status not in STATUSES[:3])
        numbers = (str(one.counts.get(status, "")) for status in STATUSES[:3])
        return one.name, "running" if one.playing else "", str(len(one.cells)), *numbers, str(left or "")

    def key(self, index: int) -> str:
        return self.rows[index].name


def read_summaries(project_root: Path, reader: RunReader) -> list[ExperimentSummary]:
    """Reads every experiment of a project; one that cannot be read has its error."""
    return [_summarise(project_root, name, reader) for name in list_experiments(project_root)]


def _summarise(project_root: Path, name: str, reader: RunReader) -> ExperimentSummary:
    try:
        experiment = read_experiment(experiments_folder(project_root) / name)
        playing = is_playing(experiment.folder)
        progress = ExperimentProgress(Grid.of(Project.open(project_root), experiment), reader)
        return ExperimentSummary(name, playing, progress.cell_progress())
    except (AutoActError, OSError) as error:
        return ExperimentSummary(name, False, error=str(error))


def describe_cells(one: ExperimentSummary) -> list[Content]:
    """Returns a line for each cell: status, values, run, and what it does or why it does nothing."""
    if one.error:
        return [untrusted_text.content(one.error, "$error")]
    return [
        Content.assemble(
            (f"{cell.status:<10}", STYLES.get(cell.status, "$quiet")), untrusted_text.line(cell.cell.title),
            (f"  {short_name(cell.run)}" if cell.run else "", "$quiet"),
            untrusted_text.content(f"  {cell.cause}" if cell.cause else "", "$quiet"),
        )
        for cell in one.cells
    ]  # fmt: skip
