"""The base class of the seven panes: one side of a project, shown alone below the tab line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from studio.actions import action_table
from studio.files.view_memory import PaneMemory
from studio.panes.project_view import ProjectView
from studio.runs.machine import MachineLoad
from studio.runs.run_list import RunLine
from studio.widgets.content_lines import equal_content
from studio.widgets.input_line import InputLine
from studio.widgets.lists.table import Table


class Pane(Vertical):
    """Mounted when it is first shown. Later it is updated only while it is in sight."""

    CONTEXTS: ClassVar[tuple[action_table.Context, ...]] = ()

    def __init__(self, view: ProjectView):
        super().__init__()
        self.view = view
        self.project, self.follow, self.frames = view.project, view.follow, view.frames

    @property
    def chosen_run(self) -> RunLine | None:
        """The run that the project's keys act on: the followed one."""
        return self.follow.line

    def update(self) -> None:
        """Draws the current state. Called when the followed run or the run list changed, or the pane was shown."""

    @property
    def order(self) -> str:
        """The order of its list, if a person can choose one."""
        return ""

    @order.setter
    def order(self, order: str) -> None: ...

    def make_memory(self) -> PaneMemory:
        """Returns what is remembered of the pane: rows, filters and order."""
        tables = {table.id: table.chosen for table in self.query(Table) if table.id and table.chosen}
        lines = {line.id: line.value for line in self.query(InputLine) if line.id and line.is_filter and line.value}
        return PaneMemory(tables, lines, self.order)

    def restore(self, memory: PaneMemory, *, rows: bool) -> None:
        """Shows what was remembered; without `rows`, as when another run is followed, the cursors stay."""
        self.order = memory.order
        for line in self.query(InputLine):
            if line.is_filter and (text := memory.filters.get(line.id or "")):
                line.restore(text)
        for table in self.query(Table) if rows else ():
            if key := memory.rows.get(table.id or ""):
                table.restore(key)

    def find_row(self, key: str) -> None:
        """Moves the cursor of the first list to a row as soon as there is one with this key; filters are cleared."""
        for line in self.query(InputLine):
            if line.is_filter and line.value:
                line.action_leave_line()
        self.query(Table).first().restore(key)

    def show_load(self, load: MachineLoad | None) -> None:
        """Shows the load of the machine; None while no run has a job."""

    def notice(self, text: str) -> None:
        """Shows a text in the line above the footer; it may be untrusted."""
        self.view.notice(text)

    def set_text(self, name: str, content: Content) -> None:
        """Shows a text in the Static with this id. The screen's layout is recomputed only if the text differs."""
        label = self.query_one(f"#{name}", Static)
        if not isinstance(label.content, Content) or not equal_content(label.content, content):
            label.update(content)

    def main_actions(self) -> Sequence[str]:
        """Returns the ids of the actions that the footer shows first in the current state, the most useful one first;
        the others follow in the order of the action table."""
        return ()

    def obstacle(self, action: str) -> str:
        """Returns the reason why an action is impossible now; empty when it is possible."""
        return ""
