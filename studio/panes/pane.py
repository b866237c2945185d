"""A pane: one side of a project, alone on the screen below the tab line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from studio.actions import action_table
from studio.runs.follow import Follow
from studio.terminal.redraw import Frames
from studio.widgets.rows import same

if TYPE_CHECKING:
    from studio.screens.project import ProjectScreen


class Pane(Vertical):
    """Mounted when it is first shown, and told of every change only while it is in sight."""

    PLACES: ClassVar[tuple[action_table.Place, ...]] = ()

    def __init__(self, project: Path, follow: Follow):
        super().__init__()
        self.project, self.follow = project, follow

    def tell(self) -> None:
        """The followed run or the project's list of runs moved, or the pane has just come into sight."""

    @property
    def desk(self) -> ProjectScreen:
        """The screen that the pane lies on."""
        from studio.screens.project import ProjectScreen

        assert isinstance(self.screen, ProjectScreen)
        return self.screen

    @property
    def frames(self) -> Frames:
        """The one timer that draws."""
        return self.desk.frames

    def notice(self, text: str) -> None:
        """Say something in the line above the footer; foreign text is welcome."""
        self.desk.notice(text)

    def put(self, where: str, content: Content) -> None:
        """Show a text in the Static of this id. The screen is laid out anew only if it is another text."""
        place = self.query_one(f"#{where}", Static)
        if not isinstance(place.content, Content) or not same(place.content, content):
            place.update(content)

    def obstacle(self, action: str) -> str:
        """Returns why an action cannot be carried out now; empty when it can, or when only trying tells."""
        return ""
