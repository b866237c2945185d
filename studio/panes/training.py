"""The training pane: progress and loss curves of the adapters in training, side by side or one at a time.

Where more than three adapters are not side by side, each has a line, and the chosen one its figures and curve below.
"""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from autoact.events import VerdictCalibrated
from autoact.lab.tally import describe_validation, score_validation
from autoact.lessons import build_lessons, split_for_validation
from autoact.project.config import trained_cast
from autoact.registry.roles import ROLES, SUB_AGENTS
from autoact.run.record.folder import RunFolder
from autoact.trajectory import META
from studio.actions import action_table, cli_command, run_command
from studio.panes.pane import Pane
from studio.runs import earlier_curves
from studio.runs.config_diff import number_setting, text_setting
from studio.runs.loss_series import RunCurve, Series
from studio.runs.progress import missing_reason, training_role
from studio.runs.run_list import ALIVE
from studio.screens.confirm import Confirm
from studio.screens.form import Field, Form, Values
from studio.screens.lessons import LessonsScreen
from studio.terminal import untrusted_text
from studio.widgets.charts.gauges import AdapterLines, Gauges
from studio.widgets.charts.plot import Curve, Plot

WIDE, COLUMN = 110, 36
"""Least width in cells at which the adapters are side by side, and of the column of one."""


