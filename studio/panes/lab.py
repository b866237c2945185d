"""The lab pane: the scores of each run's casts, its questions and trajectories in numbers, and its wrong answers.

The experiments of the project have a table of their own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from autoact.errors import AutoActError
from autoact.events import QuestionSolved
from autoact.experiments.progress import RunReader
from autoact.files import disk
from autoact.lab.lineage import find_related, training_rows, wrong_answers
from autoact.lab.tally import LogTotals, Tally, count_figures
from autoact.project.project import Project
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from autoact.trajectory import Example
from studio.actions import action_table, cli_command
from studio.episodes.provenance import list_answers, provenance, read_seeds
from studio.panes.forms.lab import evaluation_form, omission_form, rating_form
from studio.panes.pane import Pane
from studio.panes.project_view import ProjectView
from studio.panes.rows.experiments import COLUMNS as EXPERIMENT_COLUMNS
from studio.panes.rows.experiments import ExperimentRows, ExperimentSummary, describe_cells, read_summaries
from studio.panes.rows.run_figures import funnel, parts, signs
from studio.panes.rows.scores import COLUMNS, ORDERS, WRONG, ScoreRows, WrongRows
from studio.runs.answer_base import AnswerBase
from studio.widgets.lists.search_table import SearchTable
from studio.widgets.lists.table import Table

if TYPE_CHECKING:
    from autoact.lab.inspection.signatures import FailureSignature

RECOUNT_S = 15.0
"""Least seconds after which a run whose log has grown is counted again."""
LOOK_SHARE = 0.05
"""The share of a core that looks at the experiments may take while a run changes."""


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
        self._base = AnswerBase()
        self._keeps_row = False
        """Whether the cursor stays on its score; before it is moved it is on the first, while others are still read."""
        self._reader, self._look_due = RunReader(self.project), 0.0

    def compose(self) -> ComposeResult:
        yield SearchTable(COLUMNS, id="scores")
        yield SearchTable(WRONG, id="wrongs")
        yield SearchTable(EXPERIMENT_COLUMNS, id="experiments")
        with VerticalScroll():
            yield Static(id="parts")

    def on_mount(self) -> None:
        self.query_one("#scores", Table).show(self.scores)
        self.query_one("#experiments", Table).show(self.experiments)
        self.query_one("#experiments", Table).set_hint("No experiments yet: `autoact lab new` makes one.")
        self.set_interval(RECOUNT_S, lambda: self.update() if self.display else None)  # a run's end may be missed

    def update(self) -> None:
        if self.has_class("experiments") and time.monotonic() >= self._look_due:
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
            case "answers" if not self.has_class("wrong"):
                return "w lists the wrong answers; a shows what every run answered to one of them."
            case "rate" | "sort" if self.has_class("wrong") or self.has_class("experiments"):
                return "esc returns to the scores, which can be sorted and rated."
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

    async def action_evaluate(self) -> None:
        base = await asyncio.to_thread(self._base.find, self.follow)
        self.app.push_screen(evaluation_form(self.project, base, self.notice))

    @action_table.check_obstacle
    def action_wrong(self) -> None:
        """Shows the wrong answers of the method under the cursor, or the scores again."""
        if self.has_class("wrong"):
            self.remove_class("wrong")
            self.query_one("#scores", Table).focus()
            self._show_parts()
        else:
            run, _, method = (self.query_one("#scores", Table).chosen or "").partition("/")
            work = partial(self._read_wrong, RunFolder(self.project / "runs" / run), method)
            self.run_worker(work, thread=True, group="wrong", exclusive=True)

    @property
    def _answer_chosen(self) -> QuestionSolved | None:
        """The wrong answer under the cursor."""
        chosen = self.query_one("#wrongs", Table).chosen
        return next((one for one in self.wrongs.rows if one.trajectory.unit == chosen), None)

    def _rows_behind(self) -> list[str]:
        """Returns the training rows behind the wrong answer under the cursor."""
        answer = self._answer_chosen
        return training_rows(find_related(self._state, answer.trajectory)) if answer else []

    @action_table.check_obstacle
    def action_omit(self) -> None:
        """Asks which training rows to leave out, and starts a run that trains without them."""
        self.app.push_screen(omission_form(self.project, self._wrong_run, self._rows_behind(), self.notice))

    @action_table.check_obstacle
    def action_answers(self) -> None:
        """Shows what every run answered to the question under the cursor."""
        if answer := self._answer_chosen:
            self.run_worker(self._compare_answers(answer), group="answers", exclusive=True)

    async def _compare_answers(self, answer: QuestionSolved) -> None:
        question = answer.trajectory.question.text
        result = await cli_command.autoact("answers", str(self.project), question, options=("--json",))
        if result.code:
            self.notice(result.reason)
        elif self.has_class("wrong") and self._answer_chosen is answer:  # the cursor may have moved meanwhile
            self.set_text("parts", Content("\n").join(list_answers(question, result.data)))

    def _sides(self) -> list[str]:
        """Returns the runs with scores and their methods, as RUN/METHOD."""
        return [self.scores.key(index) for index, (_, score) in enumerate(self.scores.rows) if score is not None]

    @action_table.check_obstacle
    def action_rate(self) -> None:
        """Asks which two sides to compare, and shows their answers without names."""
        sides, chosen = self._sides(), self.query_one("#scores", Table).chosen
        first = chosen if chosen in sides else sides[0]
        show = partial(self.call_after_refresh, self.app.push_screen)  # when the form has closed
        self.app.push_screen(rating_form(self.project, sides, first, show))

    @action_table.check_obstacle
    def action_sort(self) -> None:
        """Sorts the scores in the next order."""
        self.order = ORDERS[(ORDERS.index(self.scores.order) + 1) % len(ORDERS)]
        self._list()
        self.notice(f"Sorted by {self.order}." if self.order else "The newest run first.")

    @property
    def order(self) -> str:
        return "" if self.scores.order == ORDERS[0] else self.scores.order

    @order.setter
    def order(self, order: str) -> None:
        self.scores.order = order if order in ORDERS else ORDERS[0]

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
        began = time.thread_time()
        rows = read_summaries(self.project, self._reader)
        self._look_due = time.monotonic() + (time.thread_time() - began) / LOOK_SHARE
        self.app.call_from_thread(self._show_experiments, rows)

    def _show_experiments(self, rows: Sequence[ExperimentSummary]) -> None:
        table = self.query_one("#experiments", Table)
        key, self.experiments.rows = table.chosen, rows
        table.reload(key=key)
        self._show_parts()
        self.view.update_footer()

    @on(Table.CursorMoved, "#scores")
    @on(Table.CursorMoved, "#experiments")
    def _score_chosen(self) -> None:
        self._keeps_row = self.query_one("#scores", Table).cursor > 0
        self._show_parts()

    @on(Table.CursorMoved, "#wrongs")
    def _wrong_chosen(self, message: Table.CursorMoved) -> None:
        self._show_provenance(message.index)

    @on(Table.Opened, "#scores")
    def _score_opened(self) -> None:
        self.action_wrong()

    @on(Table.Opened, "#wrongs")
    async def _wrong_opened(self, message: Table.Opened) -> None:
        await self.view.show_episode(self._wrong_run, message.key)

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
        listed = [run.folder.name for run in self.follow.run_list.runs if run.folder.name in self._tallies]
        table = self.query_one("#scores", Table)
        key = table.chosen if self._keeps_row else None
        self.scores.set_scores({run: self._tallies[run].tally.scores for run in listed})
        table.reload(key=key)
        self._show_parts()
        self.view.update_footer()

    def _show_parts(self) -> None:
        """Shows the numbers of the run under the cursor, or why there are none, and how many runs were read."""
        reading = self._describe_reading()
        self.query_one("#scores", Table).set_hint(reading or "No runs yet: R starts one.")
        if self.has_class("wrong"):
            return
        if self.has_class("experiments"):
            chosen = self.query_one("#experiments", Table).chosen
            cells = [line for one in self.experiments.rows if one.name == chosen for line in describe_cells(one)]
            self.set_text("parts", Content("\n").join(cells))
            return
        found = self._tallies.get(self.run_chosen)
        lines = [Content.styled(reading, "$quiet")] if reading and found else []
        if found is not None:
            lines += [*signs(found.signatures), *funnel(found.tally), *parts(found.tally)]
        elif not reading:
            about = "The scores of each run, the questions and trajectories that it kept, and the reasons for refusals."
            lines = [Content(about)]
        self.set_text("parts", Content("\n").join(lines))

    def _describe_reading(self) -> str:
        """Returns how many of the runs were read; empty when all were read once."""
        names = [run.folder.name for run in self.follow.run_list.runs]
        read = len(self._tallies.keys() & set(names))
        return f"reading runs: {read} of {len(names)}" if read < len(names) else ""

    def _read_wrong(self, folder: RunFolder, method: str) -> None:
        state = RunState.of(folder.events)
        try:
            examples = read_seeds(Project.open(self.project))
        except AutoActError:
            examples = ()  # the task pane shows the error
        self.app.call_from_thread(self._show_wrong, folder.name, method, state, examples)

    def _show_wrong(self, run: str, method: str, state: RunState, examples: Sequence[Example]) -> None:
        if self.has_class("experiments"):
            return  # the person has moved on meanwhile
        self._wrong_run, self._state, self._examples = run, state, examples
        self.wrongs.rows = [solved for solved in wrong_answers(state) if solved.cast == method]
        if not self.wrongs.rows:
            self.notice(f"No scored answer of {method} is wrong in this run.")
            return
        self.add_class("wrong")
        self.notice("")
        table = self.query_one("#wrongs", Table)
        table.show(self.wrongs)
        if self.display:
            table.focus()
        self._show_provenance(0)

    def _show_provenance(self, index: int) -> None:
        if self.has_class("wrong") and index < len(self.wrongs.rows):
            solved = self.wrongs.rows[index]
            self.set_text("parts", Content("\n").join(provenance(self._state, solved, self._examples)))
