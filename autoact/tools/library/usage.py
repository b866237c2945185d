"""Statistics of the tools of past runs: calls, failures, durations, and how often episodes that used one were right."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from autoact.events import Event, QuestionSolved, ToolObserved, TrajectoryCommitted
from autoact.script import found_nothing, root_of
from autoact.tools.library.tools_toml import tool_key
from autoact.trajectory import Trajectory


class ToolUsage(Struct, frozen=True):
    """The statistics of one tool."""

    tool: str
    calls: int
    failed: int
    """Calls that the tool could not carry out."""
    empty: int
    """Calls that found nothing."""
    p50_ms: float
    p95_ms: float
    trajectories: int
    """Finished trajectories with a known answer that called it."""
    right: int
    """Those of them whose answer was exactly right."""

    @property
    def right_rate(self) -> float | None:
        """Returns None when no trajectory that used it can be scored."""
        return self.right / self.trajectories if self.trajectories else None


@dataclass(slots=True)
class _Count:
    tool: str
    waits_ms: list[float] = field(default_factory=list)
    failed: int = 0
    empty: int = 0
    trajectories: int = 0
    right: int = 0


class UsageCounter:
    """Counts the events of any number of runs, each in the order of its log."""

    def __init__(self, spellings: Mapping[str, str] | None = None) -> None:
        """`spellings` maps the key of each other name of a tool to the key of its own."""
        self._spellings = spellings or {}
        self._counts: dict[str, _Count] = {}

    def count(self, events: Iterable[Event | None]) -> None:
        """Counts one run. A call that was repeated after a restart counts twice.

        Trajectories that a run took over from an earlier one are left out: the earlier log counts them.
        """
        trajectories: dict[str, Trajectory] = {}
        right: dict[str, bool] = {}
        called: set[str] = set()
        for event in events:
            match event:
                case ToolObserved():
                    count = self._of(event.tool)
                    count.waits_ms.append(event.ms)
                    if event.failed:
                        empty = found_nothing(event.text)
                        count.empty += empty
                        count.failed += not empty
                    called.add(event.unit)
                case TrajectoryCommitted(trajectory=trajectory) if trajectory.question.answer:
                    trajectories[trajectory.unit], right[trajectory.unit] = trajectory, trajectory.reward >= 1
                case QuestionSolved(trajectory=trajectory, scored=True):
                    trajectories[trajectory.unit], right[trajectory.unit] = trajectory, event.em >= 1
        for unit, trajectory in trajectories.items():
            if not called & {unit, root_of(unit)}:  # a fork replays its parent's calls
                continue
            for key in {self._key(step.action) for step in trajectory.steps} & set(self._counts):
                self._counts[key].trajectories += 1
                self._counts[key].right += right[unit]

    def by_tool(self) -> dict[str, ToolUsage]:
        """Returns the statistics by the key of the tool's name; without tools that were never called."""
        return {
            key: ToolUsage(
                count.tool, len(count.waits_ms), count.failed, count.empty, quantile(count.waits_ms, 0.5),
                quantile(count.waits_ms, 0.95), count.trajectories, count.right,
            )
            for key, count in self._counts.items()
        }  # fmt: skip

    def _of(self, tool: str) -> _Count:
        return self._counts.setdefault(self._key(tool), _Count(tool))

    def _key(self, tool: str) -> str:
        return self._spellings.get(tool_key(tool), tool_key(tool))


def quantile(values: Iterable[float], part: float) -> float:
    """Returns the smallest value that a share of `part` of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]
