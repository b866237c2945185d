"""The training of plan, tool and reflect, side by side or one at a time."""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.widgets import Static

from autoact import config
from autoact.errors import AutoActError
from autoact.lessons import lessons
from autoact.run.command import Verb
from autoact.run.folder import RunFolder
from autoact.trajectory import Role
from studio import earlier, errand, keys, orders, settings_file
from studio.panes.pane import Pane
from studio.screens.confirm import Confirm
from studio.screens.form import Field, Form, Values
from studio.screens.lessons import LessonsScreen
from studio.series import Series
from studio.widgets.gauges import Gauges, training
from studio.widgets.plot import Curve, Plot

ROLES: tuple[Role, ...] = ("plan", "tool", "reflect")
WIDE = 110
"""Cells from which on the three stand side by side."""
SETTINGS = {
    "rank": "rank of each adapter",
    "alpha": "alpha: what an adapter adds counts alpha / rank times",
    "dropout": "dropout, 0 to 1",
    "learning_rate": "learning rate at its highest",
    "epochs": "times through all trajectories",
    "batch": "trajectories per step",
    "warmup": "share of the steps in which the learning rate grows, 0 to 1",
    "wrong_share": "share of wrong runs among what the reflect-agent learns from, 0 to 1",
}
"""Those of a training that a person may want to turn, and what is said of each."""


