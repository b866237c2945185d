"""The progress of a run: its stage, the training of its sub-agents, and the time that is left."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from statistics import fmean

from autoact.events import QuestionSolved, TrainStepped
from autoact.lab.duration import format_duration
from autoact.project.config import trained_cast
from autoact.registry.stages import DIFFERENTIATION, pipeline, title
from autoact.run.record.stage_state import StageState
from autoact.run.record.state import RunState
from autoact.script import is_fork

RECENT = 20
"""Training steps from which the time left is estimated."""
ESTIMATE_AFTER_S = 1.0
"""Seconds that a stage must have run before the time left is estimated."""


def stage_of(state: RunState) -> str:
    """Returns the running stage with its progress, else the last finished one."""
    stage = state.stages.get(state.stage)
    if stage is None:
        return title(next(reversed(state.stages), ""))
    done = f" {stage.done}/{stage.of}" if stage.of else f" {stage.done}" if stage.done else ""
    return f"{title(state.stage)}{done}"


def pace(state: RunState) -> str:
    """Returns how many episodes are held, and unless all are, what is known of the progress."""
    if held := state.halted.intersection(state.lanes.units):
        progress = _pace(state) if len(held) < len(state.lanes.units) else ""
        return f"{len(held)} held{f', {progress}' if progress else ''}"
    return _pace(state)


def _pace(state: RunState) -> str:
    """Returns the sub-agent in training, the validation after it, or the time left for the running stage; empty when
    unknown."""
    stage, role = state.stages.get(state.stage), training_role(state)
    if stage is None or state.status in ("paused", "cancelled", "failed"):
        return ""
    if role is not None:
        return f"{role} {training_status(state, role)}"
    if state.stage == DIFFERENTIATION and state.validated:
        return f"{len(state.validated)} validation answers"
    left = time_left(stage, state.at)
    return f"{format_duration(left)} left" if left else ""


def time_left(stage: StageState, now: float) -> float:
    """Returns the seconds left at the stage's average pace; 0 when it cannot be estimated yet."""
    spent, done = now - stage.paced[0], stage.done - stage.paced[1]
    return max(0, stage.of - stage.done) * spent / done if done and spent >= ESTIMATE_AFTER_S else 0.0


def missing_reason(state: RunState, stage: str, results: str, *, alive: bool) -> str:
    """Returns why a run has no `results` of a stage yet, with the progress of the stage that is running instead, or
    with the key that makes some."""
    if not alive:
        more = "R starts one that does" if state.status == "finished" else "R resumes it"
        return f"This run made no {results}: {more}."
    if stage in state.stages or stage not in planned_stages(state):
        return f"No {results} yet."
    if state.stage in pipeline():
        progress = ", ".join(part for part in (stage_of(state), pace(state)) if part)
        return f"No {results} yet: {progress}. They are made in {title(stage)}, {_stages_away(state.stage, stage)}."
    return f"No {results} yet. They are made in {title(stage)}."


def planned_stages(state: RunState) -> Collection[str]:
    """Returns the stages in the run's settings; all stages where the settings have none."""
    settings = state.config.get("run")
    named = settings.get("stages") if isinstance(settings, Mapping) else None
    return named if named and isinstance(named, list | tuple) else pipeline()


def _stages_away(stage: str, later: str) -> str:
    away = pipeline().index(later) - pipeline().index(stage)
    return "the next stage" if away == 1 else f"{away} stages later"


def mean_f1(solved: Sequence[QuestionSolved], cast: str) -> float | None:
    """Returns the mean F1, 0 to 1, of a method's scored answers, without those of forks; None without any."""
    scored = [one.f1 for one in solved if one.scored and one.cast == cast and not is_fork(one.trajectory.unit)]
    return fmean(scored) if scored else None


def main_f1(solved: Sequence[QuestionSolved]) -> float | None:
    """Returns the mean F1, 0 to 1, of the group, else of the only method with scored answers; None for several others
    or none."""
    casts = {one.cast for one in solved if one.scored}
    return mean_f1(solved, "group" if "group" in casts or len(casts) != 1 else casts.pop())


# -- training --------------------------------------------------------------------------------------------------------


def training_role(state: RunState) -> str | None:
    """Returns the role that is trained now or next; None outside of training."""
    if state.stage != DIFFERENTIATION:
        return None
    finished = state.adapters.keys() | {unit.removeprefix("train-") for unit in state.unit_failures}
    return next((role for role in trained_cast(state.config).names() if role not in finished), None)


def recent_steps(state: RunState, role: str) -> list[TrainStepped]:
    """Returns the last training steps of a role, oldest first, at most RECENT."""
    curve = state.curves.get(role, {})
    last = max(curve, default=-1)
    return [curve[step] for step in range(max(0, last - RECENT + 1), last + 1) if step in curve]


def training_status(state: RunState, role: str) -> str:
    """Returns the progress of a role's training: waiting, step n of N with the time left, done, or stopped."""
    steps = recent_steps(state, role)
    done, of = (steps[-1].step + 1, steps[-1].of) if steps else (0, 0)
    if role in state.adapters:
        if not steps:
            return "trained in an earlier run"
        return f"{done}/{of} trained{', ended early' if done < of else ''}"
    if f"train-{role}" in state.unit_failures:
        return f"failed: {state.unit_failures[f'train-{role}']}"
    ended = state.status in ("cancelled", "failed")
    if not steps and ended:
        return "not trained"
    if not steps:
        return "loading" if training_role(state) == role else "waits its turn"
    held = state.status == "paused" or f"train-{role}" in state.halted
    if training_role(state) != role or held or ended:
        return f"{done}/{of} {'paused' if held else 'stopped'}"
    left = (of - done) * sum(step.ms for step in steps) / len(steps) / 1000
    return f"{done}/{of}, {format_duration(left)} left"
