"""The seven panes of the project screen.

Each pane is a widget in the file of its name, imported when it is first shown; `rows` has the rows of their
tables, `forms` their dialogs.
A pane gets a `ProjectView`, the part of the project screen that it may use, and reads `studio.runs`, `episodes` and
`files`. Only the project screen and its `run_control` import panes. Begin with `pane`, then `training`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.panes.pane import Pane


@dataclass(frozen=True, slots=True)
class Slot:
    """A pane's title on the tab line and the function that imports its class."""

    title: str
    load: Callable[[], type[Pane]]


def _pane(module: str, name: str) -> Callable[[], type[Pane]]:
    def load() -> type[Pane]:
        found: type[Pane] = getattr(import_module(f"studio.panes.{module}"), name)
        return found

    return load


SLOTS = (
    Slot("Task", _pane("task", "TaskPane")),
    Slot("Tools", _pane("tools", "ToolsPane")),
    Slot("Trajectories", _pane("trajectories", "TrajectoriesPane")),
    Slot("Training", _pane("training", "TrainingPane")),
    Slot("Group", _pane("group", "GroupPane")),
    Slot("Lab", _pane("lab", "LabPane")),
    Slot("Runs", _pane("runs", "RunsPane")),
)
