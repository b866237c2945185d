"""Steering: what people's commands do to the units in flight, all of it in the conductor's thread.

A command takes effect between an answer and the script that waits for it. Its effect is in the log before its
acceptance is, and the reply comes last: a command that was acknowledged is never lost, and one that was not may be
sent again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from autoact.errors import AutoActError, BadInput
from autoact.events import (
    BY_A_PERSON,
    SKIPPED,
    AnswerEdited,
    CommandAccepted,
    CommandRefused,
    QuestionInjected,
    RunPaused,
    RunResumed,
    TrajectoryJudged,
    UnitForked,
)
from autoact.run.control.command import Command, Reply
from autoact.run.control.gate import Gate
from autoact.script import Train, fork_name
from autoact.trajectory import Question, Verdict

if TYPE_CHECKING:
    from autoact.run.conductor.conductor import Conductor
    from autoact.run.conductor.world import Flight
    from autoact.run.record.journal import Journal

WAIT = 0.2
"""Seconds between looks while a training is paused."""


class UnitSkipped(AutoActError):
    """A person ended a unit."""


class RunCommands:
    """Obeys the commands that concern no unit in flight: a job can do that while its model loads."""

    def __init__(self, journal: Journal, gate: Gate):
        self.journal, self.gate = journal, gate
        self.paused = journal.state.status == "paused"
        """A pause outlives its job, and so does that of a unit: only a person lifts it."""
        self.does: dict[str, Callable[[Command], None]] = {
            "pause": self._pause, "resume": self._resume, "judge": self._judge, "cancel": self._cancel,
            "ping": lambda command: None,
        }  # fmt: skip

    def attend(self) -> None:
        """Obey what has come in and can be obeyed now; the rest goes on waiting. Raises Cancelled."""
        while (taken := self.gate.take(self._can)) is not None:
            command, reply = taken
            reply.set_result(self._answer(command))

    def _can(self, command: Command, behind: bool) -> bool:
        """Whether to obey now. A pause and its end keep their place behind commands that have to wait."""
        if command.do in ("pause", "resume"):
            return not command.unit and not behind
        return command.do in self.does

    def _answer(self, command: Command) -> Reply:
        """Obey once; a command that comes again gets the reply it had."""
        journal = self.journal
        known = journal.memory.replies.get(command.id)
        if known is not None:
            return known
        try:
            self.does[command.do](command)
        except BadInput as error:
            journal.append(CommandRefused(command.id, str(error)))
            return Reply(command.id, why=str(error))
        if command.do not in ("step", "finish", "ping"):  # the first two have said so with the unit they found
            self._accept(command)
        return journal.memory.replies.get(command.id) or Reply(command.id, seq=journal.state.seq)

    def _accept(self, command: Command) -> None:
        self.journal.append(CommandAccepted(command.id, command.do, command.unit, command.n, command.by))

    def _pause(self, command: Command) -> None:
        if not self.paused:
            self.paused = True
            self.journal.append(RunPaused(BY_A_PERSON))

    def _resume(self, command: Command) -> None:
        if self.paused:
            self.paused = False
            self.journal.append(RunResumed())

    def _judge(self, command: Command) -> None:
        """A person's word stands: the filter does not judge again what is judged, and the last verdict counts."""
        done = self.journal.state.trajectories.get(command.unit)
        if done is None:
            raise BadInput(f"`{command.unit}` is no finished trajectory of this run's synthesis")
        if command.n not in (0, 1):
            raise BadInput(f"expected 1 to keep the trajectory or 0 to drop it, found {command.n}")
        verdict = Verdict(command.unit, command.n == 1, done.reward, command.text, command.by or "a person")
        self.journal.append(TrajectoryJudged(verdict))

    def _cancel(self, command: Command) -> None:
        self.gate.cancel()


