"""Every action once: its key, its words for footer and help, and the command that does the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType
from textual.dom import DOMNode

Place = Literal[
    "everywhere", "list", "projects", "project", "task", "tools", "trajectories", "runs", "run",
    "table", "transcript", "plot",
    "form", "choice", "confirm", "line", "training", "lessons", "group", "lab",
]  # fmt: skip


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
    Action("n", "new", "new", "make a project from a template and open it", "autoact new --template", "projects"),
    Action("o", "open_folder", "", "open a project's folder anywhere", "studio PROJECT", "projects"),
    Action("d", "duplicate", "", "copy the project, without its runs", "autoact duplicate", "projects"),
    Action("r", "rename", "", "give the project another name", "autoact rename", "projects"),
    Action("x", "archive", "", "move the project out of sight (asks)", "autoact shelve", "projects"),
    Action("w", "words", "", "change the name, description and answer form", "edit PROJECT/project.toml", "task"),
    Action("a", "add", "add", "add an example", "edit PROJECT/examples.jsonl", "task"),
    Action("e", "edit", "edit", "edit the example, or take a changed question", "edit PROJECT/examples.jsonl", "task"),
    Action("x", "delete", "", "delete the example (asks), or drop the question", "", "task"),
    Action("p", "paste", "", "paste several examples", "edit PROJECT/examples.jsonl", "task"),
    Action("m", "take_file", "", "take in a JSON, JSONL or CSV file", "edit PROJECT/examples.jsonl", "task"),
    Action("D", "drop_duplicates", "", "drop examples that are there twice (asks)", "", "task"),
    Action("u", "undo", "", "take the last change of the examples back", "", "task"),
    Action("i", "instruct", "instruct", "self-instruct: N more questions", "autoact run --only self_instruct", "task"),
    Action("space", "accept", "", "take the self-made question into the examples", "", "task"),
    Action("space", "switch", "on/off", "switch the tool on or off", "autoact tools enable | disable", "tools"),
    Action("J", "later", "", "the tool one place down in the order", "autoact tools order", "tools"),
    Action("K", "sooner", "", "the tool one place up in the order", "autoact tools order", "tools"),
    Action("u", "undo", "", "take the last change of tools.toml back", "", "tools"),
    Action("s", "select", "select", "have the meta-agent choose for this task", "autoact tools select", "tools"),
    Action("c", "try_it", "try", "call the tool by hand and see the observation", "autoact tools try", "tools"),
    Action("a", "add", "", "bring a tool: Python, langchain, MCP, HTTP", "autoact tools add | connect", "tools"),
    Action("x", "test", "", "run the tool's own checks", "autoact tools test", "tools"),
    Action("p", "allow", "", "let the tool send a secret to its host (asks)", "autoact secrets allow", "tools"),
    Action("/", "filter", "", "show only tools with these letters", "autoact tools list", "tools"),
    Action("space", "hold", "pause", "pause the training, or let it go on", "autoact pause | resume", "training"),
    Action("F", "finish", "finish", "end the training now and keep the adapter (asks)", "autoact finish", "training"),
    Action("r", "train", "train", "train on what this run kept", "autoact run --from differentiation", "training"),
    Action("S", "settings", "settings", "rank, rate and more, next time", "edit PROJECT/project.toml", "training"),
    Action("o", "examples", "examples", "what this agent learns from, word by word", "", "training"),
    Action("n", "next_agent", "next", "the next of plan, tool and reflect", "", "training"),
    Action("esc", "close", "close", "back to the training", "", "lessons"),
    Action("a", "ask", "ask", "ask the group a question", "autoact ask --session", "group"),
    Action("c", "cast", "cast", "who answers: the group, the meta-agent, or both", "autoact ask --cast", "group"),
    Action("space", "hold", "pause", "pause the session, or let it go on", "autoact pause | resume", "group"),
    Action("s", "step", "step", "let one more answer through, hold the next", "autoact step", "group"),
    Action("e", "edit", "edit", "say something else at this turn, or at the last", "autoact edit", "group"),
    Action("f", "fork", "fork", "go on from this turn, or from the last, once more", "autoact fork", "group"),
    Action("p", "replay", "replay", "play the question again, as it was answered", "", "group"),
    Action("<", "slower", "", "half the speed of the replay", "", "group"),
    Action(">", "faster", "", "twice the speed of the replay", "", "group"),
    Action("E", "export", "export", "the question with all its turns as a JSON file", "autoact ask --json", "group"),
    Action("esc", "up", "", "back to the questions, then to the projects", "studio", "group"),
    Action("e", "evaluate", "evaluate", "casts on a data set or the held-out questions", "autoact eval", "lab"),
    Action("w", "wrong", "wrong", "wrong answers, and what lies behind each", "autoact stats", "lab"),
    Action("esc", "up", "", "back to the scores, then to the projects", "studio", "lab"),
    Action("r", "start", "start a run", "start a quick run, or go on with a dead one", "autoact run", "run"),
    Action("[", "newer", "newer", "show the next newer run", "studio RUN", "run"),
    Action("]", "older", "older", "show the next older run", "studio RUN", "run"),
    Action("esc", "back", "projects", "back to the projects; runs go on", "studio", "run"),
    Action(
        "space", "hold", "pause", "pause or resume the episode, else the run", "autoact pause | resume", "trajectories"
    ),
    Action("p", "hold_run", "", "pause or resume the whole run", "autoact pause | resume", "trajectories"),
    Action("s", "step", "step", "let one more answer of a held episode through", "autoact step", "trajectories"),
    Action("e", "edit", "edit", "edit the last answer, or the one under the cursor", "autoact edit", "trajectories"),
    Action("f", "fork", "fork", "fork at the last answer or at the cursor", "autoact fork", "trajectories"),
    Action("r", "retry", "retry", "ask again from the start or the cursor", "autoact retry", "trajectories"),
    Action("K", "keep", "keep", "learn from it, whatever the filter says", "autoact keep", "trajectories"),
    Action("x", "drop", "drop", "do not learn from it", "autoact drop", "trajectories"),
    Action("m", "mark", "", "mark one to compare with another", "", "trajectories"),
    Action("c", "compare", "compare", "the marked one beside the chosen one", "", "trajectories"),
    Action("L", "lanes", "lanes", "all that is in flight side by side, or the list again", "", "trajectories"),
    Action("S", "sort", "sort", "by reward, steps, state, question, or as they came", "", "trajectories"),
    Action("/", "filter", "filter", "words, state:kept, tool:NAME; esc shows all", "autoact log", "trajectories"),
    Action("E", "export", "export", "write it as JSON into exports, and copy it", "autoact log --json", "trajectories"),
    Action("esc", "up", "", "back to the list, then to the projects", "studio", "trajectories"),
    Action("w", "watch", "watch", "watch the run under the cursor by itself", "autoact attach", "runs"),
    Action("n", "new", "new run", "start a run: preset and stages", "autoact run", "runs"),
    Action("r", "resume", "resume", "let a dead run go on", "autoact resume", "runs"),
    Action("c", "cancel", "cancel", "stop the run so that it can go on later (asks)", "autoact cancel", "runs"),
    Action("l", "log", "log", "what happened in the run, event by event", "autoact log", "runs"),
    Action("d", "differences", "differences", "settings that differ from the followed run's", "autoact stats", "runs"),
    Action("X", "delete", "delete", "remove the run and all it made (asks)", "autoact delete", "runs"),
    Action("esc", "up", "", "close what was opened, then back to the projects", "studio", "runs"),
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
    Action("t", "theme", "", "the next colour theme", "", "everywhere"),
    Action(":", "command_palette", "", "find any of these by a few letters; ctrl+p too", "", "everywhere"),
    Action("ctrl+l", "repaint", "", "draw the whole screen again", "", "everywhere"),
    Action("?", "help", "help", "this page", "studio --help", "everywhere"),
    Action("q", "leave", "leave", "leave the studio; runs go on", "", "everywhere"),
    Action("j", "cursor_down", "", "down", "", "list"),
    Action("k", "cursor_up", "", "up", "", "list"),
    Action("g", "first", "", "to the top", "", "list"),
    Action("y", "copy", "", "copy what is under the cursor", "", "list"),
    Action("G", "last", "", "to the end; what is still being written is followed", "", "list"),
    Action("enter", "open_row", "", "open the row under the cursor", "", "table"),
    Action("o", "unfold", "", "show the whole of a folded passage, or fold it again", "", "transcript"),
    Action("ctrl+o", "save", "take it", "take what was typed; enter on a line does too", "", "form"),
    Action("esc", "cancel", "leave it", "leave everything as it was", "", "form"),
    Action("left", "previous_word", "", "the word to the left", "", "choice"),
    Action("right", "next_word", "", "the word to the right", "", "choice"),
    Action("y", "yes", "", "yes, do it", "", "confirm"),
    Action("n", "no", "", "no, leave it", "", "confirm"),
    Action("esc", "leave_line", "leave it", "leave the line", "", "line"),
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
TYPED: tuple[Place, ...] = ("form", "line")
"""Where letters are letters."""


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
    """Key and word for each action worth a place in the footer of a screen, the most important first, help last.

    Where letters are typed, no other place has keys.
    """
    typed = [place for place in places if place in TYPED]
    found = actions(*(typed or (*places, "everywhere")), table=table)
    return [(action.key, action.footer) for action in sorted(found, key=_is_help) if action.footer]


def _is_help(action: Action) -> bool:
    return action.id == "everywhere.help"
