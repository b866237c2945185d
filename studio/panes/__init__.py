"""The panes of a project, in the order of their number keys; each is imported when it is first shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.panes.pane import Pane


@dataclass(frozen=True, slots=True)
class Slot:
    """A place on the tab line."""

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
