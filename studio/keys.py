"""Every action once: its key, its words for footer and help, and the command that does the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType
from textual.dom import DOMNode

Place = Literal["everywhere", "list", "projects", "project", "runs", "run", "table", "transcript", "plot"]


@dataclass(frozen=True, slots=True)
class Action:
    """What a key does in a place. The place has a method `action_<name>`."""

    key: str
    """As it stands on the keyboard."""
    name: str
    footer: str
    """Empty for keys that go without saying."""
    help: str
    verb: str
    """The same from a shell; empty for what only moves about the screen."""
    place: Place

    @property
    def id(self) -> str:
        """What keys.toml and Textual know it by."""
        return f"{self.place}.{self.name}"


ACTIONS = (
    Action("enter", "open", "open", "open the project under the cursor", "studio PROJECT", "projects"),
    Action("/", "filter", "filter", "show only projects with these letters; esc shows all", "", "projects"),
    Action("n", "new", "new starter", "make the starter project and open it", "autoact new my-project", "projects"),
    Action("1", "task", "", "the task: its words and examples", "autoact check", "project"),
    Action("2", "tools", "", "the tools: the library and the choice for this task", "autoact tools", "project"),
    Action("3", "trajectories", "", "the trajectories, finished and as they are written", "autoact log", "project"),
    Action("4", "training", "", "the training of the three sub-agents", "autoact attach", "project"),
    Action("5", "group", "", "the group: ask, and step through its turns", "autoact ask", "project"),
    Action("6", "lab", "", "the lab: evaluate and compare", "autoact eval", "project"),
    Action("7", "runs", "", "the runs: every run of the project", "autoact runs", "project"),
    Action("[", "previous_pane", "", "the pane to the left", "", "project"),
    Action("]", "next_pane", "panes", "the pane to the right", "", "project"),
    Action("+", "zoom", "", "the pane alone, or with its surroundings again", "", "project"),
    Action("esc", "back", "projects", "back to the projects; runs go on", "studio", "project"),
    Action("r", "start", "start a run", "start a quick run, or go on with a dead one", "autoact run", "run"),
    Action("[", "newer", "newer", "show the next newer run", "studio RUN", "run"),
    Action("]", "older", "older", "show the next older run", "studio RUN", "run"),
    Action("esc", "back", "projects", "back to the projects; runs go on", "studio", "run"),
    Action("w", "watch", "watch", "watch the run under the cursor by itself", "studio RUN", "runs"),
    Action("t", "theme", "", "the next colour theme", "", "everywhere"),
    Action(":", "command_palette", "", "find any of these by a few letters; ctrl+p too", "", "everywhere"),
    Action("ctrl+l", "repaint", "", "draw the whole screen again", "", "everywhere"),
    Action("?", "help", "help", "this page", "studio --help", "everywhere"),
    Action("q", "leave", "leave", "leave the studio; runs go on", "", "everywhere"),
    Action("j", "cursor_down", "", "down", "", "list"),
    Action("k", "cursor_up", "", "up", "", "list"),
    Action("g", "first", "", "to the top", "", "list"),
    Action("G", "last", "", "to the end; what is still being written is followed", "", "list"),
    Action("enter", "open_row", "", "open the row under the cursor", "", "table"),
    Action("o", "unfold", "", "show the whole of a folded passage, or fold it again", "", "transcript"),
    Action("l", "logarithm", "log", "logarithmic scale, or linear again", "", "plot"),
    Action("m", "smooth", "smooth", "smooth the curves more; after the most, not at all", "", "plot"),
    Action("v", "overlay", "earlier", "show or hide the curves of earlier runs", "", "plot"),
    Action("left", "earlier", "", "the step to the left, and its values", "", "plot"),
    Action("right", "later", "", "the step to the right", "", "plot"),
)

_NAMES = {
    "esc": "escape", "/": "slash", "\\": "backslash", "@": "at", "-": "minus", "+": "plus", "_": "underscore",
}  # fmt: skip
"""Textual's names where they are not those of Unicode."""


def actions(*places: Place, table: Sequence[Action] = ACTIONS) -> list[Action]:
    """The actions of these places, in the table's order."""
    return [action for action in table if action.place in places]


def of_app(app: object) -> Sequence[Action]:
    """The table with the keys that the person at this app chose."""
    found = getattr(app, "actions", None)
    return found if isinstance(found, tuple) else ACTIONS


def bindings(place: Place) -> list[BindingType]:
    """A place's keys as Textual takes them; their ids are what a keymap names."""
    return [Binding(named(action.key), action.name, action.help, id=action.id) for action in actions(place)]


def named(key: str) -> str:
    """A key as Textual calls it: `/` is slash."""
    if len(key) == 1 and not key.isalnum():
        return _NAMES.get(key) or unicodedata.name(key).lower().replace(" ", "_").replace("-", "_")
    return _NAMES.get(key, key)


def places(focused: DOMNode) -> list[Place]:
    """Where keys come from at the moment: the focused widget and all that it lies in, innermost first."""
    found = [place for node in focused.ancestors_with_self for place in getattr(node, "PLACES", ())]
    return list(dict.fromkeys(found))


def footer(*places: Place, table: Sequence[Action] = ACTIONS) -> list[tuple[str, str]]:
    """Key and word for each action worth a place in the footer of a screen."""
    return [(action.key, action.footer) for action in actions(*places, "everywhere", table=table) if action.footer]
