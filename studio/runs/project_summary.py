"""The summary of a project for the project list: its task, its last run and its scores."""

from __future__ import annotations

from dataclasses import dataclass, replace

from autoact.errors import AutoActError
from autoact.files import disk
from autoact.project.config import Config
from autoact.project.project import Project
from autoact.run.process.leading import leading_run
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogTail
from autoact.run.record.state import RunState
from studio.runs.progress import stage_of
from studio.runs.project_scores import ScoreReader
from studio.runs.run_list import ALIVE, RunLine, RunList, run_verdict


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """One line of the project list."""

    project: Project
    task: str = ""
    run: str = ""
    stage: str = ""
    """The last stage, with `done/of` while it is running."""
    verdict: str = ""
    """Verdict on the last run; empty when there is no run."""
    scores: str = ""
    """Mean F1 in percent, group / meta; see ScoreReader."""
    alive: tuple[str, ...] = ()
    """Names of the runs with a job."""
    error: str = ""
    """Reason why the project cannot be read."""
    model: str = ""


class SummaryReader:
    """Reads the summary of one project repeatedly; each time only what was added to its log."""

    def __init__(self, project: Project):
        self.project = project
        self.last = ProjectSummary(project)
        self._seen: tuple[str, int, str, str] = ("", -1, "", "")
        self._scores = ScoreReader()
        self._config: tuple[int, Config] | None = None
        """Modification time of project.toml, and its content."""
        self._runs = RunList(project.root)
        self._folder: RunFolder | None = None
        self._state = RunState()
        self._tail: LogTail | None = None

    def read(self) -> ProjectSummary:
        """Returns the current summary."""
        try:
            config = self._settings()
        except AutoActError as error:
            return ProjectSummary(self.project, error=str(error))
        self._runs.refresh()
        first = leading_run(self._runs.runs)
        if first is None:
            return ProjectSummary(self.project, config.task.name, model=config.model.id)
        if first.folder != self._folder:
            self._begin(first.folder)
        alive = tuple(run.folder.name for run in self._runs.runs if run.alive)
        found = self._read(first, config.task.name)
        return replace(found, model=config.model.id, alive=alive, scores=self._scores.read(self._runs.runs))

    def _settings(self) -> Config:
        """Returns the project's settings, read again only if the file has changed. Raises AutoActError."""
        file = self.project.root / "project.toml"
        try:
            written = file.stat().st_mtime_ns
        except OSError:
            written = 0  # reading it raises the error
        if self._config is None or self._config[0] != written:
            self._config = written, self.project.config()
        return self._config[1]

    def close(self) -> None:
        if self._tail is not None:
            self._tail.close()
            self._tail = None

    def _begin(self, folder: RunFolder) -> None:
        self.close()
        self._folder, self._state, self._tail = folder, RunState(), LogTail(folder.events)

    def _read(self, run: RunLine, task: str) -> ProjectSummary:
        """Reads the log of the leading run. The state of a run without a job is dropped afterwards, to save memory."""
        folder = run.folder
        seen = folder.name, disk.file_size(folder.events), task, run.verdict
        if self._tail is None and self._seen == seen:
            return self.last
        if self._tail is None:
            self._begin(folder)
        assert self._tail is not None
        self._state.follow(self._tail)
        verdict = run_verdict(folder, self._state)
        self.last = ProjectSummary(self.project, task, folder.name, stage_of(self._state), verdict)
        if verdict not in ALIVE:
            self.close()
            self._scores.add(folder, seen[1], self._state)
            self._state, self._seen = RunState(), seen
        return self.last
