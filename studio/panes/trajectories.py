"""The trajectories of a run: the list of its episodes, and the transcript of the chosen one as it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from autoact.run.control.command import Command
from autoact.run.record.folder import RunFolder
from autoact.run.record.live import LiveTail
from autoact.trajectory import Trajectory
from studio.actions import action_table
from studio.actions.run_command import new_command
from studio.episodes.episode_list import COLUMNS, SORTS, EpisodeFilter, EpisodeList
from studio.episodes.episode_order import EpisodeOrder
from studio.episodes.facts import episode_facts
from studio.episodes.transcript_feed import export_units, read_pair
from studio.files.exports import write_export
from studio.files.view_memory import PaneMemory
from studio.panes.episode_reader import MARKED, EpisodeReader
from studio.panes.forms.episodes import edit_form, fork_form, judge_form, send_retry
from studio.panes.pane import Pane
from studio.panes.project_view import ProjectView
from studio.panes.rows.episode_obstacles import describe_maker, empty_reason, episode_obstacle
from studio.runs.run_list import ALIVE
from studio.screens.difference import DifferenceScreen
from studio.screens.prompt import PromptScreen
from studio.terminal import untrusted_text
from studio.terminal.clipboard import Copied
from studio.widgets.input_line import InputLine
from studio.widgets.lists.table import Table
from studio.widgets.transcripts.lanes import LaneTranscripts

LIVE_S = 0.1
"""Seconds between two readings of a live run's partial answers."""


