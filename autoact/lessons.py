"""What each adapter learns from: kept trajectories, each teaching it the parts that it plays (paper, section 3.4)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import msgspec

from autoact import scratchpad
from autoact.metrics import reward
from autoact.registry.roles import ROLES
from autoact.script import Lesson
from autoact.trajectory import REFLECT, RIGHT, WRONG, Cast, Trajectory, Verdict


def build_lessons(
    adapter: str, cast: Cast, trajectories: Sequence[Trajectory], verdicts: Mapping[str, Verdict], wrong_share: float,
    seed: int,
) -> tuple[Lesson, ...]:  # fmt: skip
    """Returns an adapter's lessons in the order of the units' names, whatever the order in which they ended.

    One that judges also learns from wrong runs, which are `wrong_share` of what it judges.
    """
    ordered = sorted(trajectories, key=lambda trajectory: trajectory.unit)
    kept = [one for one in ordered if (verdict := verdicts.get(one.unit)) and verdict.kept]
    made = tuple(Lesson(with_right_verdict(one), parts) for one in kept if (parts := parts_of(adapter, cast, one)))
    judges = cast.adapter("reflect") == adapter
    return made + wrong_lessons(ordered, len(kept), wrong_share, seed) if judges else made


def parts_of(adapter: str, cast: Cast, trajectory: Trajectory) -> tuple[str, ...]:
    """Returns the parts of a trajectory's turns that an adapter speaks, the arguments of single tools by name."""
    played = [role.parts for role in (ROLES.get("plan"), ROLES.get("reflect")) if cast.adapter(role.name) == adapter]
    called = dict.fromkeys(step.action for step in trajectory.steps if step.action != REFLECT)
    own = [tool for tool in called if cast.adapter("tool", tool) == adapter]
    arguments = ("argument",) if len(own) == len(called) else tuple(f"argument:{tool}" for tool in own)
    return (*(part for parts in played for part in parts), *arguments)


def with_right_verdict(trajectory: Trajectory) -> Trajectory:
    """Returns a kept trajectory with its last verdict set to *right*: the gold answer is known."""
    *before, last = trajectory.steps
    if last.action != REFLECT or last.argument == RIGHT:
        return trajectory
    steps = (*before, msgspec.structs.replace(last, argument=RIGHT, observation=""))
    return msgspec.structs.replace(trajectory, steps=steps)


def wrong_lessons(trajectories: Sequence[Trajectory], kept: int, share: float, seed: int) -> tuple[Lesson, ...]:
    """Returns wrong runs, cut at their first reflection, with the verdict set to *wrong*.

    Only the verdict carries loss: the reflection was written by a model that may have believed the answer. Without
    them the published sets hold 20 *right* for one *wrong*.
    """
    wrong = [short for one in trajectories if one.reward == 0 and (short := _judged_wrong(one))]
    wanted = min(len(wrong), round(kept * share / max(1e-9, 1 - share)))
    chosen = random.Random(seed).sample(wrong, wanted)
    return tuple(Lesson(trajectory, ("verdict",)) for trajectory in chosen)


def _judged_wrong(trajectory: Trajectory) -> Trajectory | None:
    for index, step in enumerate(trajectory.steps):
        if step.action == REFLECT:
            if reward(trajectory.steps[index - 1].argument, trajectory.question) > 0:
                return None  # its first answer was not the wrong one
            judged = msgspec.structs.replace(step, argument=WRONG, observation=scratchpad.TRY_AGAIN)
            return msgspec.structs.replace(trajectory, steps=(*trajectory.steps[:index], judged))
    return None
