"""The held-out questions of a project: a list, and the one under its cursor in full. They are shown, not edited."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from autoact.errors import AutoActError
from autoact.project.project import Project
from autoact.trajectory import Question
from studio.actions import remote_machine
from studio.panes.rows.examples import HELD_OUT, HeldOutRows, held_out_counts
from studio.panes.rows.question_details import question_detail
from studio.widgets.lists.search_table import SearchTable
from studio.widgets.lists.table import Table

NONE = "No held-out questions: questions/heldout.jsonl has them, one JSON object a line."


class HeldOutList(Container):
    """Reads the file in a thread each time it is shown."""

    DEFAULT_CSS = """
    HeldOutList { height: 1fr; layout: vertical; }
    HeldOutList #held-out-counts { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    HeldOutList #held-out-list { height: 3fr; }
    HeldOutList #held-out-side { height: 2fr; padding: 0 1; background: $surface; }
    HeldOutList #held-out-detail { height: auto; }
    """

    def __init__(self, project: Path):
        super().__init__()
        self._project, self._rows = project, HeldOutRows()

    def compose(self) -> ComposeResult:
        with Vertical(id="held-out-list"):
            yield Static(id="held-out-counts")
            yield SearchTable(HELD_OUT, self._rows, id="held-out")
        with VerticalScroll(id="held-out-side", can_focus=False):
            yield Static(id="held-out-detail")

    @property
    def table(self) -> Table:
        return self.query_one("#held-out", Table)

    def open(self) -> None:
        """Reads the questions, and lets the cursor move among them."""
        self.table.focus()
        if not self._rows.rows:
            self.table.set_hint("Reading the held-out questions ...")
        self.run_worker(self._read, thread=True, exclusive=True)

    def _read(self) -> None:
        hint, found = NONE, list[Question]()
        if remote_machine.current():
            hint += " Of another machine, files above 1 MB and links are not copied."
        try:
            found = Project(self._project).questions("heldout")
        except (AutoActError, OSError) as error:  # the boundary of a command: shown, not raised
            hint = str(error).replace(f"{self._project}/", "")
        self.app.call_from_thread(self._show, found, hint)

    def _show(self, questions: Sequence[Question], hint: str) -> None:
        key, self._rows.rows = self.table.chosen, questions
        self.table.set_hint(hint)
        self.table.reload(key=key)
        self.query_one("#held-out-counts", Static).update(held_out_counts(questions))
        self._show_detail()

    @on(Table.CursorMoved)
    def _show_detail(self) -> None:
        at, detail = self.table.cursor, self.query_one("#held-out-detail", Static)
        lines = question_detail(self._rows.rows[at]) if at < len(self._rows) else []
        detail.update(Content("\n").join(lines))
