"""Steering: carries out people's commands on the active units, in the conductor's thread.

A command takes effect before the next reply is sent into a script. The log first gets its effect, then its acceptance;
the reply to the sender comes last. So an acknowledged command is never lost, and any other may be sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

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
from autoact.run.conductor.active_unit import ActiveUnit, KnownUnit
from autoact.run.control.command import Command, Reply
from autoact.run.control.gate import Gate
from autoact.run.record.answers import edited_text
from autoact.run.record.journal import Journal
from autoact.script import Ask, Round, Train, fork_name
from autoact.trajectory import Question, Verdict

WAIT = 0.2
"""Seconds between two checks while a training is paused."""


class UnitSkipped(AutoActError):
    """A person ended a unit."""


class Units(Protocol):
    """The operations on units that commands need; the conductor implements them."""

    active: dict[str, ActiveUnit]
    round: Round

    @property
    def waiting(self) -> Iterable[ActiveUnit]:
        """Units to start when a lane is free."""

    def find(self, name: str) -> KnownUnit | None:
        """Returns the unit of a name if it can still be begun."""

    def release(self, unit: ActiveUnit) -> None:
        """Sends the held reply into its script."""

    def restart(self, name: str, n: int, why: str) -> None:
        """Restarts a unit from reply `n`."""

    def skip(self, unit: ActiveUnit) -> None:
        """Ends a unit without a result."""

    def fork(self, name: str) -> None:
        """Queues a fork that is already logged."""

    def admit(self, question: Question, cast: str) -> None:
        """Queues a question that a person asks."""

    def beat(self, waits_for: str = "") -> None:
        """Flushes the log when a flush is due, and reports progress, or what is waited for."""


class RunCommands:
    """Carries out the commands that need no active unit; a job does this while its model loads."""

    def __init__(self, journal: Journal, gate: Gate):
        self.journal, self.gate = journal, gate
        self.paused = journal.state.status == "paused"
        """A pause, of the run or of a unit, outlasts its job: only a person ends it."""
        self.actions: dict[str, Callable[[Command], None]] = {
            "pause": self._pause, "resume": self._resume, "judge": self._judge, "cancel": self._cancel,
            "ping": lambda command: None,
        }  # fmt: skip

    def obey(self) -> None:
        """Carries out the commands that can be carried out now; the others wait. Raises Cancelled."""
        while (taken := self.gate.take(self._can)) is not None:
            command, reply = taken
            reply.set_result(self._answer(command))

    def _can(self, command: Command, behind: bool) -> bool:
        """Returns whether to carry out a command now. Pause and resume do not overtake commands that must wait."""
        if command.do in ("pause", "resume"):
            return not command.unit and not behind
        return command.do in self.actions

    def _answer(self, command: Command) -> Reply:
        """Carries out a command once; a repeated one gets the same reply."""
        journal = self.journal
        known = journal.memory.replies.get(command.id)
        if known is not None:
            return known
        try:
            self.actions[command.do](command)
        except (BadInput, ValueError) as error:  # ValueError: too long for a line of the log
            journal.append(CommandRefused(command.id, str(error)))
            return Reply(command.id, why=str(error))
        if command.do not in ("step", "finish", "ping"):  # step and finish log it themselves, with the unit found
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
        """Logs a person's verdict. The last verdict counts, and the filter does not change it."""
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
    """Carries out all commands; holds the units that are paused, and those that may take one step."""

    def __init__(self, units: Units, journal: Journal, gate: Gate):
        super().__init__(journal, gate)
        self.units = units
        self.halted: set[str] = set(journal.state.halted)
        """Units that a person paused one by one."""
        self.stepping: set[str] = set()
        """Paused units that may get one more reply."""
        self.skipped: set[str] = set()
        """Units of trainings to end without an adapter."""
        self.finishing: set[str] = set(journal.memory.finishing)
        """Units of trainings to end with the adapter so far."""
        self.actions |= {
            "step": self._step, "edit": self._edit, "inject": self._inject, "retry": self._retry, "skip": self._skip,
            "finish": self._finish, "fork": self._fork,
        }  # fmt: skip

    # -- for the conductor -------------------------------------------------------------------------------------------

    def holds(self, unit: str) -> bool:
        """Returns whether a new reply of this unit is held back from its script."""
        return self.paused or unit in self.halted

    def has_work(self) -> bool:
        """Returns whether the engine has an ask of a unit that is not paused."""
        asking = (
            unit.name for unit in self.units.active.values() if unit.held is None and isinstance(unit.request, Ask)
        )
        return any(not self.paused or name in self.stepping for name in asking)

    def wait_between_steps(self, unit: str) -> None:
        """Waits between two steps of a training while it is paused. Raises Cancelled or UnitSkipped."""
        self.stepping.discard(unit)
        self.obey()
        while self.holds(unit) and unit not in self.stepping | self.skipped | self.finishing:
            self.units.beat()
            self.gate.wait(WAIT)
            self.obey()
        if unit in self.skipped:
            self.skipped.discard(unit)
            raise UnitSkipped(SKIPPED)

    # -- a command ---------------------------------------------------------------------------------------------------

    def _can(self, command: Command, behind: bool) -> bool:
        return True

    def _find_active(self, command: Command, *waiting: ActiveUnit) -> ActiveUnit:
        """Returns the command's unit, active or among `waiting`; without a name, the only unit. Raises BadInput."""
        active = self.units.active
        meant = {unit.name: unit for unit in waiting} | active
        if command.unit in meant:
            return meant[command.unit]
        if not command.unit and len(active or meant) == 1:
            return next(iter((active or meant).values()))
        if self.journal.memory.has_answer(command.unit, 0):
            raise BadInput(f"`{command.unit}` has ended")
        raise BadInput(f"`{command.unit}` is not at work; at work: {', '.join(list(active)[:8]) or 'nothing'}")

    def _pause(self, command: Command) -> None:
        if command.unit:
            self.halted.add(self._find_active(command, *self.units.waiting).name)
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
        for unit in list(self.units.active.values()):
            if unit.held is not None and not self.holds(unit.name):
                self.units.release(unit)

    def _step(self, command: Command) -> None:
        """Gives one unit one more reply: the held one goes to its script, and the next one is held.

        A unit that has not begun because the run is paused begins.
        """
        unit = self._find_active(command, *self.units.waiting)
        self._accept(
            msgspec.structs.replace(command, unit=unit.name)
        )  # before its effect, which is the reply that follows
        if not self.holds(unit.name):
            self.halted.add(unit.name)
        self.stepping.add(unit.name)
        if unit.held is not None:
            self.units.release(unit)

    def _edit(self, command: Command) -> None:
        """Replaces an answer: a held one in place; after an older one, the unit restarts behind it."""
        name, n, memory = command.unit, command.n, self.journal.memory
        if not memory.has_answer(name, n):
            raise BadInput(f"`{name}` has no answer {n}")
        if self.units.find(name) is None:
            raise BadInput(f"the stage of `{name}` is over; fork it instead")
        self.journal.append(AnswerEdited(name, n, self._edited_text(name, n, command), command.by))
        unit = self.units.active.get(name)
        if unit is not None and unit.held is not None and unit.n == n + 1:
            unit.held = memory.reply(name, n)
        else:
            self.units.restart(name, n + 1, f"answer {n} was edited")

    def _edited_text(self, unit: str, n: int, command: Command) -> str:
        """Returns the text of a command as answer `n` of a unit. Raises BadInput."""
        turn = self.journal.memory.answers.get(unit, n)
        return edited_text(turn.part if turn else "", command.text)

    def _retry(self, command: Command) -> None:
        unit = self.units.active.get(command.unit)
        begun = unit is not None or self.journal.memory.has_answer(command.unit, 0)
        if not begun or self.units.find(command.unit) is None:
            raise BadInput(f"`{command.unit}` cannot be tried again: no such unit, or its stage is over")
        if unit is not None and isinstance(unit.request, Train):
            raise BadInput("a training is not tried again: cancel the run and start it from differentiation")
        self.units.restart(command.unit, max(0, command.n), "a person wants another try")

    def _skip(self, command: Command) -> None:
        unit = self._find_active(command)
        if isinstance(unit.request, Train):
            self.skipped.add(unit.name)
        else:
            self.units.skip(unit)

    def _finish(self, command: Command) -> None:
        """Ends a training after the current step, with its adapter."""
        unit = self._find_active(command)
        if not isinstance(unit.request, Train):
            raise BadInput(f"`{unit.name}` is no training; `skip` ends it")
        self.finishing.add(unit.name)
        self._accept(msgspec.structs.replace(command, unit=unit.name))

    def _fork(self, command: Command) -> None:
        """Forks a unit after its first `n` answers; a text replaces answer `n`. The fork then gets new answers."""
        memory, journal, of = self.journal.memory, self.journal, command.unit
        if any(fork.command == command.id for fork in memory.answers.forks.values()):
            return  # the fork was logged before the job died; only the acceptance is missing
        edits = bool(command.text)
        last = command.n if edits else command.n - 1
        found = self.units.find(of)
        if found is None or found[2] is None:
            raise BadInput(f"`{of}` cannot be forked: no such episode, or another stage is at work")
        if command.n < 0 or (last >= 0 and not memory.has_answer(of, last)):
            raise BadInput(f"`{of}` has no answer {last}")
        text = self._edited_text(of, last, command) if edits else ""
        number = 1 + sum(fork.of == of for fork in memory.answers.forks.values())
        name = fork_name(of, number)
        journal.append(UnitForked(name, of, last + 1, command.id))
        if edits:
            journal.append(AnswerEdited(name, last, text, command.by))
        self.units.fork(name)

    def _inject(self, command: Command) -> None:
        admits, memory = self.units.round.admits, self.journal.memory
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
        self.units.admit(question, command.cast)
