"""The base class of the seven panes: one side of a project, shown alone below the tab line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from studio.actions import action_table
from studio.panes.project_view import ProjectView
from studio.runs.machine import MachineLoad
from studio.runs.run_list import RunLine
from studio.widgets.content_lines import equal_content


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
