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
from studio.widgets.search_line import Searchable

WIDTH = 74
"""Width of the text in cells."""


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
        yield HelpPage(page_lines(self._contexts, self._glyphs, self._table))


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
) -> list[Content]:
    """Returns the page: the actions of these contexts in the order of the table, with commands, then the signs."""
    lines: list[Content] = []
    for _, group in groupby(
        action_table.actions(*contexts, "everywhere", table=table), key=lambda action: action.context
    ):
        lines += [Content(), *(line for action in group for line in action_lines(action))]
    roles = "  ".join(f"{glyphs.role(role)} {role}" for role in ("meta", "plan", "tool", "reflect", "world"))
    verdicts = [f"{sign} {name}" for name, sign in glyphs.verdicts.items() if name != "reading"]
    signs = ["", f"  who   {roles}", f"  runs  {'  '.join(verdicts[:5])}", f"        {'  '.join(verdicts[5:])}"]
    closing = [
        "", "  world: the observations of tools.  Curves: nats per token, by step.",
        "  esc closes this page; / finds a text, n and N go on and back.",
    ]  # fmt: skip
    return [*lines[1:], *(Content.styled(text, "$quiet") for text in signs + closing)]


def action_lines(action: action_table.Action) -> list[Content]:
    """Returns the line of an action with its command on the right, or on a second line where it does not fit."""
    text = Content.assemble((f"{action.key:>6}  ", "bold $accent"), action.help)
    free = WIDTH - text.cell_length
    if len(action.verb) + 2 <= free:
        return [Content.assemble(text, (f"{action.verb:>{free}}", "$quiet"))]
    return [text, Content.styled(f"{action.verb:>{WIDTH}}", "$quiet")]
