"""Completes worked examples for use in prompts: calls the tools for observations that a person left out."""

from __future__ import annotations

import msgspec

from autoact import scratchpad
from autoact.tools.library.library import Library, ToolSession
from autoact.trajectory import FINISH, REFLECT, Example, Step


def fill_demonstration(example: Example, library: Library) -> Example:
    """Returns the example with each tool under its own name and every observation filled in."""
    steps = [msgspec.structs.replace(step, action=_name(step.action, library)) for step in example.steps]
    if any(not step.observation and _is_call(step) for step in steps):
        session = library.session(example.question)
        steps = [_observe(step, session) if _is_call(step) else step for step in steps]
    ended = (step.action == FINISH and not step.observation for step in steps)
    return msgspec.structs.replace(
        example,
        steps=tuple(
            msgspec.structs.replace(step, observation=scratchpad.REFLECT_NOW) if end else step
            for step, end in zip(steps, ended, strict=True)
        ),
    )


def _name(action: str, library: Library) -> str:
    """Returns the tool's own name for one of its other names; other text as it is."""
    record = library.resolve(action)
    return record.name if record else action


def _is_call(step: Step) -> bool:
    return step.action not in (FINISH, REFLECT)


def _observe(step: Step, session: ToolSession) -> Step:
    if step.observation:
        session.recall(step.action, step.argument)  # a later call may depend on this one
        return step
    seen = session.call(step.action, step.argument)
    return msgspec.structs.replace(step, observation=seen.text, failed=seen.failed)


def is_usable(example: Example, tools: set[str]) -> bool:
    """Returns whether an example can be shown to an agent that has these tools: it has steps, no step calls another
    tool, and no call has failed on this machine."""
    known = {*tools, FINISH, REFLECT}
    return bool(example.steps) and all(step.action in known and not step.failed for step in example.steps)
