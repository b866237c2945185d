"""What a person named on the command line: a run, a project, or a folder of projects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autoact.errors import BadInput
from autoact.run.record.folder import RunFolder, latest


def _home() -> Path:
    from autoact.project.project import projects_folder  # reads settings too: not before the first picture

    return projects_folder()


@dataclass(frozen=True, slots=True)
class Target:
    """Where to look."""

    folder: Path
    """Of projects."""
    project: Path | None = None
    run: str = ""
    """Empty for the newest."""


def find(named: str | None) -> Target:
    """What `named` means: a path, or the name of a project at home. Raises BadInput."""
    if named is None:
        return Target(_home())
    path = Path(named).expanduser()
    path = (path if path.exists() else _home() / named).resolve()
    if (path / "run.toml").is_file():
        project = path.parent.parent
        return Target(project.parent, project, path.name)
    if (path / "project.toml").is_file():
        return Target(path.parent, path)
    if not path.is_dir():
        raise BadInput("nothing here: expected a project, a run, or a folder of projects", file=named)
    return Target(path)


def run_of(named: str) -> RunFolder:
    """The run that `named` means; a project stands for its newest. Raises BadInput."""
    target = find(named)
    if target.project is None:
        raise BadInput("expected a run or a project", file=named)
    return RunFolder(target.project / "runs" / target.run) if target.run else latest(target.project)
