"""Every action once: its key, its words for footer and help, and the command that does the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType
from textual.dom import DOMNode

Place = Literal["everywhere", "list", "projects", "run", "table", "transcript", "plot"]


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


ACTIONS = (
    Action("enter", "open", "open", "open the project under the cursor", "studio PROJECT", "projects"),
    Action("/", "filter", "filter", "show only projects with these letters; esc shows all", "", "projects"),
    Action("n", "new", "new starter", "make the starter project and open it", "autoact new my-project", "projects"),
    Action("r", "start", "start a run", "start a quick run, or go on with a dead one", "autoact run", "run"),
    Action("[", "newer", "newer", "show the next newer run", "studio RUN", "run"),
    Action("]", "older", "older", "show the next older run", "studio RUN", "run"),
    Action("esc", "back", "projects", "back to the projects; runs go on", "studio", "run"),
    Action("t", "theme", "", "the next colour theme", "", "everywhere"),
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
    "/": "slash",
    "?": "question_mark",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    "esc": "escape",
}


def actions(*places: Place) -> list[Action]:
    """The actions of these places, in the table's order."""
    return [action for action in ACTIONS if action.place in places]


def bindings(place: Place) -> list[BindingType]:
    """A place's keys as Textual takes them."""
    return [Binding(_NAMES.get(action.key, action.key), action.name, action.help) for action in actions(place)]


def places(focused: DOMNode) -> list[Place]:
    """Where keys come from at the moment: the focused widget and all that it lies in, innermost first."""
    found = [place for node in focused.ancestors_with_self for place in getattr(node, "PLACES", ())]
    return list(dict.fromkeys(found))


def footer(place: Place) -> list[tuple[str, str]]:
    """Key and word for each action worth a place in the footer of a screen."""
    return [(action.key, action.footer) for action in actions(place, "everywhere") if action.footer]
