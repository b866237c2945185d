"""The memory of the studio between two starts: the project it was left in, and of each project what was shown."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from autoact.files.state_file import change_state, read_state
from studio.terminal import user_files

MOST = 200
"""Projects that are remembered."""


class PaneMemory(Struct, frozen=True, omit_defaults=True):
    """The view of a pane."""

    rows: dict[str, str] = {}
    """The key of the row under the cursor, by the table's id."""
    filters: dict[str, str] = {}
    """The text of each filter that was open, by the line's id."""
    order: str = ""
    """The order of its list; empty for the usual one."""
    methods: tuple[str, ...] = ()
    """The methods that a person chose to answer questions; none for the usual choice."""


class ProjectMemory(Struct, frozen=True, omit_defaults=True):
    """The view of a project."""

    pane: str = ""
    """The title of the pane."""
    run: str = ""
    """The name of the followed run."""
    chosen: bool = False
    """Whether that is a run of the person's choice, not the one that leads."""
    panes: dict[str, PaneMemory] = {}
    """By title."""


class ViewMemory(Struct, frozen=True, omit_defaults=True):
    """The content of the file."""

    last: str = ""
    """The root of the project in which the studio was left; empty for the list of projects."""
    projects: dict[str, ProjectMemory] = {}
    """By root, the one seen last at the end."""


def memory_file() -> Path:
    """Returns the path of the file, in the user's state folder."""
    return user_files.state_folder() / "views.json"


def read_memory() -> tuple[ViewMemory, str]:
    """Returns what is remembered, and a line about the file if it is damaged."""
    return read_state(memory_file(), ViewMemory())


def save_view(root: Path, view: ProjectMemory, *, here: bool = True) -> str:
    """Remembers what is shown of a project, and with `here` that the studio is in it, not the copy of one of another
    machine; returns a line if that failed."""
    path = str(root)

    def change(memory: ViewMemory) -> ViewMemory:
        others = [(name, one) for name, one in memory.projects.items() if name != path]
        return ViewMemory(path if here else memory.last, dict([*others, (path, view)][-MOST:]))

    return change_state(memory_file(), ViewMemory(), change)


def save_left() -> str:
    """Remembers that the studio shows the list of projects; returns a line if that failed."""
    return change_state(memory_file(), ViewMemory(), lambda memory: replace(memory, last=""))
