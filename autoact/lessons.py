"""What each sub-agent learns from: kept trajectories, each teaching it its own words (paper, section 3.4)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import get_args

import msgspec

from autoact import scratchpad
from autoact.metrics import reward
from autoact.script import Lesson
from autoact.trajectory import GROUP, REFLECT, RIGHT, SUB_AGENTS, WRONG, Part, Role, Trajectory, Verdict

PARTS: dict[Role, tuple[Part, ...]] = {
    role: tuple(part for part in get_args(Part) if GROUP.role(part) == role) for role in SUB_AGENTS
}
"""What each sub-agent says, hence what it learns to say."""


def lessons(
    role: Role, trajectories: Sequence[Trajectory], verdicts: Mapping[str, Verdict], wrong_share: float, seed: int
) -> tuple[Lesson, ...]:
    """A sub-agent's lessons, in the order of the units' names, whatever the order in which they happened to end."""
    ordered = sorted(trajectories, key=lambda trajectory: trajectory.unit)
    kept = [one for one in ordered if (verdict := verdicts.get(one.unit)) and verdict.kept]
    made = tuple(Lesson(straight(one), PARTS[role]) for one in kept)
    return made + wrong_lessons(ordered, len(kept), wrong_share, seed) if role == "reflect" else made


def straight(trajectory: Trajectory) -> Trajectory:
    """A kept trajectory with its last verdict set to *right*: the gold answer is known, the guess is not needed."""
    *before, last = trajectory.steps
    if last.action != REFLECT or last.argument == RIGHT:
        return trajectory
    steps = (*before, msgspec.structs.replace(last, argument=RIGHT, observation=""))
    return msgspec.structs.replace(trajectory, steps=steps)


def wrong_lessons(trajectories: Sequence[Trajectory], kept: int, share: float, seed: int) -> tuple[Lesson, ...]:
    """Wrong runs cut at their first reflection, with the verdict set to *wrong*.

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
