"""The method's stages: which of them a run has reached, how far it is, and how long it will take."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from autoact.events import TrainStepped
from autoact.run.record.state import RunState, StageState
from autoact.trajectory import SUB_AGENTS, Role

STAGES = ("self_instruct", "tool_selection", "synthesis", "filtering", "differentiation", "group_planning")
"""In their order, as events name them."""
TITLES = {"self_instruct": "self-instruct"}
"""Of stages whose name reads badly without its underscore."""
RECENT = 20
"""Training steps that the time left is estimated from."""
SOON = 1.0
"""Seconds that a stage has run, below which nothing is said about its pace."""


def title(stage: str) -> str:
    """Returns what a person calls a stage."""
    return TITLES.get(stage, stage.replace("_", " "))


def stage_of(state: RunState) -> str:
    """The stage at work with its progress, else the last one that was finished."""
    stage = state.stages.get(state.stage)
    if stage is None:
        return title(next(reversed(state.stages), ""))
    done = f" {stage.done}/{stage.of}" if stage.of else f" {stage.done}" if stage.done else ""
    return f"{title(state.stage)}{done}"


def pace(state: RunState) -> str:
    """Returns what the stage at work is busy with and the time left for it, as far as the log tells."""
    stage, role = state.stages.get(state.stage), training_role(state)
    if stage is None or state.status == "paused":
        return ""
    if role is not None:
        return f"{role} {training_status(state, role)}"
    left = time_left(stage, state.at)
    return f"{duration_text(left)} left" if left else ""


def time_left(stage: StageState, now: float) -> float:
    """Returns the seconds that a stage will take at the pace it has had; 0 when nothing is known yet."""
    spent = now - stage.started_at
    return max(0, stage.of - stage.done) * spent / stage.done if stage.done and spent >= SOON else 0.0


def missing_reason(state: RunState, stage: str, what: str) -> str:
    """Returns why there is nothing of a stage yet: what is at work instead; `what` names its results."""
    if stage in state.stages or stage not in _planned(state):
        return f"This run made no {what}." if state.status != "running" else f"No {what} yet."
    if state.stage in STAGES:
        busy = ", ".join(part for part in (stage_of(state), pace(state)) if part)
        return f"No {what} yet: {busy}. They are made in {title(stage)}, {_stages_away(state.stage, stage)}."
    return f"No {what} yet. They are made in {title(stage)}."


def _planned(state: RunState) -> Collection[str]:
    """The stages that the run's settings name; all of them where they say nothing of use."""
    settings = state.config.get("run")
    named = settings.get("stages") if isinstance(settings, Mapping) else None
    return named if named and isinstance(named, list | tuple) else STAGES


def _stages_away(stage: str, later: str) -> str:
    away = STAGES.index(later) - STAGES.index(stage)
    return "the next stage" if away == 1 else f"{away} stages later"


# -- training --------------------------------------------------------------------------------------------------------


def training_role(state: RunState) -> Role | None:
    """Whose training is going on, or about to."""
    if state.stage != "differentiation":
        return None
    over = state.adapters.keys() | {unit.removeprefix("train-") for unit in state.unit_failures}
    return next((role for role in SUB_AGENTS if role not in over), None)


def recent_steps(state: RunState, role: Role) -> list[TrainStepped]:
    """The last steps of a role, oldest first."""
    curve = state.curves.get(role, {})
    last = max(curve, default=-1)
    return [curve[step] for step in range(max(0, last - RECENT + 1), last + 1) if step in curve]


def training_status(state: RunState, role: Role) -> str:
    """How far it is: waiting, step n of N with the time left, or done."""
    steps = recent_steps(state, role)
    done, of = (steps[-1].step + 1, steps[-1].of) if steps else (0, 0)
    if role in state.adapters:
        return f"{done}/{of} trained" if steps else "trained in an earlier run"
    if f"train-{role}" in state.unit_failures:
        return f"failed: {state.unit_failures[f'train-{role}']}"
    if not steps:
        return "loading" if training_role(state) == role else "waits its turn"
    held = state.status == "paused" or f"train-{role}" in state.halted
    if training_role(state) != role or held:
        return f"{done}/{of} {'paused' if held else 'stopped'}"
    left = (of - done) * sum(step.ms for step in steps) / len(steps) / 1000
    return f"{done}/{of}, {duration_text(left)} left"


def duration_text(seconds: float) -> str:
    """A time as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
