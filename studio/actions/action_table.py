"""The table of all actions: key, label in the footer, line in the help, and the shell command that does the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Literal, Protocol, TypeAlias, TypeVar

from textual.binding import Binding, BindingType
from textual.dom import DOMNode

Context = Literal[
    "everywhere", "list", "projects", "project", "task", "tools", "trajectories", "runs",
    "table", "transcript", "search", "plot",
    "form", "settings", "choice", "confirm", "pick", "line", "training", "lessons", "prompt", "difference", "group",
    "lab", "rating",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Action:
    """One key in one context. The widget, screen or app of the context has a method `action_<name>`."""

    key: str
    """The key as printed on a keyboard."""
    name: str
    footer: str
    """The label in the footer; empty for keys that are not shown there."""
    help: str
    verb: str
    """The shell command that does the same; empty where there is none."""
    context: Context

    @property
    def id(self) -> str:
        """The name of the action in keys.toml and in Textual's keymap."""
        return f"{self.context}.{self.name}"


ACTIONS = (
    Action("/", "search", "search", "find a text here; in a list / filters its rows", "", "search"),
    Action("n", "next_match", "next match", "the next match; a fold that hides it opens", "", "search"),
    Action("N", "previous_match", "", "the match before", "", "search"),
    Action("esc", "end_search", "end search", "end the search", "", "search"),
    Action("enter", "open", "open", "open the project under the cursor", "studio PROJECT", "projects"),
    Action("/", "filter", "filter", "show only projects with these letters; esc shows all", "", "projects"),
    Action("n", "new", "new", "make a project from a template and open it", "autoact new --template", "projects"),
    Action("o", "open_folder", "open folder", "open a project's folder anywhere", "studio PROJECT", "projects"),
    Action("d", "duplicate", "", "copy the project, without its runs", "autoact duplicate", "projects"),
    Action("r", "rename", "", "give the project another name", "autoact rename", "projects"),
    Action("x", "archive", "", "move the project to the archive folder (asks)", "autoact shelve", "projects"),
    Action("X", "delete", "", "delete the project with its runs (asks)", "", "projects"),
    Action("u", "restore", "", "move an archived project back", "", "projects"),
    Action("esc", "show_all", "show all", "clear the filter", "", "projects"),
    Action("w", "words", "task", "change the name, description and answer form", "edit PROJECT/project.toml", "task"),
    Action("a", "add", "add", "add an example", "edit PROJECT/examples.jsonl", "task"),
    Action("e", "edit", "edit", "edit the example or the question", "edit PROJECT/examples.jsonl", "task"),
    Action("x", "delete", "delete", "delete the example (asks), or drop the question", "", "task"),
    Action("p", "paste", "paste", "paste several examples", "edit PROJECT/examples.jsonl", "task"),
    Action("m", "take_file", "import", "import a JSON, JSONL, CSV or TSV file", "edit PROJECT/examples.jsonl", "task"),
    Action("D", "drop_duplicates", "", "drop duplicate examples (asks)", "", "task"),
    Action("u", "undo", "undo", "undo the last change of the examples", "", "task"),
    Action("i", "instruct", "self-instruct", "write practice questions", "autoact run --only self_instruct", "task"),
    Action("space", "accept", "to examples", "add the practice question to the examples", "", "task"),
    Action("r", "mark", "mark", "mark the practice question: right, wrong, no mark", "", "task"),
    Action("h", "held_out", "held-out", "show the held-out questions, or the examples again", "", "task"),
    Action("esc", "up", "examples", "back to the examples, then to the projects", "studio", "task"),
    Action("space", "switch", "on/off", "switch the tool on or off", "autoact tools enable | disable", "tools"),
    Action("J", "later", "", "move the tool down in the order", "autoact tools order", "tools"),
    Action("K", "sooner", "", "move the tool up in the order", "autoact tools order", "tools"),
    Action("u", "undo", "undo", "undo the last change of tools.toml", "", "tools"),
    Action("s", "select", "select", "let the meta-agent choose for this task", "autoact tools select", "tools"),
    Action("A", "adopt", "adopt", "use exactly what the meta-agent chose", "autoact tools use", "tools"),
    Action("e", "edit", "edit", "edit its description, limits and settings", "autoact tools edit", "tools"),
    Action("c", "try_it", "try", "call the tool by hand and see the observation", "autoact tools try", "tools"),
    Action("T", "test", "test", "run the tool's own checks", "autoact tools test", "tools"),
    Action("x", "remove", "", "remove the tool from the project", "autoact tools remove", "tools"),
    Action("p", "allow", "allow", "let the tool send a secret to its host (asks)", "autoact secrets allow", "tools"),
    Action("a", "add", "add", "add a tool: Python, langchain, MCP, HTTP", "autoact tools add | connect", "tools"),
    Action("/", "filter", "filter", "show only tools with these letters; esc shows all", "autoact tools list", "tools"),
    Action("esc", "up", "show all", "clear the filter", "", "tools"),
    Action("space", "hold", "pause", "pause the training, or resume it", "autoact pause | resume", "training"),
    Action("F", "finish", "finish", "end the training now and keep the adapter (asks)", "autoact finish", "training"),
    Action("r", "train", "train", "train on what this run kept", "autoact run --from differentiation", "training"),
    Action("S", "settings", "settings", "LoRA settings of the next run", "edit PROJECT/project.toml", "training"),
    Action("o", "examples", "examples", "what this agent is trained on, word by word", "", "training"),
    Action("c", "choose_runs", "runs", "which other runs' curves are shown, by name", "", "training"),
    Action("n", "next_agent", "next agent", "the next of plan, tool and reflect", "", "training"),
    Action("esc", "close", "close", "back to the training", "", "lessons"),
    Action("a", "alternatives", "alternatives", "what else the model might have written", "autoact prompt", "prompt"),
    Action("esc", "close", "close", "back to the turns", "", "prompt"),
    Action("]", "next_change", "next change", "the next passage that differs", "", "difference"),
    Action("[", "previous_change", "", "the one before", "", "difference"),
    Action("esc", "close", "close", "back to the turns", "", "difference"),
    Action("a", "ask", "ask", "ask the group a question", "autoact ask --session", "group"),
    Action("c", "cast", "who answers", "choose who answers: the group, other methods", "autoact ask --method", "group"),
    Action("space", "hold", "pause", "pause the session, or resume it", "autoact pause | resume", "group"),
    Action("s", "step", "step", "let one more answer through on each side, then hold", "autoact step", "group"),
    Action("e", "edit", "edit", "edit this turn, or the last one", "autoact edit", "group"),
    Action("f", "fork", "fork", "fork at this turn, or at the last one", "autoact fork", "group"),
    Action("P", "prompt", "prompt", "the prompt of this turn, its tokens, settings", "autoact prompt", "group"),
    Action("d", "differ", "diff", "what differs between the two sides, word by word", "", "group"),
    Action("p", "replay", "replay", "replay the question, at first 8 times as fast as it was", "", "group"),
    Action("<", "slower", "", "replay at half the speed", "", "group"),
    Action(">", "faster", "", "replay at twice the speed", "", "group"),
    Action("E", "export", "export", "write the question with all its turns as JSON", "autoact ask --json", "group"),
    Action(
        "esc", "up", "questions", "stop the replay, else back to the questions, then to the projects", "studio", "group"
    ),
    Action(
        "e", "evaluate", "evaluate", "evaluate methods on a data set or the held-out questions", "autoact eval", "lab"
    ),
    Action("w", "wrong", "wrong answers", "its wrong answers, and the training behind each", "autoact lineage", "lab"),
    Action(
        "o",
        "omit",
        "omit rows",
        "train again without the training rows behind this answer",
        "autoact run --without",
        "lab",
    ),
    Action("a", "answers", "all runs", "what every run answered to this question", "autoact answers", "lab"),
    Action("x", "experiments", "experiments", "experiments, how far their cells are", "autoact lab status", "lab"),
    Action("r", "run", "run", "play the cells of the experiment that are not finished", "autoact lab run", "lab"),
    Action("b", "rate", "", "rate two runs or methods without seeing their names", "autoact rate", "lab"),
    Action("S", "sort", "sort", "by F1, EM, gain in F1, or fewest tokens; else the newest first", "", "lab"),
    Action("esc", "up", "scores", "back to the scores, then to the projects", "studio", "lab"),
    Action("l", "left", "left", "the left one is better", "autoact rate", "rating"),
    Action("r", "right", "right", "the right one is better", "autoact rate", "rating"),
    Action("s", "same", "same", "both are equally good", "autoact rate", "rating"),
    Action("w", "neither", "both wrong", "both are wrong", "autoact rate", "rating"),
    Action("b", "previous", "back", "the pair before, to rate it again", "autoact rate", "rating"),
    Action("esc", "close", "close", "stop rating; it goes on where it stopped", "", "rating"),
    Action(
        "space", "hold", "pause", "pause or resume the episode, else the run", "autoact pause | resume", "trajectories"
    ),
    Action("p", "hold_run", "", "pause or resume the whole run", "autoact pause | resume", "trajectories"),
    Action("s", "step", "step", "let one more answer through, then hold", "autoact step", "trajectories"),
    Action("e", "edit", "edit", "edit the last answer, or the one under the cursor", "autoact edit", "trajectories"),
    Action("f", "fork", "fork", "fork at the last answer or at the cursor", "autoact fork", "trajectories"),
    Action("r", "retry", "retry", "ask again from the start or the cursor", "autoact retry", "trajectories"),
    Action("P", "prompt", "prompt", "the prompt of this turn, its tokens, settings", "autoact prompt", "trajectories"),
    Action("K", "keep", "keep", "keep it for training, whatever the filter says", "autoact keep", "trajectories"),
    Action("x", "drop", "drop", "drop it from training", "autoact drop", "trajectories"),
    Action(
        "u",
        "undo",
        "undo",
        "undo the last keep, drop, edit or retry",
        "",
        "trajectories",
    ),
    Action("m", "mark", "mark", "mark it: keep, drop, retry and export take all marked ones", "", "trajectories"),
    Action("M", "mark_all", "", "mark all that the filter shows, or none", "", "trajectories"),
    Action("c", "compare", "compare", "the marked one beside the chosen one", "", "trajectories"),
    Action("d", "differ", "diff", "marked and chosen one, or fork and parent, word by word", "", "trajectories"),
    Action("L", "lanes", "lanes", "all episodes in flight side by side, or the list again", "", "trajectories"),
    Action("S", "sort", "sort", "by reward, steps, state, question, or log order", "", "trajectories"),
    Action(
        "/", "filter", "filter", "words in texts, state:kept, tool:NAME; esc shows all", "autoact log", "trajectories"
    ),
    Action("E", "export", "export", "write it as JSON into exports, and copy it", "autoact log --json", "trajectories"),
    Action("esc", "up", "back", "back to the list, then to the projects", "studio", "trajectories"),
    Action("n", "new", "new run", "start a run: preset, stages and rounds", "autoact run", "runs"),
    Action("c", "cancel", "cancel", "stop the run so that it can be resumed (asks)", "autoact cancel", "runs"),
    Action("l", "log", "event log", "what happened in the run, event by event, as it happens", "autoact log", "runs"),
    Action(
        "d",
        "differences",
        "compare",
        "figures, scores and settings beside the followed run's",
        "autoact compare",
        "runs",
    ),
    Action("E", "report", "report", "write a report of the run as one HTML file", "autoact report --html", "runs"),
    Action("X", "delete", "delete", "delete the run and all it made (asks)", "autoact delete", "runs"),
    Action("esc", "up", "close", "close what was opened, then back to the projects", "studio", "runs"),
    Action("R", "run", "", "start a run, or resume the paused or stopped one", "autoact run | resume", "project"),
    Action(",", "settings", "", "every setting of the project", "edit PROJECT/project.toml", "project"),
    Action("1", "task", "", "the task: its description and examples", "autoact check", "project"),
    Action("2", "tools", "", "the tools: the library and the choice for this task", "autoact tools", "project"),
    Action("3", "trajectories", "", "the trajectories, finished and as they are written", "autoact log", "project"),
    Action("4", "training", "", "the training of the sub-agents", "autoact attach", "project"),
    Action("5", "group", "", "the group: ask, and step through its turns", "autoact ask", "project"),
    Action("6", "lab", "", "the lab: evaluate and compare", "autoact eval", "project"),
    Action("7", "runs", "", "the runs: every run of the project", "autoact runs", "project"),
    Action("[", "previous_pane", "", "the pane to the left", "", "project"),
    Action("]", "next_pane", "panes", "the pane to the right", "", "project"),
    Action("+", "zoom", "", "the pane alone, or with its surroundings again", "", "project"),
    Action("esc", "back", "projects", "pressed twice: back to the projects; runs go on", "studio", "project"),
    Action("ctrl+o", "take", "save", "take these settings: start the run, or save them", "", "settings"),
    Action("/", "filter", "filter", "only settings with these words in name, stage or help", "", "settings"),
    Action("right", "next_word", "other value", "the next of the values that it takes", "", "settings"),
    Action("left", "previous_word", "", "the value before", "", "settings"),
    Action("x", "reset", "take back", "take the change of this setting back", "", "settings"),
    Action("w", "store", "write to project", "write the changes into project.toml", "", "settings"),
    Action("u", "undo", "undo", "take back what was saved last in project.toml", "", "settings"),
    Action("esc", "up", "cancel", "show all settings, or close without a change", "", "settings"),
    Action("t", "theme", "", "the next colour theme; it is remembered", "", "everywhere"),
    Action(":", "command_palette", "", "find any of these by a few letters", "", "everywhere"),
    Action("ctrl+p", "palette", "", "find any of these, on an open line too", "", "everywhere"),
    Action("f8", "screenshot", "", "save a screenshot, as SVG and, with rsvg-convert, as PNG", "", "everywhere"),
    Action("ctrl+l", "repaint", "", "draw the whole screen again", "", "everywhere"),
    Action("ctrl+z", "suspend_process", "", "suspend the studio; `fg` brings it back", "", "everywhere"),
    Action("ctrl+c", "interrupt", "", "pressed twice: leave the studio", "", "everywhere"),
    Action("?", "help", "help", "this page", "studio --help", "everywhere"),
    Action("q", "leave", "leave", "leave the studio; runs go on", "", "everywhere"),
    Action("j", "cursor_down", "", "down", "", "list"),
    Action("k", "cursor_up", "", "up", "", "list"),
    Action("g", "first", "", "to the top", "", "list"),
    Action("y", "copy", "", "copy what is under the cursor", "", "list"),
    Action("G", "last", "", "to the end; what is still being written is followed", "", "list"),
    Action("enter", "open_row", "", "open the row under the cursor", "", "table"),
    Action("o", "unfold", "", "show the whole of a folded passage, or fold it again", "", "transcript"),
    Action("}", "next_step", "", "to the next step: its thought", "", "transcript"),
    Action("{", "previous_step", "", "to the step before", "", "transcript"),
    Action("ctrl+o", "save", "save", "save what was typed; enter on a line does too", "", "form"),
    Action("esc", "cancel", "cancel", "close without a change", "", "form"),
    Action("enter", "take", "", "save the form, as enter on a line does", "", "choice"),
    Action("left", "previous_word", "", "the word to the left", "", "choice"),
    Action("right", "next_word", "", "the word to the right", "", "choice"),
    Action("y", "yes", "", "yes, do it", "", "confirm"),
    Action("n", "no", "", "no, change nothing", "", "confirm"),
    Action("esc", "close", "", "close without a change", "", "confirm"),
    Action("esc", "close", "cancel", "close without a choice", "", "pick"),
    Action("enter", "submit", "ok", "take the line", "", "line"),
    Action("esc", "leave_line", "cancel", "close the line", "", "line"),
    Action("l", "logarithm", "log scale", "the chosen agent's curves on a logarithmic scale, or not", "", "plot"),
    Action("m", "smooth", "smooth", "smooth the chosen agent's curves more; after the most, not at all", "", "plot"),
    Action("v", "overlay", "other runs", "show or hide other runs' curves of the chosen agent", "", "plot"),
    Action("left", "earlier", "", "the step to the left, and its values", "", "plot"),
    Action("right", "later", "", "the step to the right", "", "plot"),
)

