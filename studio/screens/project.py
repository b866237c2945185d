"""The screen of one project: its panes behind one tab line, showing one of its runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import Lock

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker

from autoact.run.control.command import Command
from autoact.run.process.leading import leading_run
from studio.actions import action_table, remote_machine, run_command
from studio.actions.remote_machine import CommandResult
from studio.files.view_memory import PaneMemory, ProjectMemory, save_view
from studio.panes import SLOTS
from studio.panes.pane import Pane
from studio.runs.follow import Follow, RunChanged
from studio.runs.machine import MachineLoad, MachineMeter
from studio.runs.run_list import RunLine
from studio.screens.run_control import RunControl, Verb
from studio.terminal.redraw import Frames
from studio.widgets.footer import Footer
from studio.widgets.method_line import MethodLine
from studio.widgets.notice import STAYS_S, Notice
from studio.widgets.status import Status
from studio.widgets.tab_line import TabLine

LOAD_S = 3.0
"""Seconds between two readings of the machine's load."""
LINE_S = 1.0
"""Seconds between two looks at the line to another machine."""
PRESS_AGAIN_S = 2.0
"""Seconds within which esc must be pressed twice to leave."""
REMEMBER_S = 5.0
"""Seconds between two savings of what is shown, if it has changed."""
WIDE, BROAD = 110, 160
"""Cells from which panes put a list and a text side by side, and details beside them."""
TALL = 22
"""Lines from which panes show the stages below a list."""


