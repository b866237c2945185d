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
from studio.episodes.document import Document, Paragraph
from studio.episodes.search import Search, TextMatch
from studio.terminal.glyphs import Glyphs
from studio.terminal.wrap import wrap
from studio.widgets.search_line import Searchable

WIDTH = 74
"""Width of the text in cells, on a screen that has them."""
INDENT = 8
"""Cells before the help of an action, for its key."""


class HelpPage(VerticalScroll, Searchable):
    """The page, which `/` searches."""

    CONTEXTS: tuple[action_table.Context, ...] = ("search",)

    def __init__(self, lines: Sequence[Content]):
        super().__init__(id="page")
        self._lines = lines
        self._document = Document(Paragraph("", "", line.plain) for line in lines)

    def compose(self) -> ComposeResult:
        yield Static(Content("\n").join(self._lines))

    def obstacle(self, action: str) -> str:
        return self.search_obstacle(action)

    def search_for(self, text: str) -> None:
        self.search = Search(text, self._document) if text.strip() else None
        if self.search is not None:
            self.search.jump_to(self._place)
        self._draw()

    def show_match(self, steps: int) -> None:
        if self.search is not None:
            self.search.step(steps, self._place)
            self._draw()

    @property
    def _place(self) -> TextMatch:
        return TextMatch(round(self.scroll_y), 0, 0)

    def _draw(self) -> None:
        """Highlights the matches, and scrolls to the current one."""
        lines = list(self._lines)
        current = self.search.current if self.search else None
        for index in range(len(lines)):
            for match in self.search.of(index) if self.search else ():
                style = "$background on $accent bold" if match == current else "$accent bold underline"
                lines[index] = lines[index].stylize(style, match.start, match.end)
        self.query_one(Static).update(Content("\n").join(lines), layout=False)
        if current is not None:
            self.scroll_to(y=current.paragraph - self.size.height // 3, animate=False)


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
        width = min(WIDTH, self.app.size.width - 6)
        yield HelpPage(page_lines(self._contexts, self._glyphs, self._table, width))


def page(
    contexts: Sequence[action_table.Context],
    glyphs: Glyphs,
    table: Sequence[action_table.Action] = action_table.ACTIONS,
) -> Content:
    """Returns the lines of the page as one text."""
    return Content("\n").join(page_lines(contexts, glyphs, table))


def page_lines(
    contexts: Sequence[action_table.Context],
    glyphs: Glyphs,
    table: Sequence[action_table.Action] = action_table.ACTIONS,
    width: int = WIDTH,
) -> list[Content]:
    """Returns the page: the actions of these contexts in the order of the table, with commands, then the signs.

    Each context has a heading; lines are at most `width` cells wide.
    """
    lines: list[Content] = []
    for context, group in groupby(
        action_table.actions(*contexts, "everywhere", table=table), key=lambda action: action.context
    ):
        lines += [Content(), Content.styled(context.capitalize(), "bold $primary")]
        lines += [line for action in group for line in action_lines(action, width)]
    signs = [f"{glyphs.role(role)} {role}" for role in ("meta", "plan", "tool", "reflect", "world")]
    verdicts = [f"{sign} {name}" for name, sign in glyphs.verdicts.items() if name != "reading"]
    closing = [
        *_named("who", signs, width), *_named("runs", verdicts, width), "",
        *wrap("world: the observations of tools.  Curves: nats per token, by step.", width - 2),
        *wrap("esc closes this page; / finds a text, n and N go on and back.", width - 2),
    ]  # fmt: skip
    return [*lines[1:], Content(), *(Content.styled(f"  {text}", "$quiet") for text in closing)]


def _named(name: str, signs: Sequence[str], width: int) -> list[str]:
    """Returns signs with their meanings in lines, after a name."""
    lines = wrap("  ".join(sign.replace(" ", "\xa0") for sign in signs), width - INDENT)
    return [f"{name if number == 0 else '':<6}{line}" for number, line in enumerate(lines)]


def action_lines(action: action_table.Action, width: int = WIDTH) -> list[Content]:
    """Returns the lines of an action: its key, its help, and its command on the right where it fits, else below."""
    first, *others = wrap(action.help, width - INDENT)
    lines = [
        Content.assemble((f"{action.key:>6}  ", "bold $accent"), first),
        *(Content(" " * INDENT + text) for text in others),
    ]
    free = width - lines[-1].cell_length
    if len(action.verb) + 2 <= free:
        return [*lines[:-1], Content.assemble(lines[-1], (f"{action.verb:>{free}}", "$quiet"))]
    return [*lines, *(Content.styled(f"{text:>{width}}", "$quiet") for text in wrap(action.verb, width - INDENT))]
