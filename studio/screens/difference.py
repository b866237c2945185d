"""A screen with the differences of two episodes: their passages in one order, and the changed words within them."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

from studio.actions import action_table
from studio.episodes.differences import Difference, find_differences
from studio.episodes.document import Document, Paragraph
from studio.terminal import untrusted_text
from studio.widgets.footer import Footer
from studio.widgets.transcripts.transcript import Transcript

Pair = tuple[list[Paragraph], list[Paragraph]]


class DifferenceScreen(ModalScreen[None]):
    """Shows the episode `one` with what `other` removes and adds, each with a sign of its own."""

    DEFAULT_CSS = """
    DifferenceScreen { background: $background; color: $foreground; }
    DifferenceScreen Static { height: 1; background: $panel; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    DifferenceScreen Transcript { height: 1fr; }
    """
    CONTEXTS: tuple[action_table.Context, ...] = ("difference",)
    BINDINGS = action_table.modal_bindings("difference")

    def __init__(self, one: str, other: str, read: Callable[[], Pair]):
        """Takes the names of both episodes, which may be untrusted, and the function that reads them, in a thread."""
        super().__init__()
        self._one, self._other, self._read = one, other, read
        self._found: Difference | None = None

    def compose(self) -> ComposeResult:
        yield Static(untrusted_text.content(f"- {self._one}   + {self._other}"), id="title")
        yield Transcript(paged=False)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(Transcript).show(Document([Paragraph("", "", "reading ...")]), end=False)
        self.run_worker(lambda: self.app.call_from_thread(self._show, find_differences(*self._read())), thread=True)

    def _show(self, found: Difference) -> None:
        self._found = found
        title = f"- {self._one}   + {self._other}   {found.summary}"
        self.query_one("#title", Static).update(untrusted_text.content(title), layout=False)
        self.query_one(Transcript).show(found.document, end=False)
        self.update_footer()

    def update_footer(self) -> None:
        """Updates the keys in the footer."""
        self.query_one(Footer).refresh_keys()

    def obstacle(self, action: str) -> str:
        if action != "close" and (self._found is None or self._found.is_empty):
            return "There is no difference."
        return ""

    def notice(self, text: str) -> None:
        """Does nothing: the title says what there is."""

    @action_table.check_obstacle
    def action_next_change(self) -> None:
        view = self.query_one(Transcript)
        self._go_to(range(view.cursor + 1, len(view.document)))

    @action_table.check_obstacle
    def action_previous_change(self) -> None:
        self._go_to(range(self.query_one(Transcript).cursor - 1, -1, -1))

    def _go_to(self, places: range) -> None:
        """Moves to the first of these paragraphs that differs."""
        view = self.query_one(Transcript)
        view.move_to(next((index for index in places if view.document.marks(index)), view.cursor))

    def action_close(self) -> None:
        self.dismiss()
