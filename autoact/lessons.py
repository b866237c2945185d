"""Builds the lessons of each adapter: kept trajectories, with the parts that it plays (paper, section 3.4)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import msgspec

from autoact import scratchpad
from autoact.metrics import normalise, reward
from autoact.registry.roles import ROLES
from autoact.script import Lesson
from autoact.trajectory import REFLECT, REPAIRED, RIGHT, WRONG, Cast, Trajectory, Verdict


def build_lessons(
    adapter: str, cast: Cast, trajectories: Sequence[Trajectory], verdicts: Mapping[str, Verdict], wrong_share: float,
    seed: int,
) -> tuple[Lesson, ...]:  # fmt: skip
    """Returns an adapter's lessons, sorted by the names of their units.

    An adapter that judges answers also gets wrong trajectories, a share `wrong_share` of all that it judges.
    """
    ordered = sorted(trajectories, key=lambda trajectory: trajectory.unit)
    kept = [one for one in ordered if (verdict := verdicts.get(one.unit)) and verdict.kept]
    played = ((one, parts_of(adapter, cast, one)) for one in kept)
    made = tuple(Lesson(with_right_verdict(one), parts, _first_step(one)) for one, parts in played if parts)
    judges = cast.adapter("reflect") == adapter
    return made + wrong_lessons(ordered, len(kept), wrong_share, seed) if judges else made


def parts_of(adapter: str, cast: Cast, trajectory: Trajectory) -> tuple[str, ...]:
    """Returns the parts of a trajectory that an adapter plays; `argument:TOOL` for the arguments of some tools only."""
    played = [role.parts for role in (ROLES.get("plan"), ROLES.get("reflect")) if cast.adapter(role.name) == adapter]
    called = dict.fromkeys(step.action for step in trajectory.steps if step.action != REFLECT)
    own = [tool for tool in called if cast.adapter("tool", tool) == adapter]
    arguments = ("argument",) if len(own) == len(called) else tuple(f"argument:{tool}" for tool in own)
    return (*(part for parts in played for part in parts), *arguments)


def _first_step(trajectory: Trajectory) -> int:
    """Returns the index of the first step to learn: of a repaired trajectory, the one after the verdict *wrong*."""
    if trajectory.made != REPAIRED:
        return 0
    return 1 + max(at for at, step in enumerate(trajectory.steps) if step.argument == WRONG and step.action == REFLECT)


def with_right_verdict(trajectory: Trajectory) -> Trajectory:
    """Returns a kept trajectory with its last verdict set to *right*, since its answer is known to be right."""
    *before, last = trajectory.steps
    if last.action != REFLECT or last.argument == RIGHT:
        return trajectory
    steps = (*before, msgspec.structs.replace(last, argument=RIGHT, observation=""))
    return msgspec.structs.replace(trajectory, steps=steps)


def wrong_lessons(trajectories: Sequence[Trajectory], kept: int, share: float, seed: int) -> tuple[Lesson, ...]:
    """Returns wrong trajectories, plausible ones first, cut after their first reflection, which now says *wrong*.

    Only the verdict carries loss: the reflection before it may defend the answer. Without these lessons there are 20
    verdicts *right* for each *wrong*, as in the published sets.
    """
    wrong = [short for one in trajectories if one.reward == 0 and (short := cut_after_wrong(one))]
    wanted = min(len(wrong), round(kept * share / max(1e-9, 1 - share)))
    mixed = random.Random(seed).sample(wrong, len(wrong))
    chosen = sorted(mixed, key=_is_plausible, reverse=True)[:wanted]
    return tuple(Lesson(trajectory, ("verdict",)) for trajectory in chosen)


def _is_plausible(trajectory: Trajectory) -> bool:
    """Returns whether the answer before the last reflection stands in an observation, as a right one mostly does."""
    *before, last, _ = trajectory.steps
    return any(f" {normalise(last.argument)} " in f" {normalise(step.observation)} " for step in before)


def cut_after_wrong(trajectory: Trajectory) -> Trajectory | None:
    """Returns a trajectory up to its first reflection, now *wrong*; None when its first answer was not wrong."""
    for index, step in enumerate(trajectory.steps):
        if step.action == REFLECT:
            if reward(trajectory.steps[index - 1].argument, trajectory.question) > 0:
                return None  # its wrong answer came later
            judged = msgspec.structs.replace(step, argument=WRONG, observation=scratchpad.TRY_AGAIN)
            return msgspec.structs.replace(trajectory, steps=(*trajectory.steps[:index], judged))
    return None
