"""The meta-agent's choice of tools: of a selection that was started beside a run at work, else of the followed run."""

from __future__ import annotations

from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from studio.runs.follow import Follow
from studio.runs.run_list import ALIVE, run_verdict
from studio.runs.run_tail import RunTail


class ToolChoice:
    """What was chosen and what was passed over, each with its reason."""

    def __init__(self, follow: Follow):
        self.chosen: dict[str, str] = {}
        """By name, in the meta-agent's order."""
        self.passed_over: dict[str, str] = {}
        self._follow = follow
        self._run = ""
        """The run that was followed at the last look."""
        self._beside: RunTail | None = None

    def begin(self, folder: RunFolder) -> None:
        """Read a selection as it is made, while the followed run stays in sight."""
        self.close()
        self._beside = RunTail(folder)

    def look(self) -> bool:
        """Take in what is known by now; whether that is another choice."""
        if self._follow.name != self._run:
            self._run = self._follow.name
            self.close()
        if self._beside is not None:
            self._beside.read()
        state: RunState = self._beside.state if self._beside else self._follow.state
        before = self.chosen, self.passed_over
        self.chosen, self.passed_over = dict(state.selected), dict(state.passed_over)
        return before != (self.chosen, self.passed_over)

    @property
    def under_way(self) -> bool:
        """Whether a selection that was started here is at work."""
        return self._beside is not None and run_verdict(self._beside.folder, self._beside.state) in ALIVE

    def close(self) -> None:
        if self._beside is not None:
            self._beside.close()
            self._beside = None
