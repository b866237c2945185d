"""Every run of the project, the newest first."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from textual.app import ComposeResult
from textual.content import Content

from autoact import disk, trust
from autoact.errors import BadInput
from autoact.events import Event
from autoact.run.folder import RunFolder
from autoact.run.liveness import cause
from autoact.run.log import LONGEST_LINE, LogTail
from autoact.run.words import words
from studio import glyphs, keys
from studio.document import Document, Passage
from studio.errand import autoact
from studio.figures import Ledger
from studio.follow import Follow
from studio.panes.pane import Pane
from studio.progress import STAGES, stage_of
from studio.screens.confirm import Confirm
from studio.screens.form import Field, Form, Values
from studio.settings import differences
from studio.shelf import ALIVE, RunLine
from studio.widgets.status import short, verdict_of
from studio.widgets.table import Column, Table
from studio.widgets.transcript import Transcript

COLUMNS = (
    Column("run", 18), Column("is", 16), Column("stage", 24, least=78), Column("started", 13, least=100),
    Column("time", 8, right=True, least=70), Column("kept", 6, right=True), Column("F1", 6, right=True),
    Column("tokens", 9, right=True, least=90), Column("because", least=110),
)  # fmt: skip


class RunRows:
    """The shelf as the table's rows."""

    def __init__(self, runs: Sequence[RunLine], signs: glyphs.Glyphs, shown: str, ledger: Ledger):
        self.runs, self.signs, self.shown, self.ledger = runs, signs, shown, ledger

    def __len__(self) -> int:
        return len(self.runs)

    def row(self, index: int) -> Sequence[str | Content]:
        run = self.runs[index]
        name = Content.styled(short(run.folder.name), "bold" if run.folder.name == self.shown else "")
        figures = self.ledger.look(run.folder)
        why = _why(run)
        cells = ("", "", "", "", "")
        if figures is not None:
            cells = (
                time.strftime("%m-%d %H:%M", time.localtime(figures.started)) if figures.started else "",
                _spell(figures.seconds), str(figures.kept or ""),
                "" if figures.f1 is None else f"{100 * figures.f1:.1f}", _thousands(figures.tokens),
            )  # fmt: skip
        return name, verdict_of(run.shown, self.signs), stage_of(run.state).replace("_", " "), *cells, why

    def key(self, index: int) -> str:
        return self.runs[index].folder.name