class Steering(RunCommands):
    """Who is paused, who may take one step, and what each command does."""

    def __init__(self, conductor: Conductor, gate: Gate):
        super().__init__(conductor.journal, gate)
        self.conductor = conductor
        self.halted: set[str] = set(conductor.journal.state.halted)
        """Units that a person stopped one by one."""
        self.stepping: set[str] = set()
        """Held units that may have one more answer."""
        self.skipped: set[str] = set()
        """Trainings to end without an adapter."""
        self.finishing: set[str] = set(conductor.journal.memory.finishing)
        """Trainings to end with the adapter they have."""
        self.does |= {
            "step": self._step, "edit": self._edit, "inject": self._inject, "retry": self._retry, "skip": self._skip,
            "finish": self._finish, "fork": self._fork,
        }  # fmt: skip

    # -- what the conductor asks -------------------------------------------------------------------------------------

    def holds(self, unit: str) -> bool:
        """Whether a new answer of this unit is kept from its script."""
        return self.paused or unit in self.halted

    def moving(self) -> bool:
        """Whether the engine has anything to do that is not held back."""
        flights = self.conductor.flying.values()
        if self.paused:
            return any(flight.held is None and flight.name in self.stepping for flight in flights)
        return any(flight.held is None for flight in flights)

    def between_steps(self, unit: str) -> None:
        """A training asks after every step whether it may take the next. Raises Cancelled and UnitSkipped."""
        self.stepping.discard(unit)
        self.attend()
        while self.holds(unit) and unit not in self.stepping | self.skipped | self.finishing:
            self.conductor.beat()
            self.gate.wait(WAIT)
            self.attend()
        if unit in self.skipped:
            self.skipped.discard(unit)
            raise UnitSkipped(SKIPPED)

    # -- a command ---------------------------------------------------------------------------------------------------

    def _can(self, command: Command, behind: bool) -> bool:
        return True

    def _flight(self, command: Command, *waiting: Flight) -> Flight:
        """The unit that is meant, in flight or among these; without a name, the only one. Raises BadInput."""
        flying = self.conductor.flying
        meant = {flight.name: flight for flight in waiting} | flying
        if command.unit in meant:
            return meant[command.unit]
        if not command.unit and len(flying or meant) == 1:
            return next(iter((flying or meant).values()))
        raise BadInput(f"`{command.unit}` is not in flight; in flight: {', '.join(list(flying)[:8]) or 'nothing'}")

    def _pause(self, command: Command) -> None:
        if command.unit:
            self.halted.add(self._flight(command, *self.conductor.waiting).name)
        else:
            super()._pause(command)

    def _resume(self, command: Command) -> None:
        if command.unit and command.unit not in self.halted:
            raise BadInput(f"`{command.unit}` is not paused; paused: {', '.join(sorted(self.halted)[:8]) or 'no unit'}")
        if command.unit:
            self.halted.discard(command.unit)
        else:
            self.halted.clear()
            super()._resume(command)
        for flight in list(self.conductor.flying.values()):
            if flight.held is not None and not self.holds(flight.name):
                self.conductor.release(flight)

    def _step(self, command: Command) -> None:
        """Exactly one more answer of one unit: the held one goes to its script, the next one is held.

        A unit that waits for a paused run begins.
        """
        flight = self._flight(command, *self.conductor.waiting)
        self._accept(
            msgspec.structs.replace(command, unit=flight.name)
        )  # first, for once: the answer that follows is its effect
        if not self.holds(flight.name):
            self.halted.add(flight.name)
        self.stepping.add(flight.name)
        if flight.held is not None:
            self.conductor.release(flight)

    def _edit(self, command: Command) -> None:
        """The newest answer changes in the hand; what followed an older one is void and asked anew."""
        name, n, memory = command.unit, command.n, self.journal.memory
        if not memory.known(name, n):
            raise BadInput(f"`{name}` has no answer {n}")
        if self.conductor.find(name) is None:
            raise BadInput(f"the stage of `{name}` is over; fork it instead")
        self.journal.append(AnswerEdited(name, n, command.text, command.by))
        flight = self.conductor.flying.get(name)
        if flight is not None and flight.held is not None and flight.n == n + 1:
            flight.held = memory.reply(name, n)
        else:
            self.conductor.again(name, n + 1, f"answer {n} was edited")

    def _retry(self, command: Command) -> None:
        flight = self.conductor.flying.get(command.unit)
        begun = flight is not None or self.journal.memory.known(command.unit, 0)
        if not begun or self.conductor.find(command.unit) is None:
            raise BadInput(f"`{command.unit}` cannot be tried again: no such unit, or its stage is over")
        if flight is not None and isinstance(flight.wish, Train):
            raise BadInput("a training is not tried again: cancel the run and start it from differentiation")
        self.conductor.again(command.unit, max(0, command.n), "a person wants another try")

    def _skip(self, command: Command) -> None:
        flight = self._flight(command)
        if isinstance(flight.wish, Train):
            self.skipped.add(flight.name)
        else:
            self.conductor.skip(flight)

    def _finish(self, command: Command) -> None:
        """A training ends after this step and keeps its adapter."""
        flight = self._flight(command)
        if not isinstance(flight.wish, Train):
            raise BadInput(f"`{flight.name}` is no training; `skip` ends it")
        self.finishing.add(flight.name)
        self._accept(msgspec.structs.replace(command, unit=flight.name))

    def _fork(self, command: Command) -> None:
        """The first `n` answers, and with a text one more that is the person's, then live."""
        memory, journal, of = self.journal.memory, self.journal, command.unit
        if any(fork.command == command.id for fork in memory.answers.forks.values()):
            return  # it was made before the job died; only the acceptance is missing
        edits = bool(command.text)
        last = command.n if edits else command.n - 1
        found = self.conductor.find(of)
        if found is None or found[2] is None:
            raise BadInput(f"`{of}` cannot be forked: no such episode, or another stage is at work")
        if command.n < 0 or (last >= 0 and not memory.known(of, last)):
            raise BadInput(f"`{of}` has no answer {last}")
        number = 1 + sum(fork.of == of for fork in memory.answers.forks.values())
        name = fork_name(of, number)
        journal.append(UnitForked(name, of, last + 1, command.id))
        if edits:
            journal.append(AnswerEdited(name, last, command.text, command.by))
        self.conductor.fork(name)

    def _inject(self, command: Command) -> None:
        admits, memory = self.conductor.round.admits, self.journal.memory
        if admits is None:
            raise BadInput("this run is no session: it takes no questions")
        if any(event.command == command.id for event in memory.injected.values()):
            return
        if not command.text.strip():
            raise BadInput("expected a question, found nothing")
        question = Question(f"asked-{len(memory.injected) + 1:04d}", command.text.strip(), origin="asked")
        try:
            unit = admits(question, command.cast)
        except KeyError as error:
            raise BadInput(f"no cast `{command.cast}` in this session") from error
        self.journal.append(QuestionInjected(unit.name, question, command.cast, command.id))
        self.conductor.admit(question, command.cast)
