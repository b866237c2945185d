"""A project: its panes behind one tab line, over the runs that it has."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical

from autoact.run.control.command import Command
from autoact.run.record.folder import RunFolder
from studio.actions import action_table, run_command
from studio.panes import SLOTS
from studio.panes.pane import Pane
from studio.runs.follow import Moved
from studio.screens.following import FollowingScreen
from studio.terminal.redraw import Frames
from studio.widgets.footer import Footer
from studio.widgets.notice import Notice
from studio.widgets.status import Status
from studio.widgets.tabline import TabLine

AGAIN = 2.0
"""Seconds within which esc is pressed twice to leave."""


class ProjectScreen(FollowingScreen):
    """One pane is in sight; the others keep what they show."""

    CSS_PATH = "project.tcss"
    BINDINGS = action_table.bindings("project")
    PLACES: tuple[action_table.Place, ...] = ("project",)

    def __init__(self, project: Path, run: str = "", pane: int = 0):
        """`run` names the run to begin with, left out the newest; `pane` is the one to begin with."""
        super().__init__(project)
        self.frames = Frames(self)
        self._first_run, self._first_pane = run, pane
        self._panes: dict[int, Pane] = {}
        self.shown = -1
        self._wanted_back = -AGAIN

    def compose(self) -> ComposeResult:
        self.begin(self._first_run)
        yield Status(self.follow, id="status")
        yield TabLine([slot.title for slot in SLOTS], self._first_pane, id="tabs")
        yield Vertical(self._made(self._first_pane), id="panes")
        yield Notice()
        yield Footer()

    async def on_mount(self) -> None:
        await self.show_pane(self._first_pane)
        self.follow.start()

    def on_screen_resume(self) -> None:
        if self.shown >= 0:
            self.follow.start()

    async def show_pane(self, index: int) -> Pane:
        """Bring a pane into sight; the first time it is made."""
        if index not in self._panes:
            await self.query_one("#panes").mount(self._made(index))
        pane = self._panes[index]
        for at, other in self._panes.items():
            other.display = at == index
        if index != self.shown:
            self.notice("")  # what was said about another pane
        self.shown = index
        self.query_one(TabLine).show(index)
        self._focus(pane)
        pane.tell()
        self.offer()
        return pane

    def _made(self, index: int) -> Pane:
        pane = self._panes[index] = SLOTS[index].load()(self.project, self.follow)
        return pane

    def follow_run(self, name: str) -> None:
        """Show another run of the project in every pane."""
        self.follow.show(name)
        self.follow.start()

    def send(self, command: Command, *, run: RunFolder | None = None, start: bool = False) -> None:
        """Hand a command to the followed run's job, or to that of `run`; say so at once, then what came of it.

        With `start` a run without a job is given one.
        """
        folder = run or self.follow.folder
        if folder is None:
            self.notice("There is no run to tell this.")
        else:
            self.notice(run_command.under_way(command))
            self.aside(lambda: run_command.carry(folder, command, start=start).text)

    def aside(self, work: Callable[[], str]) -> None:
        """Do something slow in a thread; what it gives back is said, if anything."""
        self.run_worker(lambda: self._done(work()), thread=True)

    def _done(self, said: str) -> None:
        if said:
            self.app.call_from_thread(self.notice, said)

    def on_moved(self, message: Moved) -> None:
        names = {run.folder.name for run in self.follow.shelf.runs}
        if self.follow.name not in names and (names or self.follow.name):  # the first run, or this one was deleted
            self.follow_run("")
        self.query_one(Status).tell(self.follow)
        if self.shown in self._panes:
            self._panes[self.shown].tell()
        self.offer()

    def on_descendant_focus(self) -> None:
        self.offer()

    async def on_tab_line_picked(self, message: TabLine.Picked) -> None:
        await self.show_pane(message.index)

    async def action_task(self) -> None:
        await self.show_titled("Task")

    async def action_tools(self) -> None:
        await self.show_titled("Tools")

    async def action_trajectories(self) -> None:
        await self.show_titled("Trajectories")

    async def action_training(self) -> None:
        await self.show_titled("Training")

    async def action_group(self) -> None:
        await self.show_titled("Group")

    async def action_lab(self) -> None:
        await self.show_titled("Lab")

    async def action_runs(self) -> None:
        await self.show_titled("Runs")

    async def show_titled(self, title: str) -> None:
        """Bring the pane of this name into sight, if there is one."""
        titles = [slot.title for slot in SLOTS]
        if title in titles:
            await self.show_pane(titles.index(title))

    async def action_next_pane(self) -> None:
        await self.show_pane((self.shown + 1) % len(SLOTS))

    async def action_previous_pane(self) -> None:
        await self.show_pane((self.shown - 1) % len(SLOTS))

    def action_zoom(self) -> None:
        self.toggle_class("zoomed")

    def action_back(self) -> None:
        """Leave, if it is pressed again at once: esc also closes what a pane has opened, and one too many is easy."""
        before, self._wanted_back = self._wanted_back, time.monotonic()
        if self._wanted_back - before < AGAIN:
            super().action_back()
        else:
            self.notice("esc again goes back to the projects")

    def _focus(self, pane: Pane) -> None:
        first = next((widget for widget in pane.query("*") if widget.focusable and widget.display), None)
        if first is not None and (self.focused is None or pane not in self.focused.ancestors):
            first.focus()