class RunsPane(Pane):
    """Enter shows a run in every pane."""

    PLACES = ("runs",)
    BINDINGS = keys.bindings("runs")

    def __init__(self, project: Path, follow: Follow):
        super().__init__(project, follow)
        self._ledger = Ledger()
        self._seen: list[RunLine] = []
        self._shown = ""

    def compose(self) -> ComposeResult:
        yield Table(COLUMNS, id="runs-table")
        yield Transcript(id="detail")

    def tell(self) -> None:
        runs = self.follow.shelf.runs
        if runs is not self._seen or self.follow.name != self._shown:
            changed = runs is not self._seen
            self._seen, self._shown = runs, self.follow.name
            self._renew()
            if changed:
                self.run_worker(partial(self._count, list(runs)), thread=True, group="ledger", exclusive=True)

    def _renew(self) -> None:
        table = self.query_one(Table)
        chosen, cursor = table.chosen, table.cursor
        table.show(RunRows(self._seen, glyphs.of_app(self.app), self._shown, self._ledger))
        table.point(cursor)
        table.renew(key=chosen)

    def _count(self, runs: list[RunLine]) -> None:
        if any([self._ledger.read(run.folder) for run in runs]):
            self.app.call_from_thread(self._renew)

    @property
    def _chosen(self) -> RunLine | None:
        name = self.query_one(Table).chosen
        return next((run for run in self._seen if run.folder.name == name), None)

    def on_table_pointed(self, message: Table.Pointed) -> None:
        """Why the run is so, also where the table has no room for it."""
        run = self._chosen
        self.notice(_why(run) if run else "")

    def on_table_opened(self, message: Table.Opened) -> None:
        self.desk.follow_run(message.key)

    # -- actions ---------------------------------------------------------------------------------------------------

    def action_watch(self) -> None:
        """The run by itself, with its stages, lanes and curves."""
        from studio.screens.run import RunScreen

        if self._chosen is not None:
            self.app.push_screen(RunScreen(self.project, self._chosen.folder.name))

    def action_new(self) -> None:
        fields = [
            Field("preset", "preset", "quick", words=("quick", "full")),
            Field("first", "from stage", words=STAGES),
            Field("last", "to stage", STAGES[-1], words=STAGES),
        ]
        self.app.push_screen(Form("A new run", fields, self._start))

    async def _start(self, values: Values) -> str:
        first, last = values["first"], values["last"]
        options = ("--new", "--detach", "--preset", values["preset"], "--from", first, "--to", last)
        outcome = await autoact("run", str(self.project), options=options)
        if outcome.code:
            return outcome.why
        self.desk.follow_run("")
        return ""

    def action_resume(self) -> None:
        run = self._chosen
        if run is None:
            self.action_new()
        elif run.foreign and not run.alive:
            self._ask_for_trust(run)
        elif run.alive or run.verdict == "finished":
            self.notice(f"{run.folder.name} is {run.verdict}; n starts another.")
        else:
            self._do("resume", run, "--detach")

    def _ask_for_trust(self, run: RunLine) -> None:
        """A foreign run goes on only with settings, material and adapters that the person has looked at."""
        waiting = trust.RULES["run"]["chosen"].told, trust.RULES["run"]["run"].told
        reason = f"{run.folder.name} came from elsewhere. Until you trust it, it is {waiting[0]}, and {waiting[1]}."
        self.app.push_screen(
            Confirm("Trust this run?", reason), lambda yes: self._do("trust", run, "--yes") if yes else None
        )

    def action_cancel(self) -> None:
        run = self._chosen
        if run is None or run.verdict not in ALIVE:
            self.notice("This run has no job to stop.")
        else:
            question = f"Stop {run.folder.name}? It can go on later."
            self.app.push_screen(Confirm(question), lambda yes: self._do("cancel", run) if yes else None)

    def action_delete(self) -> None:
        run = self._chosen
        if run is None or run.verdict in ALIVE:
            self.notice("A run that has a job is not deleted: cancel it first.")
        else:
            question = f"Delete {run.folder.name} with its log and adapters? This cannot be undone."
            self.app.push_screen(Confirm(question), lambda yes: self._do("delete", run, "--yes") if yes else None)

    def action_log(self) -> None:
        run = self._chosen
        if run is not None:
            self.notice(f"The end of {run.folder.name}'s log.")
            self.run_worker(partial(self._read_log, run.folder), thread=True, group="log", exclusive=True)

    def action_differences(self) -> None:
        """The run under the cursor and the followed one; on the followed one itself, the next older."""
        run = self._chosen
        names = [one.folder.name for one in self._seen]
        if run is None or len(names) < 2:
            self.notice("There is nothing to compare with.")
            return
        at = names.index(run.folder.name)
        other = names.index(self._shown) if self._shown in names else at
        if other == at:
            other = at + 1 if at + 1 < len(names) else at - 1
        self._open(_compared(run.folder, self._seen[other].folder))

    def action_up(self) -> None:
        if self.has_class("opened"):
            self.remove_class("opened")
            self.query_one(Table).focus()
        else:
            self.desk.action_back()

    def _do(self, verb: str, run: RunLine, *options: str) -> None:
        self.notice(f"{verb}: {run.folder.name} …")
        self.run_worker(self._done(verb, run, options))

    async def _done(self, verb: str, run: RunLine, options: tuple[str, ...]) -> None:
        outcome = await autoact(verb, str(run.folder.path), options=options)
        self.notice(f"{verb}: {outcome.why if outcome.code else 'done'}")
        self.follow.shelf.look()
        if verb == "delete" and run.folder.name == self.follow.name:
            self.desk.follow_run("")
        self.tell()

    def _read_log(self, folder: RunFolder) -> None:
        document = _log(folder)
        self.app.call_from_thread(self._open, document)

    def _open(self, document: Document) -> None:
        detail = self.query_one(Transcript)
        detail.show(document)
        self.add_class("opened")
        detail.focus()
        self.frames.ask(detail)


def _why(run: RunLine) -> str:
    """Why the run is as it is, and for a foreign one also what its log says of it."""
    why = cause(run.folder, run.state, run.verdict)
    told = ", ".join(part for part in (run.verdict, why) if part)
    return f"came from elsewhere ({told}); r asks whether to trust it" if run.foreign else why


def _log(folder: RunFolder) -> Document:
    """The end of a log in words."""
    begin = max(0, disk.file_size(folder.events) - LONGEST_LINE - 1)
    tail = LogTail(folder.events, begin, numbered=False)
    try:
        return Document(
            Passage("meta", time.strftime("%H:%M:%S", time.localtime(record.at)), _line(record.event, record.type), -1)
            for record in tail.poll()
        )
    finally:
        tail.close()


def _line(event: object, kind: str) -> str:

    return f"{kind}  {words(event) if isinstance(event, Event) else '(of a newer version)'}"


def _compared(one: RunFolder, other: RunFolder) -> Document:
    found = Document([Passage("meta", "runs", f"{one.name}  |  {other.name}")])
    try:
        rows = differences(one.read_config(), other.read_config())
    except BadInput as error:
        rows = [("not readable", str(error), "")]
    for name, left, right in rows:
        found.add(Passage("world", "setting", f"{name}:  {left}  |  {right}"))
    if not rows:
        found.add(Passage("world", "setting", "The same settings."))
    return found


def _spell(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600}h{whole // 60 % 60:02d}" if whole >= 3600 else f"{whole // 60}m{whole % 60:02d}"


def _thousands(number: int) -> str:
    return f"{number / 1000:,.0f}k" if number >= 10_000 else str(number or "")
