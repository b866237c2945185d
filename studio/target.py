"""The target named on the command line: a run, a project, or a folder of projects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autoact.errors import BadInput
from autoact.project.recent import find_root
from autoact.run.process.leading import find_leading_run
from autoact.run.record.folder import RunFolder


def _home() -> Path:
    from autoact.project.project import projects_folder  # slow to import, so only when it is needed

    return projects_folder()


@dataclass(frozen=True, slots=True)
class Target:
    """A folder of projects, and the project and run in it to open, if any."""

    folder: Path
    """The folder of projects."""
    project: Path | None = None
    run: str = ""
    """Name of the run; empty for the leading one."""
    resume: bool = False
    """Whether to show what was shown last, as nothing was named."""


def find(named: str | None) -> Target:
    """Finds a target by its path, or a project by its name. Raises BadInput."""
    if named is None:
        return Target(_home(), resume=True)
    path = find_root(named, _home())
    path = (path if path.exists() else _home() / named).resolve()
    if (path / "run.toml").is_file():
        project = path.parent.parent
        return Target(project.parent, project, path.name)
    if (path / "project.toml").is_file():
        return Target(path.parent, path)
    if not path.is_dir():
        raise BadInput("nothing found: expected a project, a run, or a folder of projects", file=named)
    return Target(path)


def run_of(named: str) -> RunFolder:
    """Finds a run by its path; a project stands for its leading run. Raises BadInput."""
    target = find(named)
    if target.project is None:
        raise BadInput("expected a run or a project", file=named)
    return RunFolder(target.project / "runs" / target.run) if target.run else find_leading_run(target.project).folder
