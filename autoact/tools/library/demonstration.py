"""Seed examples with steps become demonstrations: observations a person left out come from the tools themselves."""

from __future__ import annotations

import msgspec

from autoact import scratchpad
from autoact.tools.library.library import Library, ToolSession
from autoact.trajectory import FINISH, REFLECT, Example, Step


def fill_demonstration(example: Example, library: Library) -> Example:
    """The example with every tool called by its own name and every observation filled in."""
    steps = [msgspec.structs.replace(step, action=_name(step.action, library)) for step in example.steps]
    if any(not step.observation and _is_call(step) for step in steps):
        session = library.session(example.question)
        steps = [_observed(step, session) if _is_call(step) else step for step in steps]
    ended = (step.action == FINISH and not step.observation for step in steps)
    return msgspec.structs.replace(
        example,
        steps=tuple(
            msgspec.structs.replace(step, observation=scratchpad.REFLECT_NOW) if end else step
            for step, end in zip(steps, ended, strict=True)
        ),
    )


def _name(action: str, library: Library) -> str:
    """The tool's own name where an action is another of its names."""
    record = library.resolve(action)
    return record.name if record else action


def _is_call(step: Step) -> bool:
    return step.action not in (FINISH, REFLECT)


def _observed(step: Step, session: ToolSession) -> Step:
    if step.observation:
        session.recall(step.action, step.argument)  # a later call may depend on this one
        return step
    seen = session.call(step.action, step.argument)
    return msgspec.structs.replace(step, observation=seen.text, failed=seen.failed)


def is_usable(example: Example, tools: set[str]) -> bool:
    """Whether an example has steps, all of them with tools the agent may call, and none whose call failed here."""
    known = {*tools, FINISH, REFLECT}
    return bool(example.steps) and all(step.action in known and not step.failed for step in example.steps)
