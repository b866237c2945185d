"""The quality screen of a set of trajectories: its size, its variety, and how many are clean by simple gates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from autoact.trajectory import FINISH, REFLECT, Trajectory

OTHER = "other"
"""Stands in action sequences for an action that is no tool."""


class QualityScreen(Struct, frozen=True):
    """Counts of a set of trajectories."""

    trajectories: int
    questions: int
    """Different questions."""
    steps: float
    """Mean number of steps, reflections included."""
    sequences: int
    """Distinct sequences of actions."""
    empty_thoughts: float
    """Share of the steps, 0 to 1."""
    failed_steps: float
    """Share of the steps whose call was refused or could not be carried out, 0 to 1."""
    clean: int
    """Trajectories without any of the defects."""
    defects: Mapping[str, int]
    """Number of trajectories with each defect; one may have several."""


def screen(trajectories: Sequence[Trajectory]) -> QualityScreen:
    """Returns the screen of a set. All counts of an empty set are 0."""
    steps = [step for one in trajectories for step in one.steps]
    defects = Counter(defect for one in trajectories for defect in find_defects(one))
    tools = {step.action for step in steps if not step.failed} | {FINISH, REFLECT}
    count = max(1, len(steps))
    return QualityScreen(
        trajectories=len(trajectories),
        questions=len({one.question.id for one in trajectories}),
        steps=len(steps) / max(1, len(trajectories)),
        sequences=len({action_sequence(one, tools) for one in trajectories}),
        empty_thoughts=sum(not step.thought.strip() for step in steps) / count,
        failed_steps=sum(step.failed for step in steps) / count,
        clean=sum(not any(find_defects(one)) for one in trajectories),
        defects=dict(defects.most_common()),
    )


def action_sequence(trajectory: Trajectory, tools: set[str]) -> tuple[str, ...]:
    """Returns the actions of a trajectory, with OTHER in place of those that are not among `tools`."""
    return tuple(step.action if step.action in tools else OTHER for step in trajectory.steps)


def find_defects(trajectory: Trajectory) -> Iterator[str]:
    """Yields what is wrong with a trajectory by simple gates, which need no gold answer."""
    if trajectory.halt not in ("answered", "over"):
        yield "did not end"
    if any(step.failed for step in trajectory.steps):
        yield "failed call"
    if any(not step.thought.strip() for step in trajectory.steps):
        yield "empty thought"
    calls = [(step.action, step.argument) for step in trajectory.steps]
    if len(set(calls)) < len(calls):
        yield "repeated action"
