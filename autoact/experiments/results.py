"""The results of an experiment: a row for each combination of values, with scores pooled over seeds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from msgspec import Struct

from autoact.events import QuestionSolved
from autoact.experiments.cells import Cell, describe_value
from autoact.experiments.progress import FINISHED, CellProgress, ExperimentProgress, count_statuses
from autoact.lab.answer_cost import AnswerCost, mean_cost, read_price
from autoact.metrics import interval
from autoact.run.record.state import RunState


class PooledScore(Struct, frozen=True):
    """Scores over seeds: means over questions, each of which counts with its mean over the seeds."""

    questions: int
    em: float
    em_interval: tuple[float, float]
    """95 % bootstrap interval over questions."""
    f1: float
    f1_interval: tuple[float, float]
    f1_by_seed: tuple[float, ...]
    """In the order of the cells."""
    tokens: float
    """Mean per answer."""
    seconds: float
    """Mean per answer."""
    generated: float = 0.0
    """Tokens generated; mean per answer."""
    money: float | None = None
    """Mean per answer, in the currency of the model's prices; None without prices."""


class ResultRow(Struct, frozen=True):
    """Cells that differ only in their seed."""

    values: dict[str, Any]
    """By axis, without `seed` and those that are equal in all cells; a row's name is the axis `name`."""
    method: str
    """The method that answered: that of the base model in a cell without training."""
    cells: int
    finished: int
    statuses: dict[str, int]
    causes: tuple[str, ...]
    """The reasons why cells failed or stopped."""
    runs: tuple[str, ...]
    """The runs with the answers."""
    kept: tuple[int, ...]
    """By finished cell with adapters: kept trajectories that it learned from."""
    score: PooledScore | None
    """None until a cell is finished and has scored answers."""
    f1_by_question: dict[str, float] = {}
    """By the question's id, the mean over seeds."""

    @property
    def title(self) -> str:
        """The values in words."""
        return (
            ", ".join(
                str(value) if axis == "name" else describe_value(axis, value) for axis, value in self.values.items()
            )
            or self.method
        )


def make_results(progress: ExperimentProgress) -> list[ResultRow]:
    """Returns the rows in the order of the file. Reads the logs of finished cells."""
    cells = progress.cell_progress()
    shown = varying_axes(progress.cells)
    groups: defaultdict[str, list[CellProgress]] = defaultdict(list)
    for one in cells:
        groups[repr({axis: value for axis, value in one.cell.values.items() if axis != "seed"})].append(one)
    return [_row(progress, group, shown) for group in groups.values()]


def varying_axes(cells: Sequence[Cell]) -> list[str]:
    """Returns the axes in which the cells differ, without `seed`."""
    axes = dict.fromkeys(axis for cell in cells for axis in cell.values if axis != "seed")
    return [axis for axis in axes if len({repr(cell.values.get(axis)) for cell in cells}) > 1]


def _row(progress: ExperimentProgress, group: Sequence[CellProgress], shown: Sequence[str]) -> ResultRow:
    done = [one for one in group if one.status == FINISHED]
    states = [progress.reader.read(one.run).state for one in done]
    answers = [
        [one for one in state.solved if one.cast == cell.cell.method and one.scored]
        for state, cell in zip(states, done, strict=True)
    ]
    first = group[0].cell
    pairs = [
        (one, state.generated[one.trajectory.unit])
        for state, solved in zip(states, answers, strict=True)
        for one in solved
    ]
    return ResultRow(
        values={axis: first.values[axis] for axis in shown if axis in first.values},
        method=first.method,
        cells=len(group),
        finished=len(done),
        statuses=count_statuses(group),
        causes=tuple(dict.fromkeys(one.cause for one in group if one.status in ("failed", "stopped"))),
        runs=tuple(dict.fromkeys(one.run for one in done)),
        kept=tuple(_learned_from(state, one.cell) for state, one in zip(states, done, strict=True) if one.cell.trained),
        score=pool(answers, mean_cost(pairs, read_price(first.config.model))) if pairs else None,
        f1_by_question=mean_by_question(answers, "f1"),
    )


