"""The meta-agent's choice of tools: that of a selection which the pane started, else that of the followed run."""

from __future__ import annotations

from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState
from studio.runs.follow import Follow
from studio.runs.run_list import ALIVE, run_verdict
from studio.runs.run_tail import RunTail


class ToolChoice:
    """The chosen tools and those passed over, each with a reason."""

    def __init__(self, follow: Follow):
        self.chosen: dict[str, str] = {}
        """Reasons by name, in the meta-agent's order."""
        self.passed_over: dict[str, str] = {}
        """Reasons by name."""
        self._follow = follow
        self._run = ""
        """The run that was followed at the last call of `refresh`."""
        self._selection: RunTail | None = None

    def begin(self, folder: RunFolder) -> None:
        """Reads a selection from its own run, while another run is followed."""
        self.close()
        self._selection = RunTail(folder)

    def refresh(self) -> bool:
        """Reads the current choice; returns whether it has changed."""
        if self._follow.name != self._run:
            self._run = self._follow.name
            self.close()
        if self._selection is not None:
            self._selection.read()
        state: RunState = self._selection.state if self._selection else self._follow.state
        before = self.chosen, self.passed_over
        self.chosen, self.passed_over = dict(state.selected), dict(state.passed_over)
        return before != (self.chosen, self.passed_over)

    @property
    def selection_verdict(self) -> str:
        """The verdict on the selection that the pane started; empty if there is none, or another run is followed."""
        return run_verdict(self._selection.folder, self._selection.state) if self._selection is not None else ""

    @property
    def selection_end(self) -> str:
        """The end of the selection that the pane started, in words."""
        if self.selection_verdict == "finished":
            return "The meta-agent has chosen."
        return f"The tool selection is over: {self.selection_verdict or 'another run is shown now'}."

    @property
    def is_selecting(self) -> bool:
        """True while a selection that the pane started is running."""
        return self.selection_verdict in ALIVE

    def close(self) -> None:
        if self._selection is not None:
            self._selection.close()
            self._selection = None
