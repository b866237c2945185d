"""The runs of the project, newest first: their totals, their logs, and the commands on them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from autoact.errors import AutoActError
from autoact.files import disk
from autoact.lab.duration import short_duration
from autoact.run.process.dependents import check_unused, describe_loss
from autoact.run.process.health import ENDED, cause
from autoact.run.record.event_text import describe_event
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LONGEST_LINE, LogTail
from studio.actions import action_table
from studio.actions.cli_command import autoact
from studio.episodes.document import Document, Paragraph
from studio.panes.pane import Pane
from studio.panes.project_view import ProjectView
from studio.runs.machine import MachineLoad, machine_text, run_text
from studio.runs.progress import stage_of
from studio.runs.run_comparison import compare_runs
from studio.runs.run_list import RunLine
from studio.runs.run_totals import RunTotals, TotalsByRun
from studio.screens.confirm import Confirm
from studio.terminal import glyphs, untrusted_text
from studio.widgets.lists.table import Column, Table
from studio.widgets.stage_overview import StageOverview
from studio.widgets.status import short_name, verdict_of
from studio.widgets.transcripts.transcript import Transcript

COLUMNS = (
    Column("run", 18), Column("status", 16), Column("stage", 24, least=78), Column("started", 13, least=100),
    Column("time", 8, right=True, least=70), Column("kept", 6, right=True), Column("F1", 6, right=True),
    Column("tokens", 9, right=True, least=90), Column("reason", least=110),
)  # fmt: skip


GUTTER = 10
"""Cells by which the left column of a comparison is narrower than half of the pane."""
LOG_S = 0.25
"""Seconds between two readings of an open event log."""


class RunRows:
    """The runs as rows of the table."""

    def __init__(
        self, runs: Sequence[RunLine], signs: glyphs.Glyphs, followed: str, totals: TotalsByRun, now: float = 0.0
    ):
        """`now` is the time to which the work of runs with a job is counted, in unix seconds."""
        self.runs, self.signs, self.followed, self.totals, self.now = runs, signs, followed, totals, now

    def __len__(self) -> int:
        return len(self.runs)

    def row(self, index: int) -> Sequence[str | Content]:
        run = self.runs[index]
        name = Content.styled(short_name(run.folder.name), "bold" if run.folder.name == self.followed else "")
        totals = self.totals.get(run.folder)
        cells = ("", "", "", "", "")
        if totals is not None:
            cells = (
                time.strftime("%m-%d %H:%M", time.localtime(totals.started)) if totals.started else "",
                short_duration(self._seconds(run, totals)), str(totals.kept or ""),
                "" if totals.f1 is None else f"{100 * totals.f1:.1f}", _thousands(totals.tokens),
            )  # fmt: skip
        return name, verdict_of(run.label, self.signs), stage_of(run.state), *cells, _reason(run)

    def _seconds(self, run: RunLine, totals: RunTotals) -> float:
        """Returns the seconds during which a job was running; one that waits logs nothing, and its time goes on."""
        works = run.alive and run.verdict != "starting" and run.state.status not in ENDED
        return totals.seconds + (max(0.0, self.now - totals.at) if works else 0.0)

    def key(self, index: int) -> str:
        return self.runs[index].folder.name


class RunsPane(Pane):
    """Lists the runs; enter shows a run in every pane."""

    DEFAULT_CSS = """
    RunsPane #cause { height: auto; max-height: 40%; padding: 0 1; background: $surface; color: $quiet; }
    RunsPane #machine { height: auto; max-height: 4; padding: 0 1; display: none; }
    """
    CONTEXTS = ("runs",)
    BINDINGS = action_table.bindings("runs")

    def __init__(self, view: ProjectView):
        super().__init__(view)
        self._totals = TotalsByRun()
        self._runs: list[RunLine] = []
        self._followed = ""
        self._now = 0.0
        """Unix seconds of the last reading of the machine's load; 0 while no run has a job."""
        self._log: EventLog | None = None
        """The open event log."""

    def compose(self) -> ComposeResult:
        yield Table(COLUMNS, id="runs-table")
        yield Static(id="cause")
        yield StageOverview(id="stages")
        yield Static(id="machine")
        yield Transcript(id="detail", folds=())

    def on_mount(self) -> None:
        self.query_one(Table).set_hint("No runs yet: R starts one.")
        self.set_interval(LOG_S, self._update_log)

    def on_unmount(self) -> None:
        self._close_log()

    def update(self) -> None:
        runs = self.follow.run_list.runs
        if runs is not self._runs or self.follow.name != self._followed:
            changed = runs is not self._runs
            self._runs, self._followed = runs, self.follow.name
            self._renew()
            if changed:
                self.run_worker(partial(self._count, list(runs)), thread=True, group="ledger", exclusive=True)
        self._show_cause()
        self.query_one(StageOverview).refresh_lines(self.follow)

    def show_load(self, load: MachineLoad | None) -> None:
        """Shows the load in a line, and a line for each run with a job."""
        if not self.query("#machine"):  # the pane is being made
            return
        self.query_one("#machine").display = load is not None
        self._now = time.time() if load is not None else 0.0
        if load is not None:
            self._renew()
            runs = [f"{short_name(name)}: {run_text(used)}" for name, used in load.runs.items()]
            lines = [untrusted_text.content(text, "$quiet") for text in (machine_text(load), *runs)]
            self.set_text("machine", Content("\n").join(lines))

    def _renew(self) -> None:
        table = self.query_one(Table)
        chosen, cursor = table.chosen, table.cursor
        table.show(RunRows(self._runs, glyphs.app_glyphs(self.app), self._followed, self._totals, self._now))
        table.move_to(cursor)
        table.reload(key=chosen)

    def _count(self, runs: list[RunLine]) -> None:
        if any([self._totals.read(run.folder) for run in runs]):
            self.app.call_from_thread(self._renew)

    @property
    def chosen_run(self) -> RunLine | None:
        """The run under the cursor."""
        name = self.query_one(Table).chosen
        return next((run for run in self._runs if run.folder.name == name), None)

    def _show_cause(self) -> None:
        """Shows the full reason for the verdict on the run under the cursor, which the table cuts off."""
        run = self.chosen_run
        reason = _reason(run) if run else ""
        self.query_one("#cause").display = bool(reason)
        self.set_text("cause", untrusted_text.content(reason))
        self.view.update_footer()

    def on_table_cursor_moved(self) -> None:
        self._show_cause()

    def on_table_opened(self, message: Table.Opened) -> None:
        self.view.follow_run(message.key)
        self.notice(f"Every pane shows {message.key} now.")

    # -- actions ---------------------------------------------------------------------------------------------------

    def obstacle(self, action: str) -> str:
        run = self.chosen_run
        match action:
            case "up" if not self.has_class("opened"):
                return "This is the list of runs."
            case "cancel" | "delete" | "log" | "report" if run is None:
                return "No runs yet: R starts one."
            case "cancel" if run and not run.alive:
                return "This run has no job to stop."
            case "delete" if run and run.alive:
                return "Run is active; cancel it first (c)."
            case "differences" if len(self._runs) < 2:
                return "There is no other run to compare with."
        return ""

    def main_actions(self) -> Sequence[str]:
        if self.has_class("opened"):
            return ("runs.up",)
        run = self.chosen_run
        return ("runs.log", "runs.cancel") if run is not None and run.alive else ("project.run", "runs.new", "runs.log")

    def action_new(self) -> None:
        self.view.open_run_form()

    @action_table.check_obstacle
    def action_cancel(self) -> None:
        if (run := self.chosen_run) is not None:
            question = f"Stop {run.folder.name}? It can be resumed later."
            self.app.push_screen(Confirm(question), lambda yes: self.view.run_command("cancel", run) if yes else None)

    def action_delete(self) -> None:
        """Asks first. A refusal is shown in the same dialog, so that an answer typed ahead only closes it."""
        run = self.chosen_run
        if (obstacle := self.obstacle("delete")) or run is None:
            self.app.push_screen(Confirm(obstacle, tells=True))
            return
        try:
            check_unused(run.folder)
            loss = describe_loss(run.folder)
        except (AutoActError, OSError) as error:  # the boundary of a command: shown, not raised
            self.app.push_screen(Confirm(str(error), tells=True))
            return
        question = f"Delete {run.folder.name} with its log and adapters? This cannot be undone."
        dialog = Confirm(question, *([loss] if loss else []))
        self.app.push_screen(dialog, lambda yes: self.view.run_command("delete", run, "--yes") if yes else None)

    @action_table.check_obstacle
    def action_log(self) -> None:
        """Opens the run's event log at its end, which is followed."""
        if (run := self.chosen_run) is not None:
            self._close_log()
            log = self._log = EventLog(run.folder)
            self.run_worker(partial(self._read_log, log), thread=True, group="log", exclusive=True)

    @action_table.check_obstacle
    def action_differences(self) -> None:
        """Compares the run under the cursor with the followed run, or with the next older run."""
        run = self.chosen_run
        if run is None:
            return
        names = [one.folder.name for one in self._runs]
        at = names.index(run.folder.name)
        other = names.index(self._followed) if self._followed in names else at
        if other == at:
            other = at + 1 if at + 1 < len(names) else at - 1
        self._close_log()
        work = partial(self._compare, run.folder, self._runs[other].folder)
        self.run_worker(work, thread=True, group="log", exclusive=True)

    def _compare(self, one: RunFolder, other: RunFolder) -> None:
        """Reads both logs, which may be long, in a thread."""
        try:
            document = compare_runs(one, other, self.size.width // 2 - GUTTER)
        except (AutoActError, OSError) as error:  # the boundary of a command: shown, not raised
            self.app.call_from_thread(self.notice, f"compare: {error}")
            return
        self.app.call_from_thread(lambda: self._open(document, end=False))

    @action_table.check_obstacle
    def action_report(self) -> None:
        """Writes the report of the run under the cursor into the project's exports folder."""
        if (run := self.chosen_run) is not None:
            self.notice(f"reporting {run.folder.name} ...")
            self.run_worker(self._report(run))

    async def _report(self, run: RunLine) -> None:
        file = self.project / "exports" / f"{run.folder.name}.html"
        try:
            file.parent.mkdir(exist_ok=True)
        except OSError as error:  # the boundary of a command: shown, not raised
            self.notice(f"report: {error}")
            return
        result = await autoact("report", str(run.folder.path), options=(f"--html={file}",))
        self.notice(f"report: {result.reason}" if result.code else f"wrote {file.relative_to(self.project)}")

    def action_up(self) -> None:
        if self.has_class("opened"):
            self._close_log()
            self.remove_class("opened")
            self.query_one(Table).focus()
        else:
            self.view.action_back()

    def _read_log(self, log: EventLog) -> None:
        """Reads the first part, which may be long, in a thread."""
        log.read()
        self.app.call_from_thread(self._open_log, log)

    def _open_log(self, log: EventLog) -> None:
        if log is self._log:
            log.is_open = True
            self._open(log.document)

    def _update_log(self) -> None:
        """Shows the events that were added to the open log."""
        if self._log is not None and self._log.is_open and self.display and self._log.read():
            self.frames.request(self.query_one(Transcript))

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None

    def _open(self, document: Document, *, end: bool = True) -> None:
        """Shows a document at its end, which is followed, or at its beginning."""
        detail = self.query_one(Transcript)
        detail.show(document, end=end)
        self.add_class("opened")
        if self.display:
            detail.focus()
        self.frames.request(detail)


def _reason(run: RunLine) -> str:
    """Returns the reason for the run's verdict; for a foreign run, with the verdict that its log gives."""
    reason = cause(run.folder, run.state, run.verdict)
    if run.verdict == "cancelled":
        reason = "stopped by a person; it can be resumed"
    by_log = ", ".join(part for part in (run.verdict, reason) if part)
    return f"came from elsewhere ({by_log}); R asks whether to trust it" if run.foreign else reason


class EventLog:
    """The end of a run's log as a document with one paragraph per event."""

    def __init__(self, folder: RunFolder):
        size = disk.file_size(folder.events)
        self.document = Document()
        self.document.longest_part = len("00:00:00")
        self.is_open = False
        """Whether the first part has been read and shown."""
        self._tail = LogTail(folder.events, max(0, size - LONGEST_LINE - 1), numbered=False)

    def read(self) -> bool:
        """Reads what was added to the log; returns whether there was anything."""
        before = len(self.document)
        for record in self._tail.poll():
            text = describe_event(record.event) if record.event is not None else "(of a newer version)"
            at = time.strftime("%H:%M:%S", time.localtime(record.at))
            self.document.add(Paragraph("", at, f"{record.type}  {text}"))
        return len(self.document) > before

    def close(self) -> None:
        self._tail.close()


def _thousands(number: int) -> str:
    return f"{number / 1000:,.0f}k" if number >= 10_000 else str(number or "")
