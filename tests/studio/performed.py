"""What a test says it does, by `@pytest.mark.does("group.fork")`, it must do: the action, by its key."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from studio.actions import action_table
from studio.app import StudioApp
from studio.panes.group import GroupPane
from studio.panes.lab import LabPane
from studio.panes.runs import RunsPane
from studio.panes.task import TaskPane
from studio.panes.tools import ToolsPane
from studio.panes.training import TrainingPane
from studio.panes.trajectories import TrajectoriesPane
from studio.screens.confirm import Confirm
from studio.screens.difference import DifferenceScreen
from studio.screens.form import Form
from studio.screens.help import HelpPage
from studio.screens.lessons import LessonsScreen
from studio.screens.pick import Pick
from studio.screens.project import ProjectScreen
from studio.screens.projects import ProjectsScreen
from studio.screens.prompt import PromptScreen
from studio.screens.rating import RatingScreen
from studio.screens.settings import SettingsForm
from studio.widgets.charts.plot import Plot
from studio.widgets.choice import Choice
from studio.widgets.input_line import InputLine
from studio.widgets.lists.cursor_list import CursorList
from studio.widgets.lists.menu import Menu
from studio.widgets.lists.table import Table
from studio.widgets.transcripts.transcript import Transcript

CONTEXTS: dict[str, tuple[type, ...]] = {
    "everywhere": (StudioApp,),
    "list": (Menu, CursorList),
    "projects": (ProjectsScreen,),
    "project": (ProjectScreen,),
    "trajectories": (TrajectoriesPane,),
    "runs": (RunsPane,),
    "table": (Table,),
    "transcript": (Transcript,),
    "search": (Transcript, HelpPage),
    "plot": (Plot,),
    "task": (TaskPane,),
    "tools": (ToolsPane,),
    "form": (Form,),
    "choice": (Choice,),
    "confirm": (Confirm,),
    "settings": (SettingsForm,),
    "pick": (Pick,),
    "line": (InputLine,),
    "training": (TrainingPane,),
    "lessons": (LessonsScreen,),
    "prompt": (PromptScreen,),
    "difference": (DifferenceScreen,),
    "group": (GroupPane,),
    "lab": (LabPane,),
    "rating": (RatingScreen,),
}
"""The classes with the methods of a context's actions."""


@contextmanager
def performed(said: Collection[str], patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails unless each of these actions was carried out in the meantime, and its key pressed."""
    done, pressed = set[str](), set[str]()
    press = Pilot.press
    meant = [action for action in action_table.ACTIONS if action.id in said]
    assert len(meant) == len(set(said)), f"no such action among {said}"

    async def noted_press(pilot: Pilot[Any], *names: str) -> None:
        pressed.update(names)
        await press(pilot, *names)

    patch.setattr(Pilot, "press", noted_press)
    for action in meant:
        for kind in CONTEXTS[action.context]:
            name = f"action_{action.name}"
            patch.setattr(kind, name, _noted(getattr(kind, name), action.id, done))
    yield
    for action in meant:
        assert action.id in done, f"{action.id} was not carried out"
        assert {action.key, action_table.textual_key(action.key)} & pressed, f"the key of {action.id} was not pressed"


def _noted(method: Any, name: str, done: set[str]) -> Any:
    def noted(*given: Any) -> Any:
        done.add(name)
        return method(*given)

    return noted


def said_in(folder: Path) -> set[str]:
    """The actions that the tests in a folder say they do."""
    trees = (ast.parse(file.read_text("utf-8")) for file in folder.rglob("test_*.py"))
    calls = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    marks = (call for call in calls if ast.unparse(call.func) == "pytest.mark.does")
    return {ast.literal_eval(argument) for mark in marks for argument in mark.args}
