"""The line with which a text is searched, and the keys of the widgets that can be searched."""

from __future__ import annotations

from abc import abstractmethod

from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from studio.actions import action_table
from studio.episodes.search import Search
from studio.widgets.footer import Footer
from studio.widgets.input_line import InputLine


class Searchable(Widget):
    """A widget whose text `/` searches. The search stays, with its counts, until esc ends it.

    It is the last base of a class, since the styles of a widget are those of its first base.
    """

    BINDINGS = action_table.bindings("search")
    search: Search | None = None
    search_line: SearchLine | None = None

    @abstractmethod
    def search_for(self, text: str) -> None:
        """Searches for a text as it is typed, and shows the match nearest to the cursor; an empty text ends it."""

    @abstractmethod
    def show_match(self, steps: int) -> None:
        """Shows the match so many after the current one, negative for before."""

    @property
    def is_in_use(self) -> bool:
        """True while this widget has the focus, or the line in which its search is typed."""
        return self.has_focus or (self.search_line is not None and self.search_line.is_typed_in)

    def search_obstacle(self, action: str) -> str:
        """Returns the reason why an action of a search is impossible now; empty when it is possible."""
        needs_search = action in ("next_match", "previous_match", "end_search")
        return "Search with / first." if needs_search and self.search is None else ""

    async def action_search(self) -> None:
        """Opens the line, which is made the first time, at the end of the pane or screen, above the footer."""
        host = next(node for node in self.ancestors if getattr(node, "CONTEXTS", ()) or node is self.screen)
        lines = host.query_children(SearchLine)
        line = lines.first() if lines else SearchLine()
        if not lines and isinstance(host, Widget):
            await host.mount(line, before=next(iter(host.query_children(Footer)), None))
        line.open(self)

    def action_next_match(self) -> None:
        self._step(1)

    def action_previous_match(self) -> None:
        self._step(-1)

    def action_end_search(self) -> None:
        if self.search is None:
            raise SkipAction  # esc has its usual meaning
        self.search_for("")
        self.update_search_line()

    def update_search_line(self) -> None:
        """Shows the number of the current match and the count; called when the text has changed too."""
        if self.search_line is not None:
            self.search_line.update_count()

    def _step(self, steps: int) -> None:
        if self.search is None:
            raise SkipAction  # `n` has another meaning in some panes
        self.show_match(steps)
        self.update_search_line()


class SearchLine(Horizontal):
    """The text that is searched for, and which of how many matches is shown; one for all texts of a pane."""

    DEFAULT_CSS = """
    SearchLine { height: 1; background: $surface; color: $foreground; }
    SearchLine Static { width: auto; padding: 0 1; }
    SearchLine #count { width: 20; text-align: right; color: $accent; text-style: bold; }
    SearchLine InputLine { width: 1fr; padding: 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._target: Searchable | None = None

    def compose(self) -> ComposeResult:
        yield Static("/")
        yield InputLine("text to find; capitals count if there are any", id="sought", verb="find")
        yield Static(id="count")

    @property
    def is_typed_in(self) -> bool:
        return self.query_one(InputLine).has_focus

    def open(self, target: Searchable) -> None:
        """Lets a person type what to find in a widget; a search in another widget of the pane ends."""
        if self._target is not None and self._target is not target:
            self._target.search_for("")
            self._target.search_line = None
        self._target, target.search_line = target, self
        self.display = True
        self.query_one(InputLine).open(target.search.text if target.search else "")
        self.update_count()

    def update_count(self) -> None:
        """Shows the counts; hides the line when there is nothing to find."""
        search = self._target.search if self._target else None
        self.display = search is not None or self.is_typed_in
        self.query_one("#count", Static).update(Content(search.label if search else ""), layout=False)

    @on(Input.Changed)
    def _text_changed(self, message: Input.Changed) -> None:
        message.stop()
        if self._target is not None and self.is_typed_in:
            self._target.search_for(message.value)
            self.update_count()

    @on(Input.Submitted)
    def _text_submitted(self, message: Input.Submitted) -> None:
        """Leaves the line in sight and gives the text the focus."""
        message.stop()
        self.query_one(InputLine).can_focus = False
        self._leave()

    @on(InputLine.Closed)
    def _line_closed(self, message: InputLine.Closed) -> None:
        message.stop()
        if self._target is not None:
            self._target.search_for("")
        self._leave()

    def _leave(self) -> None:
        if self._target is not None:
            self._target.focus()
        self.call_after_refresh(self.update_count)