class ProjectScreen(Screen[None]):
    """Shows one pane; the others keep their state.

    It reads folders and sends commands, so leaving it changes no run. The first look at the run is taken before the
    widgets are made, so that the first picture already shows it.
    """

    CSS_PATH = "project.tcss"
    BINDINGS = action_table.bindings("project")
    CONTEXTS: tuple[action_table.Context, ...] = ("project",)
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (60, "-usual"), (WIDE, "-wide"), (BROAD, "-broad")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (TALL, "-tall")]

    class Left(Message):
        """Posted when the person goes back: to the screen below, or to the projects in `folder`."""

        def __init__(self, folder: Path):
            self.folder = folder
            super().__init__()

    def __init__(self, project: Path, run: str = "", pane: str = "", memory: ProjectMemory | None = None):
        """`run` and `pane` are the name of the run and the title of the pane to show first; empty for those in
        `memory`, else for the leading run and the first pane."""
        super().__init__()
        self.project = project
        self.follow = Follow(project, self)
        self.frames = Frames(self)
        self.shown = -1
        """Index of the pane in sight; -1 before the screen is mounted."""
        self._memory = memory or ProjectMemory()
        """The view of last time; it is used for each pane when that is first shown."""
        self._first_run, self._first_pane = run, _slot(pane or self._memory.pane)
        self._restored: set[int] = set()
        self._saved = self._memory
        self._panes: dict[int, Pane] = {}
        self._back_pressed = -PRESS_AGAIN_S
        self._control = RunControl(self)
        self.load: MachineLoad | None = None
        """The load of the machine; None while no run has a job."""
        self._meter: MachineMeter | None = None
        self._reading = Lock()

    def compose(self) -> ComposeResult:
        self._follow_first()
        self.follow.refresh()
        for size, points in zip(self.app.size, (self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS), strict=True):
            self.add_class([name for least, name in points if least <= size][-1])
        yield Status(self.follow, id="status")
        yield TabLine([slot.title for slot in SLOTS], self._first_pane, id="tabs")
        yield MethodLine(self.follow, id="method")
        yield Vertical(self._make_pane(self._first_pane), id="panes")
        yield Notice()
        yield Footer()

    async def on_mount(self) -> None:
        await self.show_pane(self._first_pane)
        self.follow.start()
        self.set_interval(REMEMBER_S, self.save_view)
        self.set_interval(LOAD_S, self.read_load)
        if remote_machine.current():
            self.set_interval(LINE_S, self._show_line)

    def _follow_first(self) -> None:
        """Follows the run that was named, else the one of last time, unless only another one is alive, else the
        leading one."""
        self.follow.show(self._first_run)
        last, leading = self._memory.run, self.follow.name
        runs = {run.folder.name: run for run in self.follow.run_list.runs}
        wanted = not self._first_run and self._memory.chosen and last in runs
        if wanted and (runs[last].alive or not runs[leading].alive):
            self.follow.show(last)

    def on_unmount(self) -> None:
        self.follow.close()

    @property
    def live_runs(self) -> list[str]:
        """Names of the runs that go on when the studio is left."""
        return [run.folder.name for run in self.follow.alive]

    def on_screen_resume(self) -> None:
        if self.shown >= 0:
            self.follow.start()

    def on_screen_suspend(self) -> None:
        self.follow.finish()

    @property
    def roots(self) -> list[Path]:
        """The projects of whose runs the person is told."""
        return [self.project]

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
        if index not in self._restored:
            self._restored.add(index)
            memory = self._memory.panes.get(SLOTS[index].title, PaneMemory())
            pane.restore(memory, rows=self.follow.name == self._memory.run)
        self._show_method()
        self._focus(pane)
        pane.update()
        pane.show_load(self.load)
        self.update_footer()

    def save_view(self) -> None:
        """Remembers what is shown, if it has changed."""
        leading = leading_run(self.follow.run_list.runs)
        chosen = bool(self.follow.name and leading and leading.folder.name != self.follow.name)
        seen = {SLOTS[index].title: self._panes[index].make_memory() for index in self._restored}
        panes = {**self._memory.panes, **seen}
        view = ProjectMemory(SLOTS[self.shown].title, self.follow.name, chosen, panes)
        if self.shown >= 0 and view != self._saved:
            self._saved = view
            if problem := save_view(self.project, view, here=not remote_machine.current()):
                self.notice(problem)

    def _show_method(self) -> None:
        line = self.query_one(MethodLine)
        line.pane = SLOTS[self.shown].title.lower() if self.shown >= 0 else ""
        line.refresh_lines(self.follow)

    def _make_pane(self, index: int) -> Pane:
        pane = self._panes[index] = SLOTS[index].load()(self)
        return pane

    def _focus(self, pane: Pane) -> None:
        first = next((widget for widget in pane.query("*") if widget.focusable and _is_shown(widget)), None)
        if first is not None and (self.focused is None or pane not in self.focused.ancestors):
            first.focus()

    # -- the machine -----------------------------------------------------------------------------------------------

    def read_load(self) -> None:
        """Reads the load of the machine in a thread while a run has a job; otherwise an idle screen draws nothing."""
        if any(worker.is_running for worker in self.workers if worker.group == "load"):
            return  # another machine answers slowly
        if self.is_current and self.follow.alive:
            self.run_worker(partial(self._read_load, list(self.follow.run_list.runs)), thread=True, group="load")
        elif self.load is not None and not self.follow.alive:
            self._show_load(None)

    def _read_load(self, runs: list[RunLine]) -> None:
        load: MachineLoad | None
        with self._reading:
            if machine := remote_machine.current():
                load = machine.read_load()
            else:
                self._meter = self._meter or MachineMeter(self.project)
                load = self._meter.read(runs)
        self.app.call_from_thread(self._show_load, load)

    def _show_line(self) -> None:
        """Shows the state of the line to the other machine, and what became of an edit that it refused."""
        if (machine := remote_machine.current()) and (text := machine.take_notice()):
            self.notice(text)
        self.query_one(Status).refresh_lines(self.follow)

    def _show_load(self, load: MachineLoad | None) -> None:
        self.load = load
        for status in self.query(Status):  # there is none once the screen was left
            status.load = load
            status.refresh_lines(self.follow)
        if self.shown in self._panes:
            self._panes[self.shown].show_load(load)

    # -- what panes call -------------------------------------------------------------------------------------------

    def notice(self, text: str, seconds: float = STAYS_S) -> None:
        """Shows a text in the line above the footer; does nothing once the screen was left."""
        for line in self.query(Notice):
            line.show(text, seconds)
        self.update_footer()

    def update_footer(self) -> None:
        """Updates the keys in the footer."""
        for footer in self.query(Footer):
            footer.refresh_keys()

    def follow_run(self, name: str) -> None:
        """Shows another run of the project in every pane; an empty name stands for the leading run."""
        self.follow.show(name)
        self.follow.start()

    async def show_episode(self, run: str, unit: str) -> None:
        """Shows an episode of a run in the trajectories pane."""
        self.follow_run(run)
        await self.show_pane(_slot("Trajectories"))
        self._panes[self.shown].find_row(unit)

    def open_run_form(self) -> None:
        """Opens the form of a new run."""
        self._control.open_form()

    def open_settings(self, wanted: str = "") -> None:
        """Opens the form of the project's settings, at first only with those that have this text."""
        self._control.open_settings(wanted)

    def run_command(self, verb: Verb, run: RunLine, *options: str) -> None:
        """Runs `autoact VERB RUN` and shows its result."""
        self._control.command(verb, run, *options)

    def reread_runs(self) -> None:
        """Reads the list of runs again, after a command has changed it."""
        self.follow.run_list.refresh()
        self.post_message(RunChanged(self.follow))

    def send(self, command: Command, *, start: bool = False) -> None:
        """Sends a command to the followed run's job in a thread, and shows first that it is sent, then the result.

        With `start`, a run without a job gets one.
        """
        folder = self.follow.folder
        if folder is None:
            self.notice("There is no run to send this to.")
        else:
            self.notice(run_command.progress_text(command))
            self._in_thread(lambda: run_command.deliver(folder, command, start=start))

    def send_all(
        self, commands: Sequence[Command], on_accepted: Callable[[], object] | None = None, label: str = ""
    ) -> Worker[CommandResult]:
        """Sends several commands of one kind in a thread, and shows how many were accepted, after the label."""
        folder = self.follow.folder
        if folder is None or not commands:
            return self._in_thread(lambda: CommandResult(False, "There is nothing to send this to."))
        if len(commands) == 1:
            self.notice(run_command.progress_text(commands[0]))
            return self._in_thread(lambda: run_command.deliver(folder, commands[0], start=True), on_accepted, label)
        self.notice(run_command.progress_of_all(commands))
        return self._in_thread(lambda: run_command.deliver_all(folder, commands), on_accepted, label)

    async def send_typed(self, commands: Sequence[Command], on_accepted: Callable[[], object] | None = None) -> str:
        """Sends commands as `send_all`, and returns the reason if none is accepted, so that a form can stay open."""
        # A person who leaves the form cancels this coroutine, but not the worker, which shows the result.
        result = await asyncio.shield(self.send_all(commands, on_accepted).wait())
        return "" if result.accepted else result.text

    def _in_thread(
        self, work: Callable[[], CommandResult], on_accepted: Callable[[], object] | None = None, label: str = ""
    ) -> Worker[CommandResult]:
        """Sends commands in a thread, shows the text of the result, and calls `on_accepted` if one was accepted."""

        def send() -> CommandResult:
            result = work()
            self.app.call_from_thread(self.notice, f"{label if result.accepted else ''}{result.text}")
            if result.accepted and on_accepted is not None:
                self.app.call_from_thread(on_accepted)
            return result

        return self.run_worker(send, thread=True)

    # -- messages and keys -----------------------------------------------------------------------------------------

    def on_run_changed(self, message: RunChanged) -> None:
        names = {run.folder.name for run in self.follow.run_list.runs}
        if self.follow.name not in names and (names or self.follow.name):  # the first run, or this one was deleted
            self.follow_run("")
        self.query_one(Status).refresh_lines(self.follow)
        self._show_method()
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

    # -- runs ------------------------------------------------------------------------------------------------------

    @property
    def _chosen_run(self) -> RunLine | None:
        return self._panes[self.shown].chosen_run if self.shown in self._panes else None

    def obstacle(self, action: str) -> str:
        """Returns the reason why an action is impossible now; empty when it is possible."""
        return self._control.obstacle(self._chosen_run) if action == "run" else ""

    def footer_word(self, action: str) -> str:
        """Returns the footer's label for an action whose effect depends on the state."""
        return "resume" if action == "run" and self._control.can_resume(self._chosen_run) else ""

    def action_run(self) -> None:
        """Resumes the run that the pane shows if that is possible, else opens the form of a new one."""
        self._control.start_or_resume(self._chosen_run)

    def action_settings(self) -> None:
        self.open_settings()

    def action_zoom(self) -> None:
        self.toggle_class("zoomed")

    def action_back(self) -> None:
        """Leaves when it is pressed twice: esc also closes what a pane has opened, and one press too many is easy."""
        before, self._back_pressed = self._back_pressed, time.monotonic()
        if self._back_pressed - before < PRESS_AGAIN_S:
            self.save_view()
            self.post_message(self.Left(self.project.parent))
        else:
            away = "leaves" if remote_machine.current() else "goes back to the projects"
            self.notice(f"esc again {away}", PRESS_AGAIN_S)


def _slot(title: str) -> int:
    """Returns the index of the pane with this title; of the first pane for any other title."""
    return next((index for index, slot in enumerate(SLOTS) if slot.title == title), 0)


def _is_shown(widget: Widget) -> bool:
    """Returns whether neither the widget nor anything around it is hidden."""
    return all(node.display for node in widget.ancestors_with_self)
