"""The keys of what has the focus on the screen beneath, and what the signs mean."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from studio import keys
from studio.glyphs import Glyphs


class HelpScreen(ModalScreen[None]):
    """Any of its keys closes it."""

    CSS_PATH = "help.tcss"
    BINDINGS = [Binding(key, "dismiss", "close") for key in ("escape", "question_mark", "q", "enter")]

    def __init__(self, places: Sequence[keys.Place], glyphs: Glyphs, table: Sequence[keys.Action] = keys.ACTIONS):
        super().__init__()
        self._places = places
        self._table = table
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="page"):
            yield Static(page(self._places, self._glyphs, self._table))


def page(places: Sequence[keys.Place], glyphs: Glyphs, table: Sequence[keys.Action] = keys.ACTIONS) -> Content:
    """One line an action, with the command that does the same, then the signs."""
    lines = [
        Content.assemble((f"{action.key:>6}  ", "bold $accent"), f"{action.help:<46}", (action.verb, "$quiet"))
        for action in keys.actions(*places, "everywhere", table=table)
    ]
    roles = "  ".join(f"{glyphs.role(role)} {role}" for role in ("meta", "plan", "tool", "reflect", "world"))
    verdicts = [f"{sign} {name}" for name, sign in glyphs.verdicts.items() if name != "reading"]
    signs = ["", f"  who   {roles}", f"  runs  {'  '.join(verdicts[:4])}", f"        {'  '.join(verdicts[4:])}"]
    closing = ["", "  world is what a tool gave back.  Curves: nats per token, over steps.", "  esc closes this page."]
    return Content("\n").join([*lines, *(Content.styled(text, "$quiet") for text in signs + closing)])
