"""A screen over a project's runs, one of which it follows."""

from __future__ import annotations

from pathlib import Path

from textual.message import Message
from textual.screen import Screen

from studio.runs.follow import Follow
from studio.widgets.footer import Footer
from studio.widgets.notice import Notice

WIDE = 110
"""Cells from which on names are shown in full, and things stand side by side."""


class FollowingScreen(Screen[None]):
    """Reads folders and sends commands; owns nothing, so leaving it changes nothing.

    What is known is there when the widgets are made: a picture of what is not is a dear one before the first.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (60, "-usual"), (WIDE, "-wide")]

    class Left(Message):
        """The person wants to see the projects in `folder`, or what this screen lies on."""

        def __init__(self, folder: Path):
            self.folder = folder
            super().__init__()

    def __init__(self, project: Path):
        super().__init__()
        self.project = project
        self.follow = Follow(project, self)

    def begin(self, run: str) -> None:
        """Read what there is of the run, as far as that is a matter of a moment, and fit the width."""
        self.follow.show(run)
        self.follow.look()
        fitting = [name for least, name in self.HORIZONTAL_BREAKPOINTS if least <= self.app.size.width]
        self.add_class(fitting[-1])

    def on_unmount(self) -> None:
        self.follow.close()

    def on_screen_suspend(self) -> None:
        self.follow.stop()

    def notice(self, text: str) -> None:
        """Say something in the line above the footer; what a thread says after the screen was left is not heard."""
        for line in self.query(Notice):
            line.say(text)
        self.offer()

    def offer(self) -> None:
        """Have the footer offer what can be done by now."""
        for footer in self.query(Footer):
            footer.look()

    def obstacle(self, action: str) -> str:
        """Returns why an action cannot be carried out now; empty when it can, or when only trying tells."""
        return ""

    def action_back(self) -> None:
        self.post_message(self.Left(self.project.parent))
