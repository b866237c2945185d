"""The paper's stages, and which of them a run has reached."""

from __future__ import annotations

from autoact.run.state import RunState

STAGES = ("self_instruct", "tool_selection", "synthesis", "filtering", "differentiation", "group_planning")
"""In their order, as events name them."""


def stage_of(state: RunState) -> str:
    """The stage at work with its progress, else the last one that was finished."""
    stage = state.stages.get(state.stage)
    if stage is None:
        return next(reversed(state.stages), "")
    return f"{state.stage} {stage.done}/{stage.of}" if stage.of else state.stage
