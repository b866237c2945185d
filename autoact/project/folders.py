"""Projects as folders: a copy to try something else on, another name, out of sight. Never while a job is at work."""

from __future__ import annotations

import shutil
from pathlib import Path

from autoact.errors import BadInput, RunBusy
from autoact.files import disk
from autoact.project.project import Project
from autoact.run.process.health import attended
from autoact.run.record.folder import runs_of
from autoact.security import trust

ARCHIVE = "archive"
"""The folder beside the projects that archived ones move into."""


def duplicate(root: Path, name: str) -> Project:
    """Copies a project to another name beside it, without its runs.

    Raises BadInput when the name is taken, also by what appears meanwhile, and DiskFull with nothing made.
    """
    target = _free(root.parent, name)
    try:
        with disk.new_folder(target) as part:
            shutil.copytree(root, part, dirs_exist_ok=True, symlinks=True, ignore=lambda at, _: _left_out(root, at))
            (part / "runs").mkdir()
    except FileExistsError as error:
        raise _taken(target) from error
    if trust.is_trusted(root):
        trust.enter(target)
    return Project.open(target)


def rename(root: Path, name: str) -> Project:
    """Give a project another name. Raises BadInput, and RunBusy while a run is at work."""
    return _moved(root, _free(root.parent, name))


def archive(root: Path) -> Path:
    """Move a project into the archive beside it; where it is now. Raises BadInput, and RunBusy."""
    folder = root.parent / ARCHIVE
    names = (root.name, *(f"{root.name}-{number}" for number in range(2, 10_000)))
    folder.mkdir(exist_ok=True)
    return _moved(root, _free(folder, next(name for name in names if not (folder / name).exists()))).root


def _moved(root: Path, target: Path) -> Project:
    busy = [folder.name for folder in runs_of(root) if attended(folder)]
    if busy:
        raise RunBusy(f"{busy[0]} is at work in {root.name}; cancel it, or wait for its end")
    try:
        disk.rename(root, target)
    except FileExistsError as error:
        raise _taken(target) from error
    except OSError as error:
        raise BadInput(f"cannot be moved to {target}: {error.strerror}", file=root) from error
    disk.sync_folder(target.parent)
    return Project.open(target)


def _free(folder: Path, name: str) -> Path:
    if not name or name.startswith(".") or Path(name).name != name:
        raise BadInput(f"expected a name for a folder, found `{name}`")
    if (folder / name).exists():
        raise _taken(folder / name)
    return folder / name


def _taken(target: Path) -> BadInput:
    return BadInput("already exists; choose another name", file=target)


def _left_out(root: Path, at: str) -> list[str]:
    """The names in the folder `at` that a copy does not get."""
    return ["runs", ".autoact"] if Path(at) == root else []
