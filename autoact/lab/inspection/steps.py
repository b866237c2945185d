"""Kinds of failed steps: an action that does not exist, a tool that could not work, a call that found nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from autoact.trajectory import FINISH, REFLECT, Step, Trajectory

UNKNOWN = "?"
"""Stands for all names of actions that do not exist."""
_INVALID = re.compile(r"invalid action\b", re.IGNORECASE)
_BROKEN = re.compile(r"\S+ (?:failed:|is not ready:)|bing ?search error|could not find that page", re.IGNORECASE)
"""The beginnings of observations, of tools here and in the published trajectories."""


def is_call(step: Step) -> bool:
    """Returns whether a step calls a tool, or tries to."""
    return step.action not in (FINISH, REFLECT)


def is_invalid(step: Step) -> bool:
    """Returns whether the action does not exist, or not at this point."""
    return bool(_INVALID.match(step.observation))


def is_broken(step: Step) -> bool:
    """Returns whether the tool could not carry out the call, which is no mistake of the model."""
    return bool(_BROKEN.match(step.observation))


def action_key(name: str) -> str:
    """Returns the name of an action without case and spaces around it."""
    return name.strip().casefold()


def known_actions(trajectories: Iterable[Trajectory]) -> frozenset[str]:
    """Returns the keys of all actions that were valid at least once, and of Finish and Reflect."""
    valid = {action_key(step.action) for one in trajectories for step in one.steps if not is_invalid(step)}
    return frozenset((valid | {action_key(FINISH), action_key(REFLECT)}) - {""})


def action_names(trajectory: Trajectory, known: Collection[str]) -> tuple[str, ...]:
    """Returns the keys of a trajectory's actions, UNKNOWN for those that are not known."""
    keys = (action_key(step.action) for step in trajectory.steps)
    return tuple(key if key in known else UNKNOWN for key in keys)
