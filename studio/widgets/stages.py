"""The paper's six stages in a row: how far each is, what it kept and what it refused."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from autoact.run.record.state import RunState
from studio.runs.follow import Follow
from studio.runs.progress import STAGES
from studio.terminal.glyphs import Glyphs
from studio.widgets.rows import Rows, padded

NAMES = ("self-instruct", "tool selection", "synthesis", "filtering", "self-differentiation", "group planning")
SHORT = ("instruct", "tools", "synthesis", "filtering", "self-diff", "group")
"""For columns too narrow for the names."""

Count = tuple[int, str, int, str]
"""How many of the good kind and of the other, each with its word."""


class Stages(Rows):
    """Three lines: names, progress, counts."""

    def rows(self, follow: Follow, width: int, height: int) -> Sequence[Content]:
        cell = width // len(STAGES)
        names = NAMES if cell >= 22 else SHORT
        columns = [
            column(follow.state, stage, name, cell, self.glyphs) for stage, name in zip(STAGES, names, strict=True)
        ]
        return [Content("").join(line) for line in zip(*columns, strict=True)]


def column(state: RunState, stage: str, name: str, width: int, glyphs: Glyphs) -> list[Content]:
    """One stage as three pieces of `width` cells."""
    found = state.stages.get(stage)
    status = found.status if found else "waiting"
    style = {"waiting": "$quiet", "running": "bold $accent", "finished": "$success"}[status]
    progress = f"{found.done}/{found.of}" if found and found.of else f"{found.done}" if found and found.done else ""
    if found and status == "finished" and found.seconds:
        timed = f"{progress} {lasted(found.seconds)}"
        progress = timed if len(timed) <= width - 3 else progress
    lines = [
        Content.styled(f" {glyphs.stages[status]} {name}", style),
        Content.styled(f"   {progress}", "" if found else "$quiet"),
        Content.styled(f"   {counted(counts(state, stage), width - 3)}", "$quiet"),
    ]
    return [padded(line, width) for line in lines]


def counts(state: RunState, stage: str) -> Count:
    """What the stage kept and what it refused, in its own words."""
    kept, refused = "kept", "refused"
    match stage:
        case "self_instruct":
            return len(state.questions), kept, state.refused.total(), refused
        case "tool_selection":
            return len(state.selected), kept, len(state.passed_over), refused
        case "synthesis":
            return len(state.trajectories), "tried", 0, ""
        case "filtering":
            good = sum(verdict.kept for verdict in state.verdicts.values())
            return good, kept, len(state.verdicts) - good, refused
        case "differentiation":
            return len(state.adapters), "trained", 0, ""
    scored = [solved for solved in state.solved if solved.scored]
    right = sum(solved.em == 1.0 for solved in scored)
    return right, "right", len(scored) - right, "wrong"


def counted(count: Count, width: int) -> str:
    """In words where they fit, else as +kept -refused; nothing when nothing was counted."""
    good, word, bad, other = count
    if not good and not bad:
        return ""
    words = f"{good} {word}" + (f" {bad} {other}" if other else "")
    return words if len(words) <= width or not other else f"+{good} -{bad}"


def lasted(seconds: float) -> str:
    """12s, 3m05, 2h10."""
    if seconds < 60:
        return f"{seconds:.0f}s"
    if seconds < 3600:
        return f"{seconds // 60:.0f}m{seconds % 60:02.0f}"
    return f"{seconds // 3600:.0f}h{seconds % 3600 // 60:02.0f}"
