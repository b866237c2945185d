"""Duplicates, renames, archives, restores and deletes project folders. One with a live job is only duplicated."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from autoact.errors import BadInput, RunBusy
from autoact.files import disk
from autoact.project.project import Project, list_projects
from autoact.run.process.health import check_elsewhere, is_active
from autoact.run.process.lock import is_held
from autoact.run.record.folder import RunFolder, list_runs
from autoact.security import trust

ARCHIVE = "archive"
"""Name of the folder beside the projects that archived ones move into."""


def duplicate(root: Path, name: str) -> Project:
    """Copies a project to another name beside it, without its runs.

    Raises BadInput when the name is taken, even by a folder that appears meanwhile, and DiskFull. Both leave no copy.
    """
    target = _free_name(root.parent, name)
    try:
        with disk.new_folder(target) as part:
            shutil.copytree(root, part, dirs_exist_ok=True, symlinks=True, ignore=lambda at, _: _left_out(root, at))
            (part / "runs").mkdir()
    except FileExistsError as error:
        raise _name_taken(target) from error
    if trust.is_trusted(root):
        trust.mark_trusted(target)
    return Project.open(target)


def rename(root: Path, name: str) -> Project:
    """Gives a project another name. Raises BadInput, and RunBusy while one of its runs has a live job."""
    return _move(root, _free_name(root.parent, name))


def archive(root: Path) -> Path:
    """Moves a project into the archive folder beside it; returns its new path. Raises BadInput and RunBusy."""
    folder = root.parent / ARCHIVE
    names = (root.name, *(f"{root.name}-{number}" for number in range(2, 10_000)))
    folder.mkdir(exist_ok=True)
    return _move(root, _free_name(folder, next(name for name in names if not (folder / name).exists()))).root


def archived(folder: Path) -> list[Project]:
    """Returns the projects in the archive of a folder of projects, by name."""
    return list_projects(folder / ARCHIVE)


def restore(root: Path) -> Project:
    """Moves an archived project back beside the archive folder. Raises BadInput when its name is taken."""
    return _move(root, _free_name(root.parent.parent, root.name))


def delete(root: Path) -> None:
    """Deletes a project with its runs. Raises BadInput and RunBusy.

    It first gets a hidden name, so that nobody finds half a project if the deletion is cut short.
    """
    hidden = root.with_name(f".{root.name}.{secrets.token_hex(4)}.deleted")
    if root.is_symlink():
        raise BadInput("is a link; remove it, or the folder that it leads to", file=root)
    _check_idle(root)
    try:
        disk.rename(root, hidden)
        shutil.rmtree(hidden)
    except OSError as error:
        left = hidden if hidden.exists() else root
        raise BadInput(f"cannot be deleted: {error.strerror}; what is left is in {left}", file=root) from error


def _move(root: Path, target: Path) -> Project:
    _check_idle(root)
    try:
        disk.rename(root, target)
    except FileExistsError as error:
        raise _name_taken(target) from error
    except OSError as error:
        raise BadInput(f"cannot be moved to {target}: {error.strerror}", file=root) from error
    disk.sync_folder(target.parent)
    return Project.open(target)


def _check_idle(root: Path) -> None:
    """Raises RunBusy when a run of the project may have a job, or one of its experiments is being played."""
    for folder in list_runs(root):
        if is_active(folder):
            raise RunBusy(f"run {folder.name} of {root.name} has a live job; cancel it, or wait for its end")
        check_elsewhere(folder)
    for path in root.glob("experiments/*/"):
        if is_held(RunFolder(path)):
            raise RunBusy(f"experiment {path.name} of {root.name} is being played; stop it, or wait for its end")


def _free_name(folder: Path, name: str) -> Path:
    if not name or name.startswith(".") or Path(name).name != name:
        raise BadInput(f"expected a name for a folder, found `{name}`")
    if (folder / name).exists():
        raise _name_taken(folder / name)
    return folder / name


def _name_taken(target: Path) -> BadInput:
    return BadInput("already exists; choose another name", file=target)


def _left_out(root: Path, at: str) -> list[str]:
    """Returns the names in the folder `at` that are not copied."""
    return ["runs", ".autoact"] if Path(at) == root else []