class TrainingPane(Pane, can_focus=True):
    """Shows the adapter in training until the person chooses another."""

    DEFAULT_CSS = """
    TrainingPane .agent { width: 1fr; padding-right: 1; }
    TrainingPane.single .agent { display: none; }
    TrainingPane.single .agent.chosen { display: block; }
    TrainingPane #adapters { display: none; max-height: 40%; background: $background; }
    TrainingPane.many #adapters { display: block; }
    TrainingPane.empty #adapters { display: none; }
    TrainingPane #none { display: none; padding: 1 2; color: $quiet; }
    TrainingPane.empty #none { display: block; }
    TrainingPane #agents { height: 1fr; }
    TrainingPane.empty #agents { display: none; }
    TrainingPane #validation { display: none; height: auto; padding: 0 1; }
    TrainingPane.validated #validation { display: block; }
    """
    CONTEXTS = ("training",)
    BINDINGS = action_table.bindings("training")
    chosen: str = SUB_AGENTS[0]
    adapters: tuple[str, ...] = SUB_AGENTS
    """The adapters that have a column; none while the columns change."""

    def compose(self) -> ComposeResult:
        yield Static(id="none")
        yield AdapterLines(id="adapters")
        yield Horizontal(*map(_column, self.adapters), id="agents")
        yield Static(id="validation")

    def on_mount(self) -> None:
        self._earlier: dict[str, list[RunCurve]] = {}
        self._wanted: tuple[str, ...] = ()
        """Parts of the names of the runs whose curves are shown; none for the runs before this one."""
        self._run = self._last_trained = ""
        self._validated: tuple[str, int, VerdictCalibrated | None] = ("", 0, None)
        """The run, the number of its validation answers and their calibration, as shown."""
        self._arrange(self.app.size.width)
        self._choose(self.chosen)

    def on_resize(self, event: Resize) -> None:
        self._arrange(event.size.width)

    def _arrange(self, width: int) -> None:
        """Shows the adapters side by side, or one of them."""
        is_single, lines = width < max(WIDE, COLUMN * len(self.adapters)), self.query_one(AdapterLines)
        self.set_class(is_single, "single")
        self.set_class(is_single and len(self.adapters) > len(SUB_AGENTS), "many")
        lines.adapters, lines.styles.height = self.adapters, len(self.adapters)

    def update(self) -> None:
        state, follow = self.follow.state, self.follow
        self.set_class(not (state.curves or state.examples or state.adapters), "empty")
        self.set_text("none", untrusted_text.content(self._empty_reason()))
        if follow.name != self._run:
            self._run, self._earlier = follow.name, {}
            self._start_reading()
        if (follow.name, len(state.validated), state.calibrated) != self._validated:
            self._validated = follow.name, len(state.validated), state.calibrated
            found = score_validation(state)
            self.set_class(found is not None, "validated")
            self.set_text("validation", Content(f"Validation: {describe_validation(found)}" if found else ""))
        adapters = trained_cast(state.config).names()
        if self.adapters and adapters != self.adapters:
            self.run_worker(self._change_columns(adapters), group="columns", exclusive=True)
        now = training_role(state)
        if now in self.adapters and now != self._last_trained:  # the training of the next one has begun
            self._last_trained = now
            self._choose(now)
        elif self.screen.focused in (None, self) or self.has_class("empty"):
            self._choose(self.chosen)
        for role in self.adapters:
            self.query_one(f"#gauges-{role}", Gauges).refresh_lines(follow)
        self._draw()
        self.query_one(AdapterLines).refresh_lines(follow)

    # -- keys ------------------------------------------------------------------------------------------------------

    def _empty_reason(self) -> str:
        """Returns the text shown without curves: why there are none, and what makes some."""
        if not self.follow.name:
            return "No runs yet: R starts one."
        alive = self.follow.verdict in ALIVE
        more = " r trains on what this run kept." if self._has_kept and not alive else ""
        return missing_reason(self.follow.state, "differentiation", "adapters", alive=alive) + more

    @property
    def _has_kept(self) -> bool:
        """True if this run has kept trajectories to train on."""
        return any(verdict.kept for verdict in self.follow.state.verdicts.values())

    @property
    def _current_role(self) -> str | None:
        """The role that a job is training now; None when there is none."""
        return training_role(self.follow.state) if self.follow.verdict in ALIVE else None

    def obstacle(self, action: str) -> str:
        match action:
            case "hold" | "finish" if self._current_role is None:
                return "No training is running."
            case "train" | "examples" if not self._has_kept:
                return "This run has kept no trajectories to train on."
            case "choose_runs" if len(self.follow.run_list.runs) < 2:
                return "There is no other run."
            case "next_agent" if self.has_class("empty") or not self.adapters:
                return "No agent is trained in this run yet."
        return ""

    def footer_word(self, action: str) -> str:
        """Returns the footer's label for an action whose effect depends on the state."""
        return "resume" if action == "hold" and self._is_paused else ""

    @property
    def _is_paused(self) -> bool:
        return self.follow.state.status == "paused" or f"train-{self._current_role}" in self.follow.state.halted

    @action_table.check_obstacle
    def action_next_agent(self) -> None:
        self._choose(self.adapters[(self.adapters.index(self.chosen) + 1) % len(self.adapters)])

    @action_table.check_obstacle
    def action_hold(self) -> None:
        """Pauses or resumes the training."""
        unit = "" if self.follow.state.status == "paused" else f"train-{self._current_role}"
        self.view.send(run_command.new_command("resume" if self._is_paused else "pause", unit))

    @action_table.check_obstacle
    def action_finish(self) -> None:
        role = self._current_role

        def on_answer(yes: bool | None) -> None:
            if yes:
                self.view.send(run_command.new_command("finish", f"train-{role}"))

        self.app.push_screen(Confirm(f"End the training of the {role}-agent now and keep its adapter?"), on_answer)

    @action_table.check_obstacle
    def action_train(self) -> None:
        base = self.follow.name
        reason = f"It learns from the {len(self.follow.state.kept)} trajectories that {base} kept, and takes a while."

        def on_answer(yes: bool | None) -> None:
            if yes:
                self.notice("Starting a training ...")
                self.run_worker(self._train(base), group="train", exclusive=True)

        self.app.push_screen(Confirm("Train new sub-agents?", reason), on_answer)

    def action_settings(self) -> None:
        """Opens the settings of the next run; the current run keeps its own."""
        self.view.open_settings("differentiation")

    @action_table.check_obstacle
    def action_choose_runs(self) -> None:
        """Asks whose curves are shown beside those of this run, on one axis."""

        async def accept(values: Values) -> str:
            wanted = tuple(values["runs"].replace(",", " ").split())
            names = [run.folder.name for run in self.follow.run_list.runs if run.folder.name != self._run]
            if unknown := [part for part in wanted if not any(part in name for name in names)]:
                return f"No other run has `{unknown[0]}` in its name."
            self._wanted = wanted
            self._start_reading()
            return ""

        label = "parts of run names, such as fe3c or 11-29; empty for the runs before this one"
        fields = [Field("runs", label, " ".join(self._wanted), suggested=True)]
        self.app.push_screen(Form("Other runs whose curves are shown", fields, accept, "show"))

    @action_table.check_obstacle
    def action_examples(self) -> None:
        """Shows the training examples of the chosen role."""
        state, config = self.follow.state, self.follow.state.config
        share = number_setting(config, "differentiation", "wrong_share")
        seed = int(number_setting(config, "model", "seed"))
        validation = number_setting(config, "differentiation", "validation")
        learned, _ = split_for_validation(list(state.trajectories.values()), state.verdicts, validation, seed)
        examples = build_lessons(
            self.chosen, trained_cast(config), learned, state.verdicts, share, seed,
            text_setting(config, "differentiation", "failures"),
        )  # fmt: skip
        if examples:
            self.app.push_screen(LessonsScreen(self.chosen, examples))
        else:
            self.notice("No trajectories were kept in this run yet.")

    # -- inside ----------------------------------------------------------------------------------------------------

    async def _change_columns(self, names: tuple[str, ...]) -> None:
        """Shows a column for each adapter of another run's cast."""
        columns = self.query_one("#agents")
        self.adapters = ()
        await columns.remove_children()
        await columns.mount_all(map(_column, names))
        self.adapters = names
        self._arrange(self.size.width)
        self.chosen = self.chosen if self.chosen in names else names[0]
        self.update()

    def _choose(self, role: str) -> None:
        if not self.adapters:
            return
        self.chosen = self.query_one(AdapterLines).chosen = role
        self.query_one(AdapterLines).refresh_lines(self.follow)
        for other in self.adapters:
            self.query_one(f"#agent-{other}").set_class(other == role, "chosen")
        focused, plot = self.screen.focused, self.query_one(f"#plot-{role}")
        if focused is None or self in focused.ancestors_with_self:
            target = self if self.has_class("empty") else plot
            if focused is not target:
                target.focus()

    def on_descendant_focus(self) -> None:
        """Side by side, chooses the role whose plot has the focus; alone, the focus stays on the role in sight."""
        focused = self.screen.focused
        focused_role = next((role for role in self.adapters if focused and focused.id == f"plot-{role}"), self.chosen)
        self._choose(self.chosen if self.has_class("single") else focused_role)

    def _draw(self) -> None:
        """Draws the curves of all adapters on a common axis."""
        plots = [self.query_one(f"#plot-{role}", Plot) for role in self.adapters]
        for role, plot in zip(self.adapters, plots, strict=True):
            plot.curves, plot.beside = self._curves(role), plots
            self.frames.request(plot)

    def _curves(self, role: str) -> list[Curve]:
        series = self.follow.losses.get(role, Series())
        last = max(self.follow.state.curves.get(role, {0: None}))
        step = self.follow.state.curves.get(role, {}).get(last)
        played = trained_cast(self.follow.state.config).role(role)
        colour = played if played in ROLES else META
        curve = Curve("loss", colour, series, step.of if step else 0, self._earlier.get(role, []))
        validation = self.follow.validation_losses.get(role)
        return [curve, Curve("validation", "", validation)] if validation else [curve]

    async def _train(self, base: str) -> None:
        options = ("--from", "differentiation", f"--base={base}", "--detach")
        result = await cli_command.autoact("run", str(self.project), options=options)
        if result.code:
            self.notice(result.reason)
        else:
            self.notice(f"{result.output.strip()} started.")
            self.view.follow_run(result.output.strip())

    def _start_reading(self) -> None:
        """Reads the curves of the chosen runs in a thread, else of the runs before this one."""
        folders = [run.folder for run in self.follow.run_list.runs]
        names = [folder.name for folder in folders]
        older = folders[names.index(self._run) + 1 :] if self._run in names else []
        chosen = [one for one in folders if one.name != self._run and any(part in one.name for part in self._wanted)]
        work = partial(self._read_earlier, self._run, chosen if self._wanted else older)
        self.run_worker(work, thread=True, group="earlier", exclusive=True)

    def _read_earlier(self, run: str, folders: list[RunFolder]) -> None:
        most = earlier_curves.MOST_CHOSEN if self._wanted else earlier_curves.MOST
        found = earlier_curves.read_curves(folders, most)
        self.app.call_from_thread(self._show_earlier, run, found)

    def _show_earlier(self, run: str, found: dict[str, list[RunCurve]]) -> None:
        if run == self._run:
            self._earlier = found
            self._draw()


def _column(adapter: str) -> Vertical:
    """Returns the figures and the curve of one adapter."""
    return Vertical(Gauges(adapter), Plot(id=f"plot-{adapter}"), classes="agent", id=f"agent-{adapter}")
