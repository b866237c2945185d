"""The conductor: plays stages, logs every new reply, and replays the replies that are in the log.

Many units are active at once; their asks share the engine's batch, and threads serve their tool calls. A script is a
pure function of its replies, so a resumed run replays the recorded ones until they run out: nothing is asked twice.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from autoact.errors import ContextFull, DiskFull, ModelFailed
from autoact.events import SKIPPED, Event, ModelAnswered, StageProgressed, ToolObserved, UnitFailed, UnitRestarted
from autoact.model.engine import Ticket
from autoact.run.conductor.active_unit import ActiveUnit, FindUnit, KnownUnit, Outcomes
from autoact.run.conductor.steering import Steering, UnitSkipped
from autoact.run.conductor.tool_calls import ToolCalls
from autoact.run.conductor.training import train
from autoact.run.conductor.world import World
from autoact.run.control.gate import Cancelled, Gate
from autoact.run.record.journal import Journal
from autoact.run.record.stage_state import StageState
from autoact.script import (
    Answer,
    Ask,
    Observation,
    Round,
    StageScript,
    Train,
    Use,
    digest,
    is_fork,
    root_of,
)
from autoact.trajectory import Question, Trajectory

if TYPE_CHECKING:
    from autoact.run.record.live import LiveWriter

PUBLISH = 0.1
"""Seconds between two publications of unfinished answers."""
WAIT = 0.2
"""Seconds between two checks while there is nothing to do."""


class Conductor:
    """Plays stages with the engine, trainer and environments of a world, and logs to a journal."""

    def __init__(
        self, world: World, journal: Journal, gate: Gate, *, seed: int,
        tick: Callable[[str], None] = lambda doing: None,
        live: LiveWriter | None = None, revive: FindUnit = lambda unit: None, hide: Callable[[str], str] = str,
    ):  # fmt: skip
        """Sets up the conductor. `tick` is called with the current activity when there is progress.

        `revive` finds a unit of an earlier stage, so that it can be forked; `hide` removes secrets from messages.
        """
        self.world, self.journal, self.seed, self.tick, self.revive = world, journal, seed, tick, revive
        self.gate, self.steering = gate, Steering(self, journal, gate)
        self.calls = ToolCalls(hide, gate.wake)
        self.live, self.published_at, self.hide = live, 0.0, hide
        self.stage = ""
        self.waiting: deque[ActiveUnit] = deque()
        """Units to start when a lane is free."""
        self.active: dict[str, ActiveUnit] = {}
        self.outcomes = Outcomes()
        self.results: list[Any] = []
        self.round = Round(())
        self.units: dict[str, KnownUnit] = {}
        """Units that may be begun, also again, during this round."""
        self.expected = 0
        self.doing = ""

    def play(self, name: str, stage: StageScript, expected: int = 0) -> None:
        """Plays a stage to its end. Raises Cancelled when a person stops the run, StageFailed when every unit failed.

        Counts the results of rounds that commit them as progress out of `expected`; other stages report theirs.
        """
        self.stage, self.expected = name, expected
        self.outcomes = Outcomes()
        results: Any = None
        while True:
            try:
                item = stage.send(results)
            except StopIteration:
                return self.outcomes.check(name)
            results = None
            if isinstance(item, Round):
                results = self._play_round(item)
            elif isinstance(item, StageProgressed):
                self._log_progress(item)
            else:
                self.journal.append_once(item)

    def play_forks(self) -> None:
        """Plays forks of units whose stages have ended, also forks that an earlier attempt left unfinished."""
        self.stage, self.expected = "", 0
        self._play_round(Round(()))

    def close(self) -> None:
        """Ends the threads that serve tool calls."""
        self.calls.close()

    # -- a round -----------------------------------------------------------------------------------------------------

    def _play_round(self, round: Round) -> list[Any]:
        """Plays all units of a round; returns their results in order, None for a unit that failed."""
        self._queue_units(round)
        idle_since = time.monotonic()
        while True:
            self.steering.obey()
            self._start_units()
            if self.waiting or self.active:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since >= round.patience:
                return self.results
            moved = self._receive_replies()
            if not moved:
                self.gate.wait(WAIT)
            self.beat("" if moved else self.calls.waits_for)

    def _queue_units(self, round: Round) -> None:
        """Queues the units of a round, and unfinished questions and forks of earlier attempts."""
        self.round = round
        self.results = [None] * len(round.units)
        self.units = {unit.name: (unit, index, round.commits) for index, unit in enumerate(round.units)}
        self.waiting = deque(self._new_active(name) for name in self.units)
        memory = self.journal.memory
        if round.admits is not None:
            for event in memory.injected.values():
                self.admit(event.question, event.cast)
        for fork in memory.open_forks():
            if self.find(fork.of) is not None:
                self.waiting.append(self._new_active(fork.unit))

    def _start_units(self) -> None:
        """Starts waiting units while lanes are free; in a paused run, only forks, steps and replayed units."""
        postponed: deque[ActiveUnit] = deque()
        while self.waiting and len(self.active) < self.world.engine.lanes:
            unit = self.waiting.popleft()
            if unit.name in self.journal.memory.skipped:
                self._end(unit, None)
                continue
            if self.steering.paused and not self._may_start_paused(unit.name):
                postponed.append(unit)
                continue
            if unit.unit.question is not None:
                self.journal.begin(unit.name, unit.unit.question)
            self.active[unit.name] = unit
            self._advance(unit, None)
        self.waiting.extendleft(reversed(postponed))

    def _may_start_paused(self, name: str) -> bool:
        return is_fork(name) or name in self.steering.stepping or self.journal.memory.has_answer(name, 0)

    def _receive_replies(self) -> bool:
        """Passes new replies of tools and of the model to their units; returns whether there was anything to do."""
        moved = False
        for observed in self.calls.take_observations():
            moved = True
            unit = self.active.get(observed.ticket.unit)
            if unit is not None and not observed.made and isinstance(unit.request, Use):
                unit.past.append(unit.request)
            self._receive(observed.ticket, observed.observation)
        if self.steering.has_work():
            moved = True
            for ticket, answer in self.world.answers():
                self._receive(ticket, answer)
            self._publish()
        return moved

    def _publish(self) -> None:
        """Publishes partial answers to the live file."""
        now = time.monotonic()
        if self.live is None or now - self.published_at < PUBLISH:
            return
        self.published_at = now
        for ticket, part, text in self.world.engine.partial():
            self.live.publish(ticket.unit, ticket.n, part, text)

    # -- a unit ------------------------------------------------------------------------------------------------------

    def _receive(self, ticket: Ticket, reply: Answer | Observation | ModelFailed) -> None:
        """Logs a new reply and sends it into its script, unless a person has paused the unit."""
        unit = self.active.get(ticket.unit)
        if unit is None or ticket.n != unit.n or unit.held is not None:
            return  # the unit was restarted before the reply arrived
        if isinstance(reply, ContextFull):
            self._advance(unit, reply)  # not logged: the same model refuses the same ask again
            return
        try:
            if isinstance(reply, ModelFailed):
                raise reply
            if self.journal.memory.has_answer(unit.name, unit.n):  # no earlier: it may be of an ask after a refused one
                self.journal.append(UnitRestarted(unit.name, unit.n, "what is asked has changed since it was answered"))
            self.journal.append(_event(unit, reply))
        except (ModelFailed, ValueError) as error:  # no reply, or one that no log line can hold
            self._fail(unit, f"{type(error).__name__}: {error}")
            return
        unit.n += 1
        if not self._hold(unit, reply):
            self._advance(unit, reply)

    def _advance(self, unit: ActiveUnit, reply: Any) -> None:
        """Sends a reply into a script, then recorded ones, until the unit must wait for a new reply or ends.

        This is the boundary of a unit: an error of its script or of a trainer ends the unit, not the run.
        """
        try:
            while True:
                unit.request = unit.send(reply)
                unit.digest = digest(unit.request)
                reply = self._find_reply(unit)
                if reply is None:
                    return
        except StopIteration as end:
            self._end(unit, end.value)
        except (Cancelled, DiskFull, OSError):
            raise  # these end the run, and the unit continues when the run is resumed
        except UnitSkipped as error:
            self._end(unit, None, str(error))
        except Exception as error:  # boundary of a unit: the others continue
            self._fail(unit, f"{type(error).__name__}: {error}")

    def _find_reply(self, unit: ActiveUnit) -> Any:
        """Returns the reply to a unit's request if it is in the log; otherwise asks for it and returns None.

        A training is run at once.
        """
        request = unit.request
        if isinstance(request, Train):
            return train(self.world.trainer, self.steering, unit.name, request)
        memory = self.journal.memory
        recorded = memory.recall(unit.name, unit.n, unit.digest)
        if recorded is None:
            self._ask(unit)
            return None
        if isinstance(request, Use) and isinstance(recorded, Observation):
            unit.past.append(request)
            if not memory.is_edited(unit.name, unit.n):
                self.calls.remember(request, recorded, unit.environment)
        unit.n += 1
        newest = not (memory.has_answer(unit.name, unit.n) or memory.has_ended(unit.name))
        return None if newest and self._hold(unit, recorded) else recorded

    def _ask(self, unit: ActiveUnit) -> None:
        """Submits a unit's request to the engine or to its environment."""
        ticket, request = Ticket(unit.name, unit.n), unit.request
        if isinstance(request, Use):
            if self.calls.submit(ticket, request, unit.environment, tuple(unit.past)):
                unit.past.clear()
        else:
            assert isinstance(request, Ask)
            self.world.engine.submit(ticket, request, self._seed(ticket))

    def _hold(self, unit: ActiveUnit, reply: Answer | Observation) -> bool:
        """Holds back a new reply when the unit is paused; returns whether it is held."""
        if not self.steering.holds(unit.name):
            return False
        unit.held = reply
        self.steering.stepping.discard(unit.name)
        return True

    def _fail(self, unit: ActiveUnit, why: str) -> None:
        why = (
            self.hide(why)[:2000].encode("utf-8", "replace").decode()
        )  # an error may contain lone surrogates, a log line may not
        if unit.index is not None:
            self.outcomes.failures[why] += 1
        self._end(unit, None, why)

    def _end(self, unit: ActiveUnit, result: Any, why: str = "") -> None:
        """Ends a unit: commits its result, or logs why it has none, and frees its lane."""
        if why and unit.name not in self.journal.state.unit_failures:
            self.journal.append(UnitFailed(unit.name, why))
        self.active.pop(unit.name, None)
        self.steering.stepping.discard(unit.name)
        self.world.engine.forget(unit.name)
        if is_fork(unit.name) and isinstance(result, Trajectory):
            result = msgspec.structs.replace(result, unit=unit.name)
        if unit.index is not None:
            self.results[unit.index] = result
            self.outcomes.successes += result is not None
        if unit.commits is not None and result is not None:
            self.journal.append_once(unit.commits(result, round(unit.seconds, 3), unit.tokens))
        self._count(unit)

    def _count(self, unit: ActiveUnit) -> None:
        """Counts the ended unit as progress: as a result of the stage if its round commits those, else as a draft."""
        if is_fork(unit.name) or unit.name in self.outcomes.ended:
            return
        self.outcomes.ended.add(unit.name)
        count, known = len(self.outcomes.ended), self.journal.state.stages.get(self.stage, StageState())
        if unit.commits is not None and self.round.counted:
            self._log_progress(StageProgressed(self.stage, count, max(count, self.expected)))
        elif len(self.round.units) > 1:
            self._log_progress(StageProgressed(self.stage, known.done, known.of or self.expected, count))

    def _log_progress(self, event: StageProgressed) -> None:
        """Logs progress unless it was logged before, as a replayed stage reports it again."""
        known = self.journal.state.stages.get(event.stage)
        if known is None or event.done > known.done or event.tried > known.tried:
            self.journal.append(event)

    def beat(self, waits_for: str = "") -> None:
        """Flushes the log when a flush is due, and calls `tick` unless the run still waits for the same tool."""
        self.journal.sync()
        doing = f"waiting for {waits_for}" if waits_for else ""
        if not doing or doing != self.doing:
            self.tick(doing)
        self.doing = doing

    # -- operations on units, for steering ----------------------------------------------------------------------------

    def find(self, name: str) -> KnownUnit | None:
        """Returns the unit of a name, also of a fork, if it can still be begun: of this round or an ended stage."""
        root = root_of(name)
        if root not in self.units and not self.stage and (revived := self.revive(root)) is not None:
            unit, commits = revived
            self.units[root] = unit, None, commits
        return self.units.get(root)

    def release(self, unit: ActiveUnit) -> None:
        """Sends the held reply into its script."""
        held, unit.held = unit.held, None
        if held is not None:
            self._advance(unit, held)

    def restart(self, name: str, n: int, why: str) -> None:
        """Restarts a unit, active or ended, from reply `n`. Raises KeyError unless `find` finds it."""
        self._withdraw(name)
        self.journal.append(UnitRestarted(name, n, why))
        self.active[name] = unit = self._new_active(name)
        self._advance(unit, None)

    def skip(self, unit: ActiveUnit) -> None:
        """Ends a unit without a result."""
        self._withdraw(unit.name)
        self._end(unit, None, SKIPPED)

    def fork(self, name: str) -> None:
        """Queues a fork that is already logged."""
        self.waiting.appendleft(self._new_active(name))

    def admit(self, question: Question, cast: str) -> None:
        """Queues a question that a person asks. Raises KeyError when the cast is not in the session."""
        assert self.round.admits is not None
        unit = self.round.admits(question, cast)
        self.units[unit.name] = unit, None, self.round.commits
        self.waiting.append(self._new_active(unit.name))

    def _withdraw(self, name: str) -> None:
        self.active.pop(name, None)
        self.world.engine.withdraw(name)
        self.calls.withdraw(name)

    def _new_active(self, name: str) -> ActiveUnit:
        unit, index, commits = self.units[root_of(name)]
        index = None if is_fork(name) else index
        return ActiveUnit(unit, name, unit.begin(), self.world.environments.begin(unit.question), index, commits)

    def _seed(self, ticket: Ticket) -> int:
        """Returns a seed that depends on run, unit, restarts and number, but on nothing else in the batch."""
        again = self.journal.memory.answers.restarts[ticket.unit]
        text = f"{self.seed}/{ticket.unit}/{ticket.n}" + (f"/{again}" if again else "")
        return int.from_bytes(hashlib.blake2s(text.encode(), digest_size=6).digest(), "big")


def _event(unit: ActiveUnit, reply: Answer | Observation) -> Event:
    """Returns the event that records a new reply."""
    request = unit.request
    if isinstance(reply, Answer):
        assert isinstance(request, Ask)
        return ModelAnswered(
            unit.name, unit.n, unit.digest, request.adapter, request.part, reply.text, reply.tokens,
            reply.prompt_tokens, reply.prefilled, round(reply.ms, 3), reply.chance,
            reply.least_chance,
        )  # fmt: skip
    assert isinstance(request, Use)
    return ToolObserved(
        unit.name, unit.n, unit.digest, request.tool, request.argument, reply.text, reply.failed, round(reply.ms, 3),
        reply.over, reply.reward,
    )  # fmt: skip