class TrajectoriesPane(Pane):
    """Its keys send commands; their effect is shown when the log has it."""

    CONTEXTS = ("trajectories",)
    BINDINGS = action_table.bindings("trajectories")

    def __init__(self, view: ProjectView):
        super().__init__(view)
        self.episodes = EpisodeList(self.follow.state)
        self._order = EpisodeOrder(self, self._show_sorted)
        self._live: LiveTail | None = None
        self._live_timer: Timer | None = None
        self._run = ""
        self._keeps_unit = False
        """Whether the cursor stays on its unit, which the person chose below the first row or has changed. Else the
        pane shows whichever unit is first."""

    def compose(self) -> ComposeResult:
        yield InputLine("words of question, steps or answer, state:kept, tool:Retrieve", id="wanted", verb="filter")
        yield Static(id="matches")
        with Vertical(id="sides"):
            yield Table(COLUMNS, id="episodes")
            yield EpisodeReader(self.view, self._title, id="read")
            yield Static(id="facts")
            yield LaneTranscripts(id="lanes")

    def on_mount(self) -> None:
        self._live_timer = self.set_interval(LIVE_S, self._read_live, pause=True)

    def on_unmount(self) -> None:
        self._order.cancel()
        if self._live is not None:
            self._live.close()

    @property
    def table(self) -> Table:
        return self.query_one("#episodes", Table)

    @property
    def reader(self) -> EpisodeReader:
        return self.query_one("#read", EpisodeReader)

    @property
    def unit(self) -> str:
        """The unit in the transcript; empty when there is none."""
        return self.reader.unit()

    @property
    def is_comparing(self) -> bool:
        """True while the marked unit is shown beside the chosen one."""
        return self.has_class("comparing")

    @property
    def order(self) -> str:
        return "" if self.episodes.sort == SORTS[0] else self.episodes.sort

    @order.setter
    def order(self, order: str) -> None:
        self.episodes.sort = order if order in SORTS else SORTS[0]

    def restore(self, memory: PaneMemory, *, rows: bool) -> None:
        self.episodes.filter = EpisodeFilter.parse(memory.filters.get("wanted", ""))  # before the first rows are shown
        super().restore(memory, rows=rows)

    # -- the state of the run --------------------------------------------------------------------------------------

    def update(self) -> None:
        if self.follow.name != self._run:
            self._change_run()
        alive = self.follow.verdict in ALIVE
        if self._live_timer is not None:
            self._live_timer.resume() if alive else self._live_timer.pause()
        self._mark_partial_answers()
        changed, self.episodes.alive = alive != self.episodes.alive, alive
        self._order.change(self.episodes, now=changed)
        self.table.set_hint(empty_reason(self.episodes, self.follow))
        self.reader.refresh_text(self._live)
        self._draw_lanes()
        self._show_facts()

    def _show_facts(self) -> None:
        """Shows what is known of the chosen episode beside its text, on broad screens."""
        if self.query_one("#facts").display:
            self.set_text("facts", episode_facts(self.follow.state, self.unit) if self.unit else Content())

    def _change_run(self) -> None:
        self._run, self._keeps_unit = self.follow.name, False
        self._order.cancel()
        if self._live is not None:
            self._live.close()
        self.reader.refresh_text(None)
        self._compare_with("")
        self.reader.close()
        before = self.episodes
        self.episodes = EpisodeList(self.follow.state)
        self.episodes.sort, self.episodes.filter = before.sort, before.filter
        self._live = LiveTail(self.follow.folder) if self.follow.folder else None
        self.table.show(self.episodes)

    def _show_sorted(self, units: list[str]) -> None:
        table = self.table
        kept = table.chosen if self._keeps_unit or self.reader.is_focused else None
        self.episodes.units = units
        table.reload(key=kept)
        table.set_hint(empty_reason(self.episodes, self.follow))
        self.query_one("#matches").display = bool(matches := self.episodes.describe_matches())
        self.set_text("matches", Content(matches))
        if not units:
            self.reader.close()
        if table.chosen and self.unit != table.chosen:
            self.reader.open(table.chosen)
        self._show_facts()

    def _read_live(self) -> None:
        if self._live is None or self.follow.verdict not in ALIVE or not self.is_on_screen:
            return
        if self._live.read():
            self._mark_partial_answers()
            self.reader.refresh_text(self._live)
            self._draw_lanes()

    def _mark_partial_answers(self) -> None:
        if self.episodes.set_partial_answers(self._live.partial_answers if self._live else {}):
            self.table.reload()

    def _draw_lanes(self) -> None:
        if self.has_class("lanes"):
            self.query_one(LaneTranscripts).draw(self.follow.state, self._live, self._title, self.frames)

    def _title(self, unit: str) -> str:
        made = describe_maker(self.follow.state, unit)
        return f"{unit}  {self.episodes.question(unit)}{f'  ({made})' if made else ''}"

    @on(Table.CursorMoved)
    def _cursor_moved(self) -> None:
        self._keeps_unit = self.table.cursor > 0
        if self.table.chosen:
            self.reader.open(self.table.chosen)
        self._show_facts()

    @on(Table.Opened)
    def _row_opened(self) -> None:
        self.reader.focus_text()

    # -- keys ------------------------------------------------------------------------------------------------------

    def obstacle(self, action: str) -> str:
        if found := episode_obstacle(action, self.reader, self.episodes, self.follow):
            return found
        match action:
            case "keep" | "drop" if not self._judgeable():
                return "Only finished trajectories of synthesis are kept or dropped."
            case "compare" if not self.is_comparing and not self.episodes.other_marked(self.unit):
                return "Mark one with m, choose another, then compare."
            case "differ" if not self._pair():
                return "Mark one with m and choose another, or choose a fork."
            case "lanes" if not self.follow.state.lanes.units and not self.has_class("lanes"):
                return "No episode is in flight."
            case "up" if self._level() == "":
                return "This is the list."
        return ""

    def footer_word(self, action: str) -> str:
        """Returns the footer's label for an action whose effect depends on the state."""
        match action:
            case "hold":
                return "resume" if self.episodes.is_held(self.unit) else "pause"
            case "lanes" if self.has_class("lanes"):
                return "list"
            case "compare" if self.is_comparing:
                return "one alone"
            case "keep" | "drop" | "retry" | "export" if len(self.episodes.marks) > 1:
                return f"{action} {len(self.episodes.marks)}"
            case "up":
                return {"filter": "show all", "lanes": "list", "compare": "one alone"}.get(self._level(), "list")
        return ""

    def main_actions(self) -> Sequence[str]:
        """Returns the comparison first when two episodes can be compared; in a run without a job, fork, filter and
        run."""
        if self._level() or not self.obstacle("compare"):
            return "trajectories.up", "trajectories.compare"
        return () if self.follow.verdict in ALIVE else ("trajectories.fork", "trajectories.filter", "project.run")

    @action_table.check_obstacle
    def action_hold(self) -> None:
        """Pauses or resumes the unit if it is being played, else the whole run."""
        state, unit = self.follow.state, self.unit
        if unit not in state.lanes.units or (state.status == "paused" and unit not in state.halted):
            self.action_hold_run()
        else:
            self._keeps_unit = True
            self.view.send(new_command("resume" if unit in state.halted else "pause", unit))

    @action_table.check_obstacle
    def action_hold_run(self) -> None:
        self.view.send(new_command("resume" if self.follow.state.status == "paused" else "pause"))

    @action_table.check_obstacle
    def action_step(self) -> None:
        self._keeps_unit = True
        self.view.send(new_command("step", self.unit))

    @action_table.check_obstacle
    def action_retry(self) -> None:
        """Asks again: all marked episodes from their start, else the chosen one from the start or the cursor."""
        units = [unit for unit in self.episodes.taken(self.unit) if self.episodes.is_of_current_stage(unit)]
        before = None if self.episodes.marks else self.reader.first_retried()
        send_retry(self.view, units, before, self._note_change)

    @action_table.check_obstacle
    def action_edit(self) -> None:
        if (answer := self.reader.answer()) is not None:
            self.app.push_screen(edit_form(self.view, self.unit, answer, self._note_change))

    @action_table.check_obstacle
    def action_fork(self) -> None:
        if (answer := self.reader.answer()) is not None:
            self.app.push_screen(fork_form(self.view, self.unit, answer))

    @action_table.check_obstacle
    def action_prompt(self) -> None:
        folder, answer = self.reader.maker(), self.reader.answer()
        if folder is not None and answer is not None:
            self.app.push_screen(PromptScreen(folder, self.unit, answer.owner))

    @action_table.check_obstacle
    def action_keep(self) -> None:
        self.app.push_screen(judge_form(self.view, self._judgeable(), self._note_change, keep=True))

    @action_table.check_obstacle
    def action_drop(self) -> None:
        self.app.push_screen(judge_form(self.view, self._judgeable(), self._note_change, keep=False))

    @action_table.check_obstacle
    def action_undo(self) -> None:
        commands = self.episodes.undo.pop()
        if commands and (commands[0].do == "judge" or self.follow.verdict in ALIVE):
            self.view.send_all(commands, label="undone: ")
        else:
            self.notice("This cannot be undone: keep or drop by hand (K, x); u undoes the change before it.")

    def _note_change(self, undo: list[Command]) -> None:
        self._keeps_unit = True
        self.episodes.note_change(undo)
        self.table.reload()

    def _judgeable(self) -> list[str]:
        """Returns the units that can be kept or dropped now."""
        return [unit for unit in self.episodes.taken(self.unit) if unit in self.follow.state.trajectories]

    @action_table.check_obstacle
    def action_mark(self) -> None:
        self.episodes.mark(self.table.chosen or "")
        self._show_marks()

    @action_table.check_obstacle
    def action_mark_all(self) -> None:
        self.episodes.mark_all()
        self._show_marks()

    def _show_marks(self) -> None:
        count = len(self.episodes.marks)
        self.table.reload()
        self.notice(f"{count} marked" if count else "none marked")

    @action_table.check_obstacle
    def action_compare(self) -> None:
        """Shows the marked trajectory beside the chosen one, or the chosen one alone again."""
        self._compare_with("" if self.is_comparing else self.episodes.other_marked(self.unit))

    @action_table.check_obstacle
    def action_differ(self) -> None:
        """Shows what differs between the marked and the chosen trajectory, or between a fork and its parent."""
        folder, pair = self.follow.folder, self._pair()
        if folder is not None and pair:
            one, other = pair
            self.app.push_screen(DifferenceScreen(one, other, lambda: read_pair(folder, self.follow.state, pair)))

    def _pair(self) -> tuple[str, str] | None:
        return self.episodes.find_pair(self.unit, self.follow.state.lanes.forks)

    def _compare_with(self, unit: str) -> None:
        """Shows another unit beside the chosen one; with an empty name, the chosen one alone."""
        self.set_class(bool(unit), "comparing")
        if unit:
            self.reader.open(unit, MARKED)
        else:
            self.reader.close(MARKED)

    @action_table.check_obstacle
    def action_lanes(self) -> None:
        self.toggle_class("lanes")
        self.query_one("#lane-0" if self.has_class("lanes") else "#episodes").focus()
        self.update()

    @action_table.check_obstacle
    def action_sort(self) -> None:
        self.episodes.sort = SORTS[(SORTS.index(self.episodes.sort) + 1) % len(SORTS)]
        self._order.change(self.episodes, now=True)
        self.notice(f"Sorted by {self.order}." if self.order else "In the order of the log.")

    @action_table.check_obstacle
    def action_filter(self) -> None:
        (line := self.query_one("#wanted", InputLine)).open(line.value)

    @on(Input.Changed, "#wanted")
    def _filter_changed(self, message: Input.Changed) -> None:
        self.episodes.filter = EpisodeFilter.parse(message.value)
        self._order.change(self.episodes, now=True)

    @on(Input.Submitted, "#wanted")
    @on(InputLine.Closed)
    def _focus_list(self) -> None:
        self.table.focus()

    @action_table.check_obstacle
    def action_export(self) -> None:
        """Writes the marked units, else the chosen one, as JSON into the project's exports folder, and copies them."""
        folder, units = self.follow.folder, self.episodes.taken(self.unit)
        if folder is not None:
            name = units[0] if len(units) == 1 else f"{len(units)}-trajectories"
            found = {unit: self.episodes.trajectory(unit) for unit in units}
            self.run_worker(partial(self._export, folder, found, f"{folder.name}-{name}.json"), thread=True)

    def _export(self, folder: RunFolder, found: Mapping[str, Trajectory | None], name: str) -> None:
        try:
            text = export_units(folder, self.follow.state, found)
            file = write_export(self.project, name, text.encode())
        except OSError as error:  # the boundary of a command: shown, not raised
            self.app.call_from_thread(self.notice, f"Not exported: {error}")
        else:
            self.post_message(Copied(untrusted_text.whole(text), f"{file} written; "))

    def action_up(self) -> None:
        """Leaves the innermost level: the filter, the lanes, the comparison, the transcript, or the project."""
        match self._level():
            case "filter":
                self.query_one("#wanted", InputLine).action_leave_line()
            case "lanes":
                self.action_lanes()
            case "compare":
                self.action_compare()
            case "text":
                self.table.focus()
            case _:
                self.view.action_back()

    def _level(self) -> str:
        """Returns the level that esc leaves; empty on the list."""
        levels = {
            "filter": self.query_one("#wanted", InputLine).has_class("shown"), "lanes": self.has_class("lanes"),
            "compare": self.is_comparing, "text": not self.table.has_focus,
        }  # fmt: skip
        return next((name for name, is_open in levels.items() if is_open), "")
