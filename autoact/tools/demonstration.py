"""Seed examples with steps become demonstrations: observations a person left out come from the tools themselves."""

from __future__ import annotations

import msgspec

from autoact import scratchpad
from autoact.tools.library import ToolSession
from autoact.trajectory import FINISH, REFLECT, Example, Step


def demonstrated(example: Example, session: ToolSession) -> Example:
    """The example with every observation filled in."""
    return msgspec.structs.replace(example, steps=tuple(_observed(step, session) for step in example.steps))


def _observed(step: Step, session: ToolSession) -> Step:
    if step.observation or step.action == REFLECT:
        return step
    seen = scratchpad.REFLECT_NOW if step.action == FINISH else session.call(step.action, step.argument).text
    return msgspec.structs.replace(step, observation=seen)


def usable(example: Example, tools: set[str]) -> bool:
    """Whether an example has steps, all of them with tools the agent may call."""
    return bool(example.steps) and all(step.action in {*tools, FINISH, REFLECT} for step in example.steps)
