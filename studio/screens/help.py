"""The help page: the keys of the focused widget and its ancestors, and the meaning of the signs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from studio.actions import action_table
from studio.terminal.glyphs import Glyphs

WIDTH = 74
"""Width of the text in cells."""


class HelpScreen(ModalScreen[None]):
    """Shows the help until one of its keys closes it."""

    CSS_PATH = "help.tcss"
    BINDINGS = [Binding(key, "dismiss", "close") for key in ("escape", "question_mark", "q", "enter")]

    def __init__(
        self,
        contexts: Sequence[action_table.Context],
        glyphs: Glyphs,
        table: Sequence[action_table.Action] = action_table.ACTIONS,
    ):
        super().__init__()
        self._contexts = contexts
        self._table = table
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="page"):
            yield Static(page(self._contexts, self._glyphs, self._table))


def page(
    contexts: Sequence[action_table.Context],
    glyphs: Glyphs,
    table: Sequence[action_table.Action] = action_table.ACTIONS,
) -> Content:
    """Returns the page: the actions, those of the innermost context first, each with its command, then the signs."""
    lines: list[Content] = []
    for _, group in groupby(
        action_table.actions(*contexts, "everywhere", table=table), key=lambda action: action.context
    ):
        lines += [Content(), *(line for action in group for line in action_lines(action))]
    roles = "  ".join(f"{glyphs.role(role)} {role}" for role in ("meta", "plan", "tool", "reflect", "world"))
    verdicts = [f"{sign} {name}" for name, sign in glyphs.verdicts.items() if name != "reading"]
    signs = ["", f"  who   {roles}", f"  runs  {'  '.join(verdicts[:5])}", f"        {'  '.join(verdicts[5:])}"]
    closing = ["", "  world: the observations of tools.  Curves: nats per token, by step.", "  esc closes this page."]
    return Content("\n").join([*lines[1:], *(Content.styled(text, "$quiet") for text in signs + closing)])


def action_lines(action: action_table.Action) -> list[Content]:
    """Returns the line of an action with its command on the right, or on a second line where it does not fit."""
    text = Content.assemble((f"{action.key:>6}  ", "bold $accent"), action.help)
    free = WIDTH - text.cell_length
    if len(action.verb) + 2 <= free:
        return [Content.assemble(text, (f"{action.verb:>{free}}", "$quiet"))]
    return [text, Content.styled(f"{action.verb:>{WIDTH}}", "$quiet")]
