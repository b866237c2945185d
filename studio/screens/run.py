"""One project's runs, and one of them live: status, stages, lanes and loss curves."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Resize
from textual.widgets import OptionList
from textual.worker import Worker

from studio.actions import action_table, cli_command
from studio.runs.follow import Moved
from studio.runs.run_list import RunLine
from studio.screens.following import WIDE, FollowingScreen
from studio.terminal import glyphs, untrusted_text
from studio.widgets.curves import Curves
from studio.widgets.footer import Footer
from studio.widgets.lanes import Lanes
from studio.widgets.menu import Menu
from studio.widgets.notice import Notice
from studio.widgets.rows import Rows
from studio.widgets.stages import Stages
from studio.widgets.status import COLOURS, Status, short


class RunScreen(FollowingScreen):
    """Shows what the log says, and nothing that it does not: its own keys change nothing here."""

    CSS_PATH = "run.tcss"
    BINDINGS = action_table.bindings("run")
    PLACES: tuple[action_table.Place, ...] = ("run",)

    def __init__(self, project: Path, run: str = ""):
        """`run` names the run to begin with; left out, it is the newest."""
        super().__init__(project)
        self._first = run
        self._starting: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        self.begin(self._first)
        yield Status(self.follow, id="status")
        yield Stages(self.follow, id="stages")
        with Horizontal(id="body"):
            yield Menu(self._lines(), id="runs")
            with Vertical():
                yield Lanes(self.follow, id="lanes")
                yield self._arranged(Curves(self.follow, id="curves"))
        yield Notice()
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(Menu).put(self._lines(), self.follow.name)
        self.follow.start()

    def on_resize(self, event: Resize) -> None:
        self.tell()

    def on_screen_resume(self) -> None:
        if self.is_mounted:
            self.follow.start()

    def on_moved(self, message: Moved) -> None:
        names = {run.folder.name for run in self.follow.shelf.runs}
        if self.follow.name not in names and (names or self.follow.name):
            self._show("")
        self.tell()

    def tell(self) -> None:
        """Let every part draw what is known now."""
        self.query_one(Menu).put(self._lines())
        self._arranged(self.query_one(Curves))
        for part in self.query(Rows):
            part.tell(self.follow)
        self.offer()

    def _arranged(self, curves: Curves) -> Curves:
        """Curves have a place where there are some, and more of it while they grow."""
        state = self.follow.state
        curves.display = bool(state.curves)
        self.set_class(bool(state.curves) and state.stage == "differentiation", "training")
        return curves

    def obstacle(self, action: str) -> str:
        alive = self.follow.alive
        match action:
            case "start" if self._starting is not None and not self._starting.is_finished:
                return "A run is already starting."
            case "start" if alive:
                return f"{alive[0].folder.name} is {alive[0].verdict}; one run at a time."
            case "newer" if not self._beside(-1):
                return "This is the newest run."
            case "older" if not self._beside(1):
                return "This is the oldest run."
        return ""

    @action_table.possible
    def action_start(self) -> None:
        self.notice("Starting a run with the quick preset; it shows here as soon as its log does.")
        self._starting = self.run_worker(self._start())

    @action_table.possible
    def action_newer(self) -> None:
        self._show(self._beside(-1))

    @action_table.possible
    def action_older(self) -> None:
        self._show(self._beside(1))

    @on(OptionList.OptionSelected)
    def _selected(self, message: OptionList.OptionSelected) -> None:
        self._show(message.option.id or "")

    async def _start(self) -> None:
        """The run gets a keeper and outlives the studio."""
        outcome = await cli_command.autoact("run", str(self.project), options=("--preset", "quick", "--detach"))
        if outcome.code:
            self.notice(f"The run did not start: {outcome.why}")
        else:
            name = outcome.told.strip()
            self.notice(f"{name} started.")
            self._show(name)

    def _beside(self, step: int) -> str:
        """Returns the name of the run so many places further down the list; empty where there is none."""
        names = [run.folder.name for run in self.follow.shelf.runs]
        index = names.index(self.follow.name) + step if self.follow.name in names else -1
        return names[index] if 0 <= index < len(names) else ""

    def _show(self, name: str) -> None:
        self.follow.show(name)
        self.query_one(Menu).put(self._lines(), self.follow.name)
        self.follow.start()

    def _lines(self) -> list[tuple[str, Content]]:
        """The runs for the list; the one on the screen is bold."""
        return [(run.folder.name, self._line(run)) for run in self.follow.shelf.runs]

    def _line(self, run: RunLine) -> Content:
        name, sign = run.folder.name, glyphs.of_app(self.app).verdict(run.shown)
        weight = "bold" if name == self.follow.name else ""
        colour = COLOURS.get(run.shown, "$quiet")
        shown = short(name, tail=self.app.size.width >= WIDE)
        return Content.assemble((f" {sign} ", colour), (shown, weight), " ", untrusted_text.content(run.shown))
