"""The keys of what has the focus on the screen beneath, and what the signs mean."""

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
"""Cells of the page's text."""


class HelpScreen(ModalScreen[None]):
    """Any of its keys closes it."""

    CSS_PATH = "help.tcss"
    BINDINGS = [Binding(key, "dismiss", "close") for key in ("escape", "question_mark", "q", "enter")]

    def __init__(
        self,
        places: Sequence[action_table.Context],
        glyphs: Glyphs,
        table: Sequence[action_table.Action] = action_table.ACTIONS,
    ):
        super().__init__()
        self._places = places
        self._table = table
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="page"):
            yield Static(page(self._places, self._glyphs, self._table))


def page(
    places: Sequence[action_table.Context], glyphs: Glyphs, table: Sequence[action_table.Action] = action_table.ACTIONS
) -> Content:
    """The actions with the commands that do the same, those of the innermost place first, then the signs."""
    lines: list[Content] = []
    for _, group in groupby(
        action_table.actions(*places, "everywhere", table=table), key=lambda action: action.context
    ):
        lines += [Content(), *(line for action in group for line in action_lines(action))]
    roles = "  ".join(f"{glyphs.role(role)} {role}" for role in ("meta", "plan", "tool", "reflect", "world"))
    verdicts = [f"{sign} {name}" for name, sign in glyphs.verdicts.items() if name != "reading"]
    signs = ["", f"  who   {roles}", f"  runs  {'  '.join(verdicts[:5])}", f"        {'  '.join(verdicts[5:])}"]
    closing = ["", "  world is what a tool gave back.  Curves: nats per token, over steps.", "  esc closes this page."]
    return Content("\n").join([*lines[1:], *(Content.styled(text, "$quiet") for text in signs + closing)])


def action_lines(action: action_table.Action) -> list[Content]:
    """An action in a line: its command to the right, or below where the line has no room for it."""
    said = Content.assemble((f"{action.key:>6}  ", "bold $accent"), action.help)
    room = WIDTH - said.cell_length
    if len(action.verb) + 2 <= room:
        return [Content.assemble(said, (f"{action.verb:>{room}}", "$quiet"))]
    return [said, Content.styled(f"{action.verb:>{WIDTH}}", "$quiet")]
