"""The report of one run: figures, scores with intervals, loss curves, wrong answers, signs of failure and settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from statistics import fmean

from autoact import __version__
from autoact.errors import BadInput
from autoact.experiments.asked_questions import list_asked
from autoact.experiments.plots import Bar, Line, draw_bars, draw_lines
from autoact.experiments.report import MOST_WRONG, Block, describe_answer
from autoact.lab.duration import format_duration
from autoact.lab.inspection.signatures import find_signatures
from autoact.lab.scores import Score
from autoact.lab.tally import LogTotals, Tally, count_figures, describe_training
from autoact.registry.stages import SELF_INSTRUCT
from autoact.run.process.health import cause, verdict
from autoact.run.record.folder import RunFolder, to_toml
from autoact.run.record.state import RunState

MOST_POINTS = 12
"""The most points of a loss curve, each the mean of as many steps as that needs."""


def make_run_report(folder: RunFolder) -> list[Block]:
    """Returns the parts of a report of what a run has logged so far."""
    totals = LogTotals.of_run(folder)
    state, made = totals.state, count_figures(totals)
    return [
        Block("heading", f"{folder.path.parent.parent.name}: run {folder.name}"),
        Block("text", _summary(folder, state, made)),
        *list_asked(state),
        *_list_scores(made),
        *_list_counts(made),
        *_list_stages(made),
        *_plot_losses(state),
        *_list_signs(state, made),
        *_list_wrong_answers(state, made),
        *_list_settings(folder),
    ]


def _summary(folder: RunFolder, state: RunState, made: Tally) -> str:
    found = verdict(folder, state)
    why = cause(folder, state, found)
    started = f", begun {datetime.fromtimestamp(made.started):%Y-%m-%d %H:%M}" if made.started else ""
    model = f"; model {made.engine}" if made.engine else ""
    return f"{found}{f' ({why})' if why else ''}{started}, {format_duration(made.seconds)} at work{model}."


def _list_scores(made: Tally) -> Iterator[Block]:
    if not made.scores:
        return
    success, mean = ("won", "score") if made.scores[0].played else ("EM", "F1")
    headings = ["method", "n", success, "95 % interval", mean, "95 % interval", "tokens", "seconds"]
    yield Block("heading", "Scores")
    yield Block("text", "In percent, with bootstrap intervals over questions.")
    rows = [row for score in made.scores for row in _score_rows(score)]
    yield Block("table", rows=[headings, *rows])
    bars = [Bar(one.cast, *(100 * value for value in (one.f1, *one.f1_interval))) for one in made.scores]
    yield Block("figure", draw_bars(bars))


def _score_rows(score: Score) -> Iterator[list[str]]:
    yield [*_score_cells(score.cast, score), f"{score.tokens:.0f}", f"{score.seconds:.1f}"]
    for group in (*score.by_level, *score.by_type):
        yield [*_score_cells(f"{score.cast}, {group.name or 'unknown'}", group), "", ""]


def _score_cells(name: str, score: Score) -> list[str]:
    intervals = (f"{100 * low:.1f} to {100 * high:.1f}" for low, high in (score.em_interval, score.f1_interval))
    em_interval, f1_interval = intervals
    return [name, str(score.n), f"{100 * score.em:.1f}", em_interval, f"{100 * score.f1:.1f}", f1_interval]


def _list_counts(made: Tally) -> Iterator[Block]:
    yield Block("heading", "Questions, trajectories and adapters")
    carried = any(one.name == SELF_INSTRUCT and one.is_carried_over for one in made.stages)
    written = "" if carried else f"{made.questions_asked} written, "
    questions = f"questions: {written}{made.questions_kept} accepted"
    tried = f"trajectories: {made.trajectories_tried} tried, {made.trajectories_kept} kept"
    lines = [
        questions + _reasons(made.questions_refused), tried + _reasons(made.trajectories_refused),
        f"tools: {', '.join(made.tools) or 'none selected'}",
        *(f"{one.role}-agent: {describe_training(one)}" for one in made.adapters),
    ]  # fmt: skip
    yield Block("list", lines=lines)


def _reasons(refused: Mapping[str, int]) -> str:
    return "; refused: " + ", ".join(f"{count} {reason}" for reason, count in refused.items()) if refused else ""


def _list_stages(made: Tally) -> Iterator[Block]:
    rows = [[one.name, *one.describe(), format_duration(one.seconds)] for one in made.stages]
    if rows:
        yield Block("table", rows=[["stage", "state", "done", "time"], *rows])


def _plot_losses(state: RunState) -> Iterator[Block]:
    curves = {role: {step: one.loss for step, one in curve.items()} for role, curve in state.curves.items()}
    lines = [Line(role, list(_means(losses))) for role, losses in curves.items()]
    validated = state.validation_losses
    lines += [Line(f"{role}, validation", sorted(losses.items())) for role, losses in validated.items()]
    if any(line.points for line in lines):
        yield Block("heading", "Loss")
        ends = (f"{line.label}: {line.points[0][1]:.3f} to {line.points[-1][1]:.3f}" for line in lines if line.points)
        yield Block(
            "text", f"First and last loss of each curve: {', '.join(ends)}. "
            "Each point of a training curve is the mean of several steps.",
        )  # fmt: skip
        yield Block("figure", draw_lines(lines, "step", "loss"))


def _means(losses: Mapping[int, float]) -> Iterator[tuple[float, float]]:
    """Yields the last step of each portion of a curve, and the mean of its losses."""
    steps = sorted(losses)
    portion = max(1, -(-len(steps) // MOST_POINTS))
    for at in range(0, len(steps), portion):
        part = steps[at : at + portion]
        yield float(part[-1] + 1), fmean(losses[step] for step in part)


def _list_signs(state: RunState, made: Tally) -> Iterator[Block]:
    if found := [one for one in find_signatures(state, made) if one.found]:
        yield Block("heading", "Signs of failure")
        yield Block("list", lines=[f"{one.name}: {one.message}; {one.remedy}" for one in found])


def _list_wrong_answers(state: RunState, made: Tally) -> Iterator[Block]:
    """Yields the first wrong answers of the group, else of the method that was scored first."""
    casts = [score.cast for score in made.scores]
    cast = "group" if "group" in casts else next(iter(casts), "")
    wrong = [one for one in state.solved if one.cast == cast and one.scored and one.f1 == 0]
    if wrong:
        yield Block("heading", "Wrong answers")
        yield Block("text", f"{len(wrong)} answers of {cast} have F1 0; the first are:")
        yield from (Block("code", describe_answer(one)) for one in wrong[:MOST_WRONG])


def _list_settings(folder: RunFolder) -> Iterator[Block]:
    yield Block("heading", "Settings")
    yield Block("text", f"AutoAct {__version__}; the settings of the run:")
    try:
        yield Block("code", to_toml(folder.read_config()))
    except BadInput as error:
        yield Block("text", str(error))


def join_reports(title: str, comparison: Sequence[Block], folders: Sequence[RunFolder]) -> list[Block]:
    """Returns a report of several runs: how they compare, and then each of them."""
    runs = [block for folder in folders for block in make_run_report(folder)]
    return [Block("heading", title), *comparison, *runs]
