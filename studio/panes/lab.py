"""The lab pane: the scores of each run's casts, its questions and trajectories in numbers, and its wrong answers.

The experiments of the project, which experiments.py reads, have a table of their own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from autoact.errors import AutoActError
from autoact.experiments.progress import RunReader
from autoact.files import disk
from autoact.lab.lineage import find_related, training_rows, wrong_answers
from autoact.lab.scores import Score
from autoact.lab.tally import LogTotals, Tally, count_figures
from autoact.project.project import Project
from autoact.registry.methods import ALL, METHODS
from autoact.run.control.command import user_name
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from autoact.trajectory import Example
from studio.actions import action_table, cli_command, remote_machine
from studio.episodes.provenance import provenance, read_seeds
from studio.panes.experiments import COLUMNS as EXPERIMENT_COLUMNS
from studio.panes.experiments import ExperimentRows, ExperimentSummary, describe_cells, read_summaries
from studio.panes.pane import Pane
from studio.panes.project_view import ProjectView
from studio.panes.rows.run_figures import funnel, parts, signs
from studio.panes.rows.scores import COLUMNS, WRONG, ScoreRows, WrongRows
from studio.screens.form import Field, Form, Values
from studio.widgets.lists.table import Table

if TYPE_CHECKING:
    from autoact.lab.inspection.signatures import FailureSignature
    from autoact.lab.rating import Criterion

RECOUNT_S = 15.0
"""Least seconds after which a run whose log has grown is counted again."""
DEFAULT_CASTS = "meta,group"


@dataclass(frozen=True, slots=True)
class RunFigures:
    """The figures of one run."""

    size: int
    """Bytes of its log when it was counted."""
    at: float
    """Monotonic time of the count."""
    tally: Tally
    signatures: Sequence[FailureSignature]
    """Known ways of failing, found or not."""


def count_run(folder: RunFolder, size: int) -> RunFigures:
    """Reads a run's log, which may take seconds."""
    from autoact.lab.inspection.signatures import find_signatures  # with what it imports, too slow for the start

    totals = LogTotals.of(folder.events)
    tally = count_figures(totals)
    return RunFigures(size, time.monotonic(), tally, find_signatures(totals.state, tally))


