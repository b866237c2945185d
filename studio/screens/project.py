"""The screen of one project: its panes behind one tab line, showing one of its runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen

from autoact.run.control.command import Command
from studio.actions import action_table, run_command
from studio.panes import SLOTS
from studio.panes.pane import Pane
from studio.runs.follow import Follow, RunChanged
from studio.terminal.redraw import Frames
from studio.widgets.footer import Footer
from studio.widgets.notice import Notice
from studio.widgets.status import Status
from studio.widgets.tab_line import TabLine

PRESS_AGAIN_S = 2.0
"""Seconds within which esc must be pressed twice to leave."""
WIDE = 110
"""Cells from which panes put a list and a text side by side."""


class ProjectScreen(Screen[None]):
    """Shows one pane; the others keep their state.

    It reads folders and sends commands, so leaving it changes no run. The first look at the run is taken before the
    widgets are made, so that the first picture already shows it.
    """

    CSS_PATH = "project.tcss"
    BINDINGS = action_table.bindings("project")
    CONTEXTS: tuple[action_table.Context, ...] = ("project",)
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (60, "-usual"), (WIDE, "-wide")]

    class Left(Message):
        """Posted when the person goes back: to the screen below, or to the projects in `folder`."""

        def __init__(self, folder: Path):
            self.folder = folder
            super().__init__()

    def __init__(self, project: Path, run: str = "", pane: str = SLOTS[0].title):
        """`run` is the run to show first, empty for the leading one; `pane` is the title of the pane to show first."""
        super().__init__()
        self.project = project
        self.follow = Follow(project, self)
        self.frames = Frames(self)
        self.shown = -1
        """Index of the pane in sight; -1 before the screen is mounted."""
        self._first_run, self._first_pane = run, _slot(pane)
        self._panes: dict[int, Pane] = {}
        self._back_pressed = -PRESS_AGAIN_S

    def compose(self) -> ComposeResult:
        self.follow.show(self._first_run)
        self.follow.refresh()
        fitting = [name for least, name in self.HORIZONTAL_BREAKPOINTS if least <= self.app.size.width]
        self.add_class(fitting[-1])
        yield Status(self.follow, id="status")
        yield TabLine([slot.title for slot in SLOTS], self._first_pane, id="tabs")
        yield Vertical(self._make_pane(self._first_pane), id="panes")
        yield Notice()
        yield Footer()

    async def on_mount(self) -> None:
        await self.show_pane(self._first_pane)
        self.follow.start()

    def on_unmount(self) -> None:
        self.follow.close()

    def on_screen_resume(self) -> None:
        if self.shown >= 0:
            self.follow.start()

    def on_screen_suspend(self) -> None:
        self.follow.stop()

    # -- panes -----------------------------------------------------------------------------------------------------

    async def show_pane(self, index: int) -> None:
        """Shows a pane, which is made the first time."""
        if index not in self._panes:
            await self.query_one("#panes").mount(self._make_pane(index))
        pane = self._panes[index]
        for at, other in self._panes.items():
            other.display = at == index
        if index != self.shown:
            self.notice("")  # it was about the other pane
        self.shown = index
        self.query_one(TabLine).show(index)
        self._focus(pane)
        pane.update()
        self.update_footer()

    def _make_pane(self, index: int) -> Pane:
        pane = self._panes[index] = SLOTS[index].load()(self)
        return pane

    def _focus(self, pane: Pane) -> None:
        first = next((widget for widget in pane.query("*") if widget.focusable and widget.display), None)
        if first is not None and (self.focused is None or pane not in self.focused.ancestors):
            first.focus()

    # -- what panes call -------------------------------------------------------------------------------------------

    def notice(self, text: str) -> None:
        """Shows a text in the line above the footer; does nothing once the screen was left."""
        for line in self.query(Notice):
            line.show(text)
        self.update_footer()

    def update_footer(self) -> None:
        """Updates the keys in the footer."""
        for footer in self.query(Footer):
            footer.refresh_keys()

    def follow_run(self, name: str) -> None:
        """Shows another run of the project in every pane; an empty name stands for the leading run."""
        self.follow.show(name)
        self.follow.start()

    def send(self, command: Command, *, start: bool = False) -> None:
        """Sends a command to the followed run's job in a thread, and shows first that it is sent, then the result.

        With `start`, a run without a job gets one.
        """
        folder = self.follow.folder
        if folder is None:
            self.notice("There is no run to send this to.")
        else:
            self.notice(run_command.progress_text(command))
            self._in_thread(lambda: run_command.deliver(folder, command, start=start).text)

    def send_all(self, commands: Sequence[Command]) -> None:
        """Sends several commands of one kind in a thread, and shows how many were accepted."""
        folder = self.follow.folder
        if folder is None or not commands:
            self.notice("There is nothing to send this to.")
        elif len(commands) == 1:
            self.send(commands[0], start=True)
        else:
            self.notice(f"{run_command.TEXTS[commands[0].do][0]} {len(commands)} trajectories ...")
            self._in_thread(lambda: run_command.deliver_all(folder, commands).text)

    def _in_thread(self, work: Callable[[], str]) -> None:
        """Runs something slow in a thread and shows the text that it returns."""
        self.run_worker(lambda: self.app.call_from_thread(self.notice, work()), thread=True)

    # -- messages and keys -----------------------------------------------------------------------------------------

    def on_run_changed(self, message: RunChanged) -> None:
        names = {run.folder.name for run in self.follow.run_list.runs}
        if self.follow.name not in names and (names or self.follow.name):  # the first run, or this one was deleted
            self.follow_run("")
        self.query_one(Status).refresh_lines(self.follow)
        if self.shown in self._panes:
            self._panes[self.shown].update()
        self.update_footer()

    def on_descendant_focus(self) -> None:
        self.update_footer()

    async def on_tab_line_picked(self, message: TabLine.Picked) -> None:
        await self.show_pane(message.index)

    async def action_task(self) -> None:
        await self.show_pane(_slot("Task"))

    async def action_tools(self) -> None:
        await self.show_pane(_slot("Tools"))

    async def action_trajectories(self) -> None:
        await self.show_pane(_slot("Trajectories"))

    async def action_training(self) -> None:
        await self.show_pane(_slot("Training"))

    async def action_group(self) -> None:
        await self.show_pane(_slot("Group"))

    async def action_lab(self) -> None:
        await self.show_pane(_slot("Lab"))

    async def action_runs(self) -> None:
        await self.show_pane(_slot("Runs"))

    async def action_next_pane(self) -> None:
        await self.show_pane((self.shown + 1) % len(SLOTS))

    async def action_previous_pane(self) -> None:
        await self.show_pane((self.shown - 1) % len(SLOTS))

    def action_zoom(self) -> None:
        self.toggle_class("zoomed")

    def action_back(self) -> None:
        """Leaves when it is pressed twice: esc also closes what a pane has opened, and one press too many is easy."""
        before, self._back_pressed = self._back_pressed, time.monotonic()
        if self._back_pressed - before < PRESS_AGAIN_S:
            self.post_message(self.Left(self.project.parent))
        else:
            self.notice("esc again goes back to the projects")


def _slot(title: str) -> int:
    """Returns the index of the pane with this title."""
    return [slot.title for slot in SLOTS].index(title)