_NAMES = {
    "esc": "escape", "/": "slash", "\\": "backslash", "@": "at", "-": "minus", "+": "plus", "_": "underscore",
}  # fmt: skip
"""Textual's names of keys that differ from the Unicode names."""
TEXT_CONTEXTS: tuple[Context, ...] = ("form", "line")
"""Contexts in which letters are typed."""


Offer: TypeAlias = tuple[Action, DOMNode]
"""An action and the widget, screen or app with its method."""


def actions(*chosen: Context, table: Sequence[Action] = ACTIONS) -> list[Action]:
    """Returns the actions of these contexts, in the table's order."""
    return [action for action in table if action.context in chosen]


def app_actions(app: object) -> Sequence[Action]:
    """Returns the table with the person's own keys."""
    found = getattr(app, "actions", None)
    return found if isinstance(found, tuple) else ACTIONS


def bindings(context: Context) -> list[BindingType]:
    """Returns a context's keys as Textual bindings, with the ids that a keymap names."""
    return [Binding(textual_key(action.key), action.name, action.help, id=action.id) for action in actions(context)]


def modal_bindings(context: Context) -> list[BindingType]:
    """Returns the keys of a modal screen, and those that work everywhere: Textual keeps the app's own keys from it."""
    own = {action.key for action in actions(context)}
    shared = [action for action in actions("everywhere") if action.key not in own]
    return [
        *bindings(context),
        *(Binding(textual_key(action.key), f"app.{action.name}", action.help, id=action.id) for action in shared),
    ]