class LabPane(Pane):
    """Counts each run in a thread: once, and again while its log grows."""

    DEFAULT_CSS = """
    LabPane Table { height: 40%; min-height: 5; }
    LabPane #wrongs { display: none; }
    LabPane.wrong #wrongs { display: block; }
    LabPane #experiments { display: none; }
    LabPane.experiments #experiments { display: block; }
    LabPane.wrong #scores, LabPane.experiments #scores { display: none; }
    LabPane VerticalScroll { height: 1fr; padding: 0 1; background: $surface; }
    LabPane #parts { height: auto; }
    """
    CONTEXTS = ("lab",)
    BINDINGS = action_table.bindings("lab")

    def __init__(self, view: ProjectView):
        super().__init__(view)
        self.scores, self.wrongs = ScoreRows(), WrongRows()
        self._tallies: dict[str, RunFigures] = {}
        """By run."""
        self._wrong_run, self._state = "", RunState()
        """The run whose wrong answers are shown, and its state."""
        self._examples: Sequence[Example] = ()
        self.experiments = ExperimentRows()
        self._reader = RunReader(self.project)

    def compose(self) -> ComposeResult:
        yield Table(COLUMNS, id="scores")
        yield Table(WRONG, id="wrongs")
        yield Table(EXPERIMENT_COLUMNS, id="experiments")
        with VerticalScroll():
            yield Static(id="parts")

    def on_mount(self) -> None:
        self.query_one("#scores", Table).show(self.scores)
        self.query_one("#scores", Table).set_hint("No runs yet: R starts one.")
        self.query_one("#experiments", Table).show(self.experiments)
        self.query_one("#experiments", Table).set_hint("No experiments yet: `autoact lab new` makes one.")
        self.set_interval(RECOUNT_S, lambda: self.update() if self.display else None)  # a run's end may be missed

    def update(self) -> None:
        if self.has_class("experiments"):
            self._read_experiments()
        folders = [run.folder for run in self.follow.run_list.runs]
        if self._tallies.keys() - {folder.name for folder in folders}:
            self._forget([folder.name for folder in folders])
        if not any(worker.is_running for worker in self.workers if worker.group == "count"):
            self.run_worker(partial(self._count, folders), thread=True, group="count")
        self._show_parts()

    def _forget(self, names: Sequence[str]) -> None:
        """Drops everything shown of deleted runs."""
        self._tallies = {name: known for name, known in self._tallies.items() if name in names}
        if self.has_class("wrong") and self._wrong_run not in names:
            self.action_wrong()
        self._list()

    @property
    def run_chosen(self) -> str:
        """Name of the run under the cursor; empty when there is none."""
        return (self.query_one("#scores", Table).chosen or "").partition("/")[0]

    # -- keys ------------------------------------------------------------------------------------------------------

    def obstacle(self, action: str) -> str:
        match action:
            case "run" if not self.has_class("experiments"):
                return "x lists the experiments; the one under the cursor can be run."
            case "run" if not self.query_one("#experiments", Table).chosen:
                return "No experiments yet: `autoact lab new` makes one."
            case "evaluate" | "wrong" if self.has_class("experiments"):
                return "x returns to the scores."
            case "experiments" if self.has_class("wrong"):
                return "w returns to the scores."
            case "wrong" if not self.has_class("wrong") and not self._has_scores(self.run_chosen):
                return "This run has no scored answers; e evaluates."
            case "omit" if not self.has_class("wrong"):
                return "w lists the wrong answers; the training rows behind one can be left out."
            case "omit" if not self._rows_behind():
                return "Nothing in training was about this answer."
            case "rate" if self.has_class("wrong") or self.has_class("experiments"):
                return "esc returns to the scores; two of them can be rated."
            case "rate" if len(self._sides()) < 2:
                return "Two runs or methods with scores are needed; e evaluates."
            case "up" if not self.has_class("wrong") and not self.has_class("experiments"):
                return "This is the list of scores."
        return ""

    def footer_word(self, action: str) -> str:
        """Returns the footer's label for an action whose effect depends on the state."""
        return "scores" if action in ("wrong", "experiments") and self.has_class(action) else ""

    def _has_scores(self, run: str) -> bool:
        return run in self._tallies and bool(self._tallies[run].tally.scores)

    def action_evaluate(self) -> None:
        fields = (
            Field("data", "file of questions; empty for the held-out questions of the project"),
            Field("casts", f"methods, with commas between them, or {ALL}", DEFAULT_CASTS, suggested=True),
            Field("limit", "most questions to ask; empty for all"),
            Field("tokens", "most tokens to generate for a question; empty for no limit"),
        )
        self.app.push_screen(Form("Evaluate casts on questions", fields, self._evaluate, "start"))

    @action_table.check_obstacle
    def action_wrong(self) -> None:
        """Shows the wrong answers of the run under the cursor, or the scores again."""
        if self.has_class("wrong"):
            self.remove_class("wrong")
            self.query_one("#scores", Table).focus()
            self._show_parts()
        else:
            folder = RunFolder(self.project / "runs" / self.run_chosen)
            self.run_worker(partial(self._read_wrong, folder), thread=True, group="wrong", exclusive=True)

    def _rows_behind(self) -> list[str]:
        """Returns the training rows behind the wrong answer under the cursor."""
        chosen = self.query_one("#wrongs", Table).chosen
        asked = (one.trajectory for one in self.wrongs.rows if one.trajectory.unit == chosen)
        return [row for trajectory in asked for row in training_rows(find_related(self._state, trajectory))]

    @action_table.check_obstacle
    def action_omit(self) -> None:
        """Asks which training rows to leave out, and starts a run that trains without them."""
        label = "trajectories or practice questions to leave out, with commas between"
        rows = Field("rows", label, ",".join(self._rows_behind()))
        self.app.push_screen(Form("Train again without training rows", (rows,), self._train_without, "start"))

    async def _train_without(self, values: Values) -> str:
        """Starts the run; returns the error text if it cannot start."""
        options = ("--from", "differentiation", f"--base={self._wrong_run}", f"--without={values['rows']}", "--detach")
        if not values["rows"].strip():
            return "expected at least one trajectory or practice question"
        result = await cli_command.autoact("run", str(self.project), options=options)
        if result.code:
            return result.reason
        self.notice(f"{result.output.strip()} started; `autoact compare` tells what the rows did.")
        return ""

    def _sides(self) -> list[str]:
        """Returns the runs with scores and their methods, as RUN/METHOD."""
        return [f"{run}/{score.cast}" for run, score in self.scores.rows if score is not None]

    @action_table.check_obstacle
    def action_rate(self) -> None:
        """Asks which two sides to compare, and shows their answers without names."""
        from autoact.lab.rating import CRITERIA  # with what it imports, too slow for the start

        sides, chosen = self._sides(), self.query_one("#scores", Table).chosen
        first = chosen if chosen in sides else sides[0]
        run = first.partition("/")[0]
        others = sorted((side for side in sides if side != first), key=lambda side: not side.startswith(f"{run}/"))
        fields = (
            Field("first", "a run and its method", first, suggested=True),
            Field("second", "the other run and its method", others[0], suggested=True),
            Field("criterion", "what is compared", "overall", words=tuple(CRITERIA)),
            Field("rater", "who rates", user_name(), suggested=True),
        )
        self.app.push_screen(Form("Rate without seeing the names", fields, self._rate, "start"))

    async def _rate(self, values: Values) -> str:
        """Shows the pairs; returns the error text if there are none."""
        from studio.screens.rating import RatingScreen, open_ratings  # with what they import, too slow for the start

        known, sides = self._sides(), (values["first"].strip(), values["second"].strip())
        if wrong := [side for side in sides if side not in known]:
            return f"no scores of `{wrong[0]}`; there are {', '.join(known)}"
        if sides[0] == sides[1] or not values["rater"].strip():
            return "expected two different runs or methods, and the name of the person who rates"
        try:
            rater, criterion = values["rater"].strip(), values["criterion"]
            found = await asyncio.to_thread(open_ratings, self.project, sides, rater, cast("Criterion", criterion))
        except AutoActError as error:
            return str(error)
        if not found.pairs:
            return "both sides did the same with every question that they share, or share none"
        self.call_after_refresh(self.app.push_screen, RatingScreen(found, sides))
        return ""

    def action_up(self) -> None:
        """Returns to the scores, else leaves the project."""
        if self.has_class("wrong"):
            self.action_wrong()
        elif self.has_class("experiments"):
            self.action_experiments()
        else:
            self.view.action_back()

    @action_table.check_obstacle
    def action_experiments(self) -> None:
        """Shows the experiments, or the scores again."""
        shown = not self.has_class("experiments")
        self.set_class(shown, "experiments")
        self.query_one("#experiments" if shown else "#scores", Table).focus()
        if shown:
            self._read_experiments()
        self._show_parts()
        self.view.update_footer()

    @action_table.check_obstacle
    def action_run(self) -> None:
        """Plays the cells of the experiment under the cursor that are not finished."""
        self.run_worker(self._run_experiment(self.query_one("#experiments", Table).chosen or ""), group="run")

    async def _run_experiment(self, name: str) -> None:
        result = await cli_command.autoact("lab run", str(self.project), name, options=("--detach",))
        self.notice(result.reason if result.code else f"The experiment {name} is started.")
        self._read_experiments()

    def _read_experiments(self) -> None:
        """Reads the experiments in a thread, unless that is being done."""
        if not any(worker.is_running for worker in self.workers if worker.group == "experiments"):
            self.run_worker(self._summarise_experiments, thread=True, group="experiments")

    def _summarise_experiments(self) -> None:
        self.app.call_from_thread(self._show_experiments, read_summaries(self.project, self._reader))

    def _show_experiments(self, rows: Sequence[ExperimentSummary]) -> None:
        table = self.query_one("#experiments", Table)
        key, self.experiments.rows = table.chosen, rows
        table.reload(key=key)
        self._show_parts()
        self.view.update_footer()

    async def _evaluate(self, values: Values) -> str:
        """Starts an evaluation; returns the error text if a value is invalid or it fails."""
        data = values["data"].strip()
        numbers = {f"--{name}": values[name].strip() for name in ("limit", "tokens")}
        casts = [name.strip() for name in values["casts"].split(",") if name.strip()]
        if unknown := [name for name in casts if name not in (*METHODS.names(), ALL)]:
            return f"no method `{unknown[0]}`; expected {ALL} or some of {', '.join(METHODS.names())}"
        for number in numbers.values():
            if number and not (number.isdecimal() and int(number)):
                return f"expected a number above 0, not `{number}`"
        file = str(disk.expand_user(data).absolute()) if data and not remote_machine.current() else data
        values_by_option = {"--data": file, "--method": ",".join(casts), **numbers}
        options = ("--detach", *(f"{name}={value}" for name, value in values_by_option.items() if value))
        result = await cli_command.autoact("eval", str(self.project), options=options)
        if result.code:
            return result.reason
        self.notice(f"{result.output.strip()} started.")
        return ""

    @on(Table.CursorMoved, "#scores")
    @on(Table.CursorMoved, "#experiments")
    def _score_chosen(self) -> None:
        self._show_parts()

    @on(Table.CursorMoved, "#wrongs")
    def _wrong_chosen(self, message: Table.CursorMoved) -> None:
        self._show_provenance(message.index)

    # -- counting and drawing --------------------------------------------------------------------------------------

    def _count(self, folders: Sequence[RunFolder]) -> None:
        for folder in folders:
            size = disk.file_size(folder.events)
            known = self._tallies.get(folder.name)
            if known is None or (known.size != size and time.monotonic() - known.at >= RECOUNT_S):
                self.app.call_from_thread(self._set_tally, folder.name, count_run(folder, size))

    def _set_tally(self, name: str, result: RunFigures) -> None:
        self._tallies[name] = result
        self._list()

    def _list(self) -> None:
        order = [run.folder.name for run in self.follow.run_list.runs if run.folder.name in self._tallies]
        rows: list[tuple[str, Score | None]] = []
        for run in order:
            rows += [(run, score) for score in self._tallies[run].tally.scores] or [(run, None)]
        table = self.query_one("#scores", Table)
        key, self.scores.rows = table.chosen, rows
        table.reload(key=key)
        self._show_parts()
        self.view.update_footer()

    def _show_parts(self) -> None:
        """Shows the numbers of the run under the cursor, or why there are none."""
        if self.has_class("wrong"):
            return
        if self.has_class("experiments"):
            chosen = self.query_one("#experiments", Table).chosen
            cells = [line for one in self.experiments.rows if one.name == chosen for line in describe_cells(one)]
            self.set_text("parts", Content("\n").join(cells))
            return
        found = self._tallies.get(self.run_chosen)
        if found is not None:
            lines = [*signs(found.signatures), *funnel(found.tally), *parts(found.tally)]
        elif not self.follow.run_list.runs:
            lines = [
                Content(
                    "The scores of each run, the questions and trajectories that it kept, and the reasons for refusals."
                )
            ]
        else:
            lines = [Content("Counting the runs ...")]
        self.set_text("parts", Content("\n").join(lines))

    def _read_wrong(self, folder: RunFolder) -> None:
        state = RunState.of(folder.events)
        try:
            examples = read_seeds(Project.open(self.project))
        except AutoActError:
            examples = ()  # the task pane shows the error
        self.app.call_from_thread(self._show_wrong, folder.name, state, examples)

    def _show_wrong(self, run: str, state: RunState, examples: Sequence[Example]) -> None:
        if self.has_class("experiments"):
            return  # the person has moved on meanwhile
        self._wrong_run, self._state, self._examples = run, state, examples
        self.wrongs.rows = wrong_answers(state)
        if not self.wrongs.rows:
            self.notice("No scored answer of this run is wrong.")
            return
        self.add_class("wrong")
        table = self.query_one("#wrongs", Table)
        table.show(self.wrongs)
        if self.display:
            table.focus()
        self._show_provenance(0)

    def _show_provenance(self, index: int) -> None:
        if self.has_class("wrong") and index < len(self.wrongs.rows):
            solved = self.wrongs.rows[index]
            self.set_text("parts", Content("\n").join(provenance(self._state, solved, self._examples)))
