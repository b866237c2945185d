"""A screen over a project's runs, one of which it follows."""

from __future__ import annotations

from pathlib import Path

from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from studio import foreign
from studio.follow import Follow


class FollowingScreen(Screen[None]):
    """Reads folders and sends commands; owns nothing, so leaving it changes nothing."""

    class Left(Message):
        """The person wants to see the projects in `folder`, or what this screen lies on."""

        def __init__(self, folder: Path):
            self.folder = folder
            super().__init__()

    def __init__(self, project: Path):
        super().__init__()
        self.project = project
        self.follow = Follow(project, self)

    def on_unmount(self) -> None:
        self.follow.close()

    def on_screen_suspend(self) -> None:
        self.follow.stop()

    def notice(self, text: str) -> None:
        """Say something in the line above the footer."""
        self.query_one("#notice", Static).update(foreign.content(text))

    def action_back(self) -> None:
        self.post_message(self.Left(self.project.parent))
