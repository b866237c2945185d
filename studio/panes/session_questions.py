"""Sends questions and edits of turns from the group pane to a session, and starts a session where there is none."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from textual.widget import Widget

from autoact.errors import BadInput
from autoact.registry.stages import SESSION
from autoact.run.control.command import Command, Verb
from autoact.run.record.answers import edited_text
from autoact.run.record.folder import RunFolder
from studio.actions import cli_command, run_command
from studio.actions.remote_machine import LOST_ANSWER, CommandResult
from studio.episodes.session import SessionLog
from studio.terminal import untrusted_text


@dataclass(frozen=True, slots=True)
class TurnEdit:
    """An edit of a turn, or a fork at it, for which the line is open; with the turn as it was then."""

    do: Verb
    session: SessionLog
    unit: str
    n: int
    part: str
    line: str
    """The turn's text as one line."""
    text: str
    """The turn's text as the log has it."""

    def command(self, typed: str) -> Command:
        """Returns the command for the typed line; an unchanged line means the log's text, or a fork without change.

        Raises BadInput for a text that this part of a turn cannot have.
        """
        if typed == self.line:
            return run_command.new_command(self.do, self.unit, self.n, "" if self.do == "fork" else self.text)
        text = edited_text(self.part, typed.replace(untrusted_text.BREAK, "\n"))
        return run_command.new_command(self.do, self.unit, self.n, text)


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A submitted line: a question, or the new text of a turn."""

    text: str
    edit: TurnEdit | None = None

    @property
    def refusal(self) -> str:
        """The reason why the turn cannot have this text; empty if it can, and for a question."""
        try:
            if self.edit is not None:
                self.edit.command(self.text)
        except BadInput as error:  # the boundary of a command: shown, not raised
            return f"Not sent: {error}."
        return ""


class QuestionSender:
    """Sends in worker threads of `owner`, and reports results in the app's thread."""

    def __init__(self, owner: Widget, project: Path, on_result: Callable[[str, TypedLine | None], None]):
        """`on_result` gets a text for the person, and the typed line if it was refused."""
        self._owner, self._project, self._on_result = owner, project, on_result
        self.waiting, self.since = "", 0.0
        """The question that has no turns yet, and the monotonic time at which it was sent."""
        self._unsent: list[tuple[TypedLine, str]] = []
        """Questions and their casts, to be sent when the new session has started."""

    def send_line(self, typed: TypedLine, casts: Sequence[str], alive: SessionLog | None, base: str) -> None:
        """Sends a line: an edit to its session; a question to each cast of the session `alive`, or of a new one.

        A new one gets the adapters of the run `base`, if that is not empty.
        """
        if typed.edit is not None:
            self.send(typed.edit.session, typed.edit.command(typed.text), typed)
            return
        self.waiting, self.since = typed.text, time.monotonic()
        if alive is not None:
            for cast in casts:
                self.send(alive, run_command.new_command("inject", text=typed.text, cast=cast), typed)
        else:
            self._unsent += [(typed, cast) for cast in casts[1:]]
            self._owner.run_worker(self._start(typed, casts[0], base), group="ask")

    def send_unsent(self, alive: SessionLog | None) -> None:
        """Sends the waiting questions once the new session is ready."""
        if self._unsent and alive is not None and alive.state.stage == SESSION:
            unsent, self._unsent = self._unsent, []
            for typed, cast in unsent:
                self.send(alive, run_command.new_command("inject", text=typed.text, cast=cast), typed)

    def send(self, session: SessionLog, command: Command, typed: TypedLine | None = None) -> None:
        """Sends a command to a session's job. For a fork, a session without a job gets one."""
        self._on_result(run_command.progress_text(command), None)
        loading = session.state.stage != SESSION and command.do == "inject"
        send = run_command.queue if loading else partial(run_command.deliver, start=command.do == "fork")
        work = partial(self._send_in_thread, session.folder, command, send, typed)
        self._owner.run_worker(work, thread=True, group="commands")

    def _send_in_thread(
        self,
        folder: RunFolder,
        command: Command,
        send: Callable[[RunFolder, Command], CommandResult],
        typed: TypedLine | None,
    ) -> None:
        result = send(folder, command)
        self._owner.app.call_from_thread(self._report, result, typed)

    def _report(self, result: CommandResult, typed: TypedLine | None) -> None:
        if not result.accepted and typed is not None and typed.edit is None:
            self.waiting = ""
        self._on_result(result.text, None if result.accepted else typed)

    async def _start(self, typed: TypedLine, cast: str, base: str) -> None:
        options = ("--session", f"--method={cast}", *((f"--base={base}",) if base else ()))
        result = await cli_command.autoact("ask", str(self._project), typed.text, options=options)
        if result.code:
            self.waiting, self._unsent = "", []
            self._on_result(result.reason, None if LOST_ANSWER in result.reason else typed)  # it may have arrived