def textual_key(key: str) -> str:
    """Returns Textual's name of a key, such as `slash` for `/`."""
    if len(key) == 1 and not key.isalnum():
        return _NAMES.get(key) or unicodedata.name(key, key).lower().replace(" ", "_").replace("-", "_")
    return _NAMES.get(key, key)


def contexts(focused: DOMNode) -> list[Context]:
    """Returns the contexts of the focused node and of its ancestors, innermost first."""
    found = [context for node in focused.ancestors_with_self for context in getattr(node, "CONTEXTS", ())]
    return list(dict.fromkeys(found))


def reachable_actions(focused: DOMNode) -> list[Offer]:
    """Returns the actions whose keys work for the focused node, innermost context first.

    Where letters are typed, no other context has keys.
    """
    app, table = focused.app, app_actions(focused.app)
    found: list[Offer] = []
    for node in focused.ancestors_with_self:
        here: Sequence[Context] = getattr(node, "CONTEXTS", ())
        typed = [context for context in here if context in TEXT_CONTEXTS]
        found += [(action, node) for action in actions(*(typed or here), table=table)]
        if typed:
            return found
    return [*found, *((action, app) for action in actions("everywhere", table=table))]


def available_actions(focused: DOMNode) -> list[Offer]:
    """Returns the reachable actions that are possible now, in the table's order.

    Of two actions on one key it returns the inner one, unless that is impossible.
    """
    found: dict[str, Offer] = {}
    for action, node in reachable_actions(focused):
        if not obstacle(node, action.name):
            found.setdefault(action.key, (action, node))
    order = app_actions(focused.app)
    return sorted(found.values(), key=lambda offer: order.index(offer[0]))