class TrainingPane(Pane, can_focus=True):
    """Follows the training that goes on until a person looks at another."""

    DEFAULT_CSS = """
    TrainingPane .agent { width: 1fr; padding-right: 1; }
    TrainingPane.single .agent { display: none; }
    TrainingPane.single .agent.chosen { display: block; }
    TrainingPane #none { display: none; padding: 1 2; color: $quiet; }
    TrainingPane.empty #none { display: block; }
    TrainingPane.empty #agents { display: none; }
    """
    PLACES = ("training",)
    BINDINGS = keys.bindings("training")
    chosen: Role = "plan"

    def compose(self) -> ComposeResult:
        yield Static("Nothing is trained in this run yet. r trains on what it kept.", id="none")
        with Horizontal(id="agents"):
            for role in ROLES:
                with Vertical(classes="agent", id=f"agent-{role}"):
                    yield Gauges(role)
                    yield Plot(id=f"plot-{role}")

    def on_mount(self) -> None:
        self._earlier: dict[str, list[Series]] = {}
        self._run = self._over = ""
        self.set_class(self.app.size.width < WIDE, "single")
        self._choose(training(self.follow.state) or "plan")

    def on_resize(self, event: Resize) -> None:
        self.set_class(event.size.width < WIDE, "single")

    def tell(self) -> None:
        state, follow = self.follow.state, self.follow
        self.set_class(not (state.curves or state.examples or state.adapters), "empty")
        if follow.name != self._run:
            self._run, self._earlier = follow.name, {}
            folders = [run.folder for run in follow.shelf.runs]
            names = [folder.name for folder in folders]
            older = folders[names.index(self._run) + 1 :] if self._run in names else []
            self.run_worker(partial(self._read_earlier, self._run, older), thread=True, group="earlier")
        now = training(state)
        if now and now != self._over:  # another agent's turn has come
            self._over = now
            self._choose(now)
        elif self.screen.focused in (None, self) or self.has_class("empty"):
            self._choose(self.chosen)
        for role in ROLES:
            self.query_one(f"#gauges-{role}", Gauges).tell(follow)
            self._draw(role)

    # -- keys ------------------------------------------------------------------------------------------------------

    def action_next_agent(self) -> None:
        self._choose(ROLES[(ROLES.index(self.chosen) + 1) % len(ROLES)])

    def action_hold(self) -> None:
        """Pause, or go on."""
        state, role = self.follow.state, training(self.follow.state)
        if role is None:
            self.notice("no training is going on")
        elif state.status == "paused":
            self._order("resume")
        else:
            self._order("resume" if f"train-{role}" in state.halted else "pause", f"train-{role}")

    def action_finish(self) -> None:
        role = training(self.follow.state)
        if role is None:
            self.notice("no training is going on")
            return

        def told(yes: bool | None) -> None:
            if yes:
                self._order("finish", f"train-{role}")

        self.app.push_screen(Confirm(f"End the training of the {role}-agent here and keep what it has learned?"), told)

    def action_train(self) -> None:
        if not self.follow.name:
            self.notice("no run yet whose trajectories could be learned from")
            return
        self.notice("starting a training on what this run kept ...")
        self.run_worker(self._train(self.follow.name), group="train", exclusive=True)

    def action_settings(self) -> None:
        """Of the next run: this one keeps those it began with."""
        try:
            chosen = settings_file.read(self.project).differentiation
        except AutoActError as error:  # the boundary of a command: said, not raised
            self.notice(str(error).replace(f"{self.project}/", ""))
            return
        fields = [Field(name, label, str(getattr(chosen, name))) for name, label in SETTINGS.items()]
        self.app.push_screen(Form("How the next run trains; a preset has the last word", fields, self._set))

    def action_examples(self) -> None:
        """What the agent in sight learned from."""
        state, config = self.follow.state, self.follow.state.config
        share = float(config.get("differentiation", {}).get("wrong_share", 0.0))
        seed = int(config.get("model", {}).get("seed", 0))
        taught = lessons(self.chosen, list(state.trajectories.values()), state.verdicts, share, seed)
        if taught:
            self.app.push_screen(LessonsScreen(self.chosen, taught))
        else:
            self.notice("no trajectories were kept in this run yet")

    # -- inside ----------------------------------------------------------------------------------------------------

    def _choose(self, role: Role) -> None:
        self.chosen = role
        for other in ROLES:
            self.query_one(f"#agent-{other}").set_class(other == role, "chosen")
        focused, plot = self.screen.focused, self.query_one(f"#plot-{role}")
        if focused is None or self in focused.ancestors_with_self:
            meant = self if self.has_class("empty") else plot
            if focused is not meant:
                meant.focus()

    def on_descendant_focus(self) -> None:
        """Side by side, the focus says which agent is meant; alone, the agent in sight has the focus."""
        focused = self.screen.focused
        meant = next((role for role in ROLES if focused and focused.id == f"plot-{role}"), self.chosen)
        self._choose(self.chosen if self.has_class("single") else meant)

    def _draw(self, role: Role) -> None:
        series = self.follow.losses.get(role, Series())
        last = max(self.follow.state.curves.get(role, {0: None}))
        stepped = self.follow.state.curves.get(role, {}).get(last)
        plot = self.query_one(f"#plot-{role}", Plot)
        plot.curves = [Curve("loss", role, series, stepped.of if stepped else 0, self._earlier.get(role, []))]
        self.frames.ask(plot)

    def _order(self, do: Verb, unit: str = "") -> None:
        folder = RunFolder(self.project / "runs" / self.follow.name)
        self.run_worker(partial(self._carry, folder, do, unit), thread=True, group="orders")

    def _carry(self, folder: RunFolder, do: Verb, unit: str) -> None:
        command = orders.order(do, unit)
        why = orders.carry(folder, command)
        self.app.call_from_thread(self.notice, why or f"{command.words}: accepted")

    async def _set(self, values: Values) -> str:
        try:
            typed = config.changed({f"differentiation.{name}": text for name, text in values.items()})
            settings_file.save(self.project, "differentiation", typed["differentiation"])
        except (AutoActError, OSError) as error:  # the boundary of a command: said, not raised
            return str(error)
        self.notice("project.toml says so now; r trains with it")
        return ""

    async def _train(self, base: str) -> None:
        options = ("--from", "differentiation", f"--base={base}", "--detach")
        outcome = await errand.autoact("run", str(self.project), options=options)
        if outcome.code:
            self.notice(outcome.why)
        else:
            self.notice(f"{outcome.told.strip()} is on its way")
            self.desk.follow_run(outcome.told.strip())

    def _read_earlier(self, run: str, folders: list[RunFolder]) -> None:
        found = earlier.curves(folders)
        self.app.call_from_thread(self._take_earlier, run, found)

    def _take_earlier(self, run: str, found: dict[str, list[Series]]) -> None:
        if run == self._run:
            self._earlier = found
            for role in ROLES:
                self._draw(role)
