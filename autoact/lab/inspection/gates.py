"""Simple gates that a sound trajectory passes, whatever its answer: how many pass each, and how many all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from autoact.lab.inspection.steps import action_key, is_broken, is_invalid
from autoact.trajectory import FINISH, REFLECT, Trajectory


class GateCount(Struct, frozen=True):
    """One gate, in the order in which they are applied."""

    name: str
    failed: int
    """Trajectories that do not pass it."""
    left: int
    """Those that pass it and all gates before."""


def pass_gates(trajectories: Sequence[Trajectory]) -> list[GateCount]:
    """Returns every gate with its counts; the last one's `left` is the number of clean trajectories."""
    gates, left = [], list(trajectories)
    for name, passes in GATES.items():
        failed = sum(not passes(one) for one in trajectories)
        left = [one for one in left if passes(one)]
        gates.append(GateCount(name, failed, len(left)))
    return gates


def _ended(trajectory: Trajectory) -> bool:
    ends = (action_key(FINISH), action_key(REFLECT))
    return trajectory.halt == "over" or bool(trajectory.steps and action_key(trajectory.steps[-1].action) in ends)


def _no_invalid_step(trajectory: Trajectory) -> bool:
    return not any(is_invalid(step) for step in trajectory.steps)


def _no_empty_thought(trajectory: Trajectory) -> bool:
    return all(step.thought.strip() for step in trajectory.steps)


def _no_tool_error(trajectory: Trajectory) -> bool:
    return not any(is_broken(step) for step in trajectory.steps)


def _no_repeated_action(trajectory: Trajectory) -> bool:
    acts = [(action_key(step.action), step.argument) for step in trajectory.steps]
    return len(set(acts)) == len(acts)


GATES: dict[str, Callable[[Trajectory], bool]] = {
    "ended by itself": _ended,
    "no invalid action": _no_invalid_step,
    "no empty thought": _no_empty_thought,
    "no error of a tool": _no_tool_error,
    "no repeated action": _no_repeated_action,
}