def _learned_from(state: RunState, cell: Cell) -> int:
    kept = sum(verdict.kept for verdict in state.verdicts.values())
    return min(kept, cell.config.differentiation.trajectories or kept)


def pool(answers: Iterable[Sequence[QuestionSolved]], cost: AnswerCost) -> PooledScore:
    """Returns the scores of the answers of several seeds, at least one, and what they cost."""
    seeds = [one for one in answers if one]
    em, f1 = (list(mean_by_question(seeds, score).values()) for score in ("em", "f1"))
    return PooledScore(
        len(f1), fmean(em), interval(em), fmean(f1), interval(f1),
        tuple(fmean(one.f1 for one in seed) for seed in seeds), cost.tokens, cost.seconds, cost.generated, cost.money,
    )  # fmt: skip


def mean_by_question(seeds: Iterable[Sequence[QuestionSolved]], score: str) -> dict[str, float]:
    """Returns the mean of a score over seeds by the question's id."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for seed in seeds:
        for one in seed:
            found[one.trajectory.question.id].append(getattr(one, score))
    return {question: fmean(values) for question, values in found.items()}


HEADINGS = ("cells", "n", "EM", "95 %", "F1", "95 %", "F1 by seed", "tokens", "generated", "s", "money of 1,000")


def table_cells(rows: Sequence[ResultRow]) -> tuple[list[str], list[list[str]]]:
    """Returns the headings and the rows of the table as text; scores are in percent, tokens and seconds per answer.

    The last column, the money that 1,000 answers cost, is left out where no row has prices.
    """
    axes = list(dict.fromkeys(axis for row in rows for axis in row.values)) or ["method"]
    priced = any(row.score and row.score.money is not None for row in rows)
    width = len(axes) + len(HEADINGS) - (not priced)
    lines = [[*axes, *HEADINGS], *([*(_value(row, axis) for axis in axes), *_figures(row)] for row in rows)]
    headings, *cells = (line[:width] for line in lines)
    return headings, cells


def _value(row: ResultRow, axis: str) -> str:
    value = row.values.get(axis, row.method if axis == "method" else "")
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _figures(row: ResultRow) -> list[str]:
    counts = str(row.cells) if row.finished == row.cells else f"{row.finished}/{row.cells}"
    score = row.score
    if score is None:
        return [counts, *("",) * (len(HEADINGS) - 1)]
    seeds = " ".join(f"{100 * one:.1f}" for one in score.f1_by_seed) if len(score.f1_by_seed) > 1 else ""
    return [
        counts, str(score.questions), *percent(score.em, score.em_interval), *percent(score.f1, score.f1_interval),
        seeds, f"{score.tokens:.0f}", f"{score.generated:.0f}", f"{score.seconds:.1f}",
        "-" if score.money is None else f"{1000 * score.money:.4f}",
    ]  # fmt: skip


def percent(mean: float, ends: tuple[float, float]) -> tuple[str, str]:
    """Returns a mean and its interval in percent."""
    return f"{100 * mean:.1f}", f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f}"


def notes(rows: Sequence[ResultRow]) -> list[str]:
    """Returns what a reader has to know: unfinished cells with their causes, and sets of trajectories too small."""
    found = []
    for row in rows:
        if row.finished < row.cells:
            counts = ", ".join(f"{count} {status}" for status, count in row.statuses.items())
            found.append(f"{row.title}: {counts}" + "".join(f"; {cause}" for cause in row.causes))
        wanted = row.values.get("data", 0)
        if row.kept and min(row.kept) < wanted:
            found.append(f"{row.title}: only {min(row.kept)} trajectories were kept")
    return found


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Returns a table as lines of Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines]


def as_json(name: str, rows: Sequence[ResultRow]) -> Mapping[str, Any]:
    """Returns the results for programs."""
    return {"experiment": name, "rows": list(rows)}
