"""Every run of the project, the newest first."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content

from autoact.run.liveness import cause
from studio import glyphs, keys, launch
from studio.panes.pane import Pane
from studio.shelf import RunLine
from studio.widgets.status import short, verdict_of
from studio.widgets.table import Column, Table

COLUMNS = (Column("run", 18), Column("is", 16), Column("why"))


class RunRows:
    """The shelf as the table's rows."""

    def __init__(self, runs: Sequence[RunLine], signs: glyphs.Glyphs, shown: str):
        self.runs, self.signs, self.shown = runs, signs, shown

    def __len__(self) -> int:
        return len(self.runs)

    def row(self, index: int) -> Sequence[str | Content]:
        run = self.runs[index]
        name = Content.styled(short(run.folder.name), "bold" if run.folder.name == self.shown else "")
        return name, verdict_of(run.verdict, self.signs), cause(run.folder, run.state, run.verdict)

    def key(self, index: int) -> str:
        return self.runs[index].folder.name


class RunsPane(Pane):
    """Enter shows a run in every pane."""

    PLACES = ("runs",)
    BINDINGS = keys.bindings("runs")

    def compose(self) -> ComposeResult:
        yield Table(COLUMNS, id="runs-table")

    def tell(self) -> None:
        table = self.query_one(Table)
        table.show(RunRows(self.follow.shelf.runs, glyphs.of_app(self.app), self.follow.name))

    def action_watch(self) -> None:
        """The run by itself, with its stages, lanes and curves."""
        from studio.screens.run import RunScreen

        chosen = self.query_one(Table).chosen
        if chosen:
            self.app.push_screen(RunScreen(self.project, chosen, launch.of_app(self.app)))

    def on_table_opened(self, message: Table.Opened) -> None:
        self.desk.follow_run(message.key)
