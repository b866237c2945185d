"""The person's recent projects, wherever they are, and the project that a name on a command line means."""

from __future__ import annotations

import time
from pathlib import Path

import platformdirs
from msgspec import Struct

from autoact.errors import BadInput
from autoact.files import disk
from autoact.files.state_file import change_state, read_state

MOST = 200
"""Projects that are remembered; the one used longest ago is forgotten first."""


class RecentProject(Struct, frozen=True):
    """A project that was made or opened."""

    root: str
    at: float
    """Unix seconds of the last time."""


class RecentProjects(Struct, frozen=True):
    """The content of the file, the latest project first."""

    projects: tuple[RecentProject, ...] = ()


def recent_file() -> Path:
    """Returns the path of the list, in the user's state folder."""
    return platformdirs.user_state_path("autoact") / "projects.json"


def remember_project(root: Path) -> str:
    """Puts a project first in the list; returns a line about the list if it could not be read or written."""
    path = str(root.resolve())

    def change(recent: RecentProjects) -> RecentProjects:
        others = tuple(one for one in recent.projects if one.root != path)
        return RecentProjects((RecentProject(path, time.time()), *others)[:MOST])

    return change_state(recent_file(), RecentProjects(), change)


def recent_projects() -> list[Path]:
    """Returns the roots of the recent projects that still exist, the latest first."""
    recent, _ = read_state(recent_file(), RecentProjects())
    return [Path(one.root) for one in recent.projects if (Path(one.root) / "project.toml").is_file()]


def find_shadowed(named: str, projects: Path) -> Path | None:
    """Returns the project in the folder `projects` in place of which `find_root` takes another folder of this name."""
    path, project = Path(named), projects / named
    if path.name != named or not path.exists() or not (project / "project.toml").is_file() or path.samefile(project):
        return None
    return project


def find_root(named: str | Path, projects: Path) -> Path:
    """Returns the folder that a path or a project's name means; a path that exists is taken first.

    A name is looked up in the folder `projects`, then among the recent projects. What is not found is returned as a
    path. Raises BadInput when a name means several projects.
    """
    path = disk.expand_user(named)
    if path.exists() or str(named) in ("", ".", "..") or path.name != str(named):
        return path
    if (projects / path.name / "project.toml").is_file():
        return projects / path.name
    found = [root for root in recent_projects() if root.name == path.name]
    if len(found) > 1:
        raise BadInput(f"`{named}` could be any of {', '.join(map(str, found))}; name its folder")
    return found[0] if found else path
