"""The part of the project screen that its panes use."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from textual.app import App

from autoact.run.control.command import Command
from studio.runs.follow import Follow
from studio.runs.run_list import RunLine
from studio.terminal.redraw import Frames


class ProjectView(Protocol):
    """Implemented by the project screen; a protocol, so that panes need not import the screen that imports them."""

    @property
    def project(self) -> Path: ...

    @property
    def follow(self) -> Follow: ...

    @property
    def frames(self) -> Frames: ...

    @property
    def app(self) -> App[object]: ...

    def run_worker(self, work: Coroutine[Any, Any, None], /) -> object: ...

    def notice(self, text: str) -> None:
        """Shows a text in the line above the footer; it may be untrusted."""

    def update_footer(self) -> None:
        """Updates the keys in the footer."""

    def follow_run(self, name: str) -> None:
        """Shows another run of the project in every pane; an empty name stands for the leading run."""

    def send(self, command: Command, *, start: bool = False) -> None:
        """Sends a command to the followed run's job; with `start`, a run without a job gets one."""

    async def show_episode(self, run: str, unit: str) -> None:
        """Shows an episode of a run in the trajectories pane."""

    def open_run_form(self) -> None:
        """Opens the form of a new run."""

    def open_settings(self, wanted: str = "") -> None:
        """Opens the form of the project's settings, at first only with those that have this text."""

    def run_command(self, verb: Literal["resume", "cancel", "delete", "trust"], run: RunLine, *options: str) -> None:
        """Runs `autoact VERB RUN` and shows its result."""

    def reread_runs(self) -> None:
        """Reads the list of runs again, after a command has changed it."""

    def send_all(
        self, commands: Sequence[Command], on_accepted: Callable[[], object] | None = None, label: str = ""
    ) -> object:
        """Sends several commands of one kind to the followed run's job; a run without a job gets one, except for
        judgements, which need none.

        Calls `on_accepted` once the job, or a job that starts for them, takes one of them.
        """

    async def send_typed(self, commands: Sequence[Command], on_accepted: Callable[[], object] | None = None) -> str:
        """Sends commands as `send_all`, and returns the reason if none is accepted, so that a form can stay open."""

    def action_back(self) -> None:
        """Leaves the project when it is called twice within two seconds."""
