"""The summary of a project for the project list: its task, its last run and its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from autoact.errors import AutoActError
from autoact.events import QuestionSolved
from autoact.files import disk
from autoact.project.config import Config
from autoact.project.project import Project
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogTail
from autoact.run.record.state import RunState
from studio.runs.progress import stage_of
from studio.runs.run_list import ALIVE, RunLine, RunList, leading_run, run_verdict


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
    """Mean F1 in percent, group / meta, of the newest run with scores."""
    jobs: int = 0
    """Number of runs with a job."""
    error: str = ""
    """Reason why the project cannot be read."""
    model: str = ""


class SummaryReader:
    """Reads the summary of one project repeatedly; each time only what was added to its log."""

    def __init__(self, project: Project):
        self.project = project
        self.last = ProjectSummary(project)
        self._seen: tuple[str, int, str, str] = ("", -1, "", "")
        self._scores: dict[str, tuple[int, str]] = {}
        """By run: size of its log in bytes, and its scores."""
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
        jobs = sum(run.alive for run in self._runs.runs)
        found = self._read(first, config.task.name)
        scores = found.scores or self._earlier_scores(first.folder)
        return replace(found, model=config.model.id, jobs=jobs, scores=scores)

    def _earlier_scores(self, shown: RunFolder) -> str:
        """Returns the scores of the newest other run that has some; each log is read once."""
        for run in self._runs.runs:
            if run.folder == shown or run.alive:
                continue
            size = disk.file_size(run.folder.events)
            known = self._scores.get(run.folder.name)
            if known is None or known[0] != size:
                known = self._scores[run.folder.name] = size, describe_scores(RunState.of(run.folder.events).solved)
            if known[1]:
                return known[1]
        return ""

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
        stage, scores = stage_of(self._state), describe_scores(self._state.solved)
        self.last = ProjectSummary(self.project, task, folder.name, stage, verdict, scores)
        if verdict not in ALIVE:
            self.close()
            self._state, self._seen = RunState(), seen
        return self.last


def describe_scores(solved: Sequence[QuestionSolved]) -> str:
    """Returns the mean F1 of the scored answers in percent, group / meta; empty when no answer was scored."""
    scored = [one for one in solved if one.scored]
    if not scored:
        return ""
    by_cast = ([100 * one.f1 for one in scored if one.cast == cast] for cast in ("group", "meta"))
    return " / ".join(f"{fmean(values):.1f}" if values else "-" for values in by_cast)
