"""The method as a path: what each of its steps has made in a run, which one is running, and what a person does next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from autoact.registry.stages import (
    DIFFERENTIATION,
    FILTERING,
    GROUP_PLANNING,
    SELF_INSTRUCT,
    SESSION,
    STAGES,
    SYNTHESIS,
    TOOL_SELECTION,
    pipeline,
    title,
)
from autoact.run.record.state import RunState
from studio.runs.progress import mean_f1

STEPS = (
    ("questions", "quest.", SELF_INSTRUCT), ("tools", "tools", TOOL_SELECTION), ("trajectories", "traj.", SYNTHESIS),
    ("kept", "kept", FILTERING), ("adapters", "adapt.", DIFFERENTIATION), ("score", "F1", GROUP_PLANNING),
)  # fmt: skip
"""Name, short name and stage of the steps after the task."""
WATCHED_IN = {
    SELF_INSTRUCT: "task", TOOL_SELECTION: "tools", SYNTHESIS: "trajectories", FILTERING: "trajectories",
    DIFFERENTIATION: "training", GROUP_PLANNING: "trajectories", SESSION: "group",
}  # fmt: skip
"""The pane that shows a stage while it runs, as the action of the project screen that opens it."""
RESUMABLE = ("failed", "cancelled", "interrupted")
"""Verdicts of runs that can be resumed."""


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step of the path."""

    name: str
    short: str
    status: Literal["open", "running", "done"]
    result: str = ""
    """Its progress while it runs, afterwards the number of its results, or the score."""


@dataclass(frozen=True, slots=True)
class NextAction:
    """The next step of a person: an action of the action table, and words for it."""

    action: str
    """The id of the action, such as `project.run`."""
    words: str


def method_path(state: RunState, *, alive: bool, has_examples: bool) -> Iterator[PathStep]:
    """Yields the steps of the path. A stage of a run without a job is not running."""
    yield PathStep("task", "task", "done" if has_examples else "open")
    for name, short, stage in STEPS:
        progress = state.stages.get(stage)
        if alive and state.stage == stage and progress is not None:
            done = f"{progress.done}/{progress.of}" if progress.of else str(progress.done or "")
            yield PathStep(name, short, "running", done)
        else:
            made = STAGES.get(stage).made(state)
            result = _score(state) if stage == GROUP_PLANNING else str(made)
            yield PathStep(name, short, "done", result) if made and result else PathStep(name, short, "open")


def _score(state: RunState) -> str:
    """Returns the mean F1 of the group in percent; empty until it has answered all questions that it was asked."""
    progress, f1 = state.stages.get(GROUP_PLANNING), mean_f1(state.solved, "group")
    return f"{100 * f1:.1f}" if f1 is not None and progress and progress.status == "finished" else ""


def next_action(state: RunState, verdict: str, *, has_run: bool, has_examples: bool, foreign: bool) -> NextAction:
    """Returns what a person does next. `verdict` is that of the run; a foreign run without a job must be trusted."""
    if not has_examples:
        return NextAction("task.add", "add an example")
    if not has_run:
        return NextAction("project.run", "start a run")
    if verdict == "paused":
        return NextAction("project.run", "resume")
    if verdict in ("starting", "running", "reading"):
        return NextAction(
            f"project.{WATCHED_IN.get(state.stage, 'runs')}", "ask" if state.stage == SESSION else "watch"
        )
    if foreign:
        return NextAction("project.run", "trust and resume" if verdict in RESUMABLE else "trust")
    if verdict in RESUMABLE and SESSION not in state.stages:
        return NextAction("project.run", "resume")
    if verdict in ("finished", *RESUMABLE):
        missing = missing_stage(state)
        return NextAction("project.run", f"go on: {title(missing)}") if missing else NextAction("group.ask", "ask")
    return NextAction("project.runs", "show the runs")


def missing_stage(state: RunState) -> str:
    """Returns the first stage up to the training that has no results; empty when there are adapters."""
    stages = pipeline()
    needed = stages[: stages.index(DIFFERENTIATION) + 1]
    return "" if state.adapters else next((stage for stage in needed if not STAGES.get(stage).made(state)), "")