def obstacle(node: DOMNode, action: str) -> str:
    """Returns the reason why an action of `node` is impossible now; empty when it is possible, as far as is known."""
    method = getattr(node, "obstacle", None)
    return str(method(action)) if callable(method) else ""


def main_actions(focused: DOMNode) -> list[str]:
    """Returns the ids of the actions that the focused node and its ancestors find most useful in the current state."""
    methods = [getattr(node, "main_actions", None) for node in focused.ancestors_with_self]
    return [name for method in methods if callable(method) for name in method()]


def footer_word(offer: Offer) -> str:
    """Returns the label of an action: that of its widget, if it has one for the current state, else the table's."""
    action, node = offer
    method = getattr(node, "footer_word", None)
    own = str(method(action.name)) if callable(method) else ""
    return own or action.footer


class Actor(Protocol):
    """A widget with actions that are not always possible."""

    def obstacle(self, action: str) -> str:
        """Returns the reason why an action is impossible now, else an empty string. Called after every key."""

    def notice(self, text: str) -> None: ...


A = TypeVar("A", bound=Actor)
R = TypeVar("R")


def check_obstacle(method: Callable[[A], R]) -> Callable[[A], R | None]:
    """Makes the method of an action show its obstacle, if there is one, instead of running."""

    @wraps(method)
    def checked(actor: A) -> R | None:
        reason = actor.obstacle(method.__name__.removeprefix("action_"))
        if reason:
            actor.notice(reason)
            return None
        return method(actor)

    return checked
