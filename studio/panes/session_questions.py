"""What is typed in the group pane on its way to a session; a session is started where there is none."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from textual.widget import Widget

from autoact.run.control.command import Command, Verb
from autoact.run.record.folder import RunFolder
from studio.actions import cli_command, run_command
from studio.episodes.session import STAGES, SessionLog
from studio.terminal import untrusted_text


@dataclass(frozen=True, slots=True)
class TurnEdit:
    """A turn that a line was opened to edit or to fork at, as it was then."""

    do: Verb
    session: SessionLog
    unit: str
    n: int
    line: str
    """The turn on one line."""
    text: str
    """The turn as the log has it."""

    def command(self, typed: str) -> Command:
        """For what was typed; a line left as it was means the text of the log, and no change to a fork."""
        if typed == self.line:
            return run_command.new_command(self.do, self.unit, self.n, "" if self.do == "fork" else self.text)
        return run_command.new_command(self.do, self.unit, self.n, typed.replace(untrusted_text.BREAK, "\n"))


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A line that was submitted: a question, or what a wish asks for."""

    text: str
    wish: TurnEdit | None = None


class QuestionSender:
    """Everything slow runs in a worker of `owner`; what came of it is told in the app's thread."""

    def __init__(self, owner: Widget, project: Path, told: Callable[[str, TypedLine | None], None]):
        """`told` gets words for the person, and the line again if it was not taken."""
        self._owner, self._project, self._told = owner, project, told
        self.waiting, self.since = "", 0.0
        """A question that has no turns yet, and when it was asked."""
        self._rest: list[tuple[TypedLine, str]] = []
        """Questions and casts for a session that is still to come up."""

    def put(self, typed: TypedLine, casts: Sequence[str], alive: SessionLog | None) -> None:
        """Send a line: to the session of its wish, or as a question to each cast of the session `alive`."""
        if typed.wish is not None:
            self.send(typed.wish.session, typed.wish.command(typed.text), typed)
            return
        self.waiting, self.since = typed.text, time.monotonic()
        if alive is not None:
            for cast in casts:
                self.send(alive, run_command.new_command("inject", text=typed.text, cast=cast), typed)
        else:
            self._rest = [(typed, cast) for cast in casts[1:]]
            self._owner.run_worker(self._start(typed, casts[0]), group="ask")

    def put_rest(self, alive: SessionLog | None) -> None:
        """A session has come up: the other casts get their question."""
        if self._rest and alive is not None and alive.state.stage in STAGES:
            rest, self._rest = self._rest, []
            for typed, cast in rest:
                self.send(alive, run_command.new_command("inject", text=typed.text, cast=cast), typed)

    def send(self, session: SessionLog, command: Command, typed: TypedLine | None = None) -> None:
        """Hand a command to a session's job. A fork has a job started for it where there is none."""
        self._told(run_command.progress_text(command), None)
        loading = session.state.stage not in STAGES and command.do == "inject"
        how = run_command.queue if loading else partial(run_command.deliver, start=command.do == "fork")
        carry = partial(self._carry, session.folder, command, how, typed)
        self._owner.run_worker(carry, thread=True, group="orders")

    def _carry(
        self,
        folder: RunFolder,
        command: Command,
        how: Callable[[RunFolder, Command], run_command.CommandResult],
        typed: TypedLine | None,
    ) -> None:
        answer = how(folder, command)
        self._owner.app.call_from_thread(self._carried, answer, typed)

    def _carried(self, answer: run_command.CommandResult, typed: TypedLine | None) -> None:
        if not answer.accepted and typed is not None and typed.wish is None:
            self.waiting = ""
        self._told(answer.text, None if answer.accepted else typed)

    async def _start(self, typed: TypedLine, cast: str) -> None:
        options = ("--session", f"--cast={cast}")
        outcome = await cli_command.autoact("ask", str(self._project), typed.text, options=options)
        if outcome.code:
            self.waiting, self._rest = "", []
            self._told(outcome.why, typed)
