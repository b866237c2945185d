"""The conductor: drives scripts, answers them from the record or from the world, and logs what is new.

Many units are in flight; their asks share the engine's batch. A script is a pure function of its answers, so a
resumed run replays recorded answers until they run out and then goes live: no answered ask is asked twice.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import msgspec

from autoact.errors import ContextFull, DiskFull, ModelFailed
from autoact.events import SKIPPED, Event, ModelAnswered, StageProgressed, ToolObserved, UnitFailed, UnitRestarted
from autoact.model.engine import Ticket
from autoact.run.conductor.steering import Steering, UnitSkipped
from autoact.run.conductor.world import Commits, Flight, Outcomes, Revive, World, called, round_ms
from autoact.run.control.gate import Cancelled, Gate
from autoact.run.record.journal import Journal
from autoact.run.record.state import StageState
from autoact.script import Answer, Ask, Observation, Round, Stage, Train, Unit, Use, digest, is_fork, root_of
from autoact.trajectory import Adapter, Question, Trajectory

if TYPE_CHECKING:
    from autoact.run.record.live import LiveWriter

SPOKEN = 0.1
"""Seconds between looks at answers in the making."""
WAIT = 0.2
"""Seconds between looks while nothing moves."""


class Conductor:
    """Plays stages against a world and a journal."""

    def __init__(
        self, world: World, journal: Journal, gate: Gate, *, seed: int, tick: Callable[[str], None] = lambda what: None,
        live: LiveWriter | None = None, revive: Revive = lambda unit: None, hide: Callable[[str], str] = str,
    ):  # fmt: skip
        """`tick` is told that something moved, and what is waited for now: a tool, or nothing but the engine.

        `revive` finds a unit of an earlier stage again, so that it can be forked; `hide` takes out secrets.
        """
        self.world, self.journal, self.seed, self.tick, self.revive = world, journal, seed, tick, revive
        self.gate, self.steering = gate, Steering(self, gate)
        self.live, self.spoke_at, self.hide = live, 0.0, hide
        self.stage = ""
        self.waiting: deque[Flight] = deque()
        self.flying: dict[str, Flight] = {}
        self.outcomes = Outcomes()
        self.results: list[Any] = []
        self.round = Round(())
        self.units: dict[str, tuple[Unit, int | None, Commits | None]] = {}
        """What may be begun again while this round goes on."""
        self.expected = 0

    def play(self, name: str, stage: Stage, expected: int = 0) -> None:
        """Drive a stage to its end. Raises Cancelled when a person stops the run, StageFailed when every unit failed.

        Rounds of units that commit something count as progress out of `expected`; other stages tell their own.
        """
        self.stage, self.expected = name, expected
        self.outcomes = Outcomes()
        answer: Any = None
        while True:
            try:
                wanted = stage.send(answer)
            except StopIteration:
                return self.outcomes.check(name)
            answer = None
            if isinstance(wanted, Round):
                answer = self._round(wanted)
            elif isinstance(wanted, StageProgressed):
                self._progressed(wanted)
            else:
                self.journal.once(wanted)

    def play_forks(self) -> None:
        """Forks of units whose stages are over: those wanted now, and those an earlier attempt left unfinished."""
        self.stage, self.expected = "", 0
        self._round(Round(()))

    # -- a round -----------------------------------------------------------------------------------------------------

    def _round(self, round: Round) -> list[Any]:
        """All units of a round to their ends; their results in order, None for a unit that failed."""
        self.round = round
        self.results = [None] * len(round.units)
        self.units = {unit.name: (unit, index, round.commits) for index, unit in enumerate(round.units)}
        self.waiting = deque(self._flight(name) for name in self.units)
        self._board_again()
        since = time.monotonic()
        while True:
            self.steering.attend()
            self._board()
            if self.waiting or self.flying:
                since = time.monotonic()
            elif time.monotonic() - since >= round.patience:
                return self.results
            if self.steering.moving():
                self._hear()
            else:
                self.gate.wait(WAIT)
            self.beat()

    def _board_again(self) -> None:
        """Questions and forks that an earlier attempt was given and did not finish."""
        memory = self.journal.memory
        if self.round.admits is not None:
            for event in memory.injected.values():
                self.admit(event.question, event.cast)
        for fork in memory.open_forks():
            if self.find(fork.of) is not None:
                self.waiting.append(self._flight(fork.unit))

    def _board(self) -> None:
        """Fill the lanes. While the run is paused only what is begun comes in, or what a person lets take a step."""
        staying: deque[Flight] = deque()
        while self.waiting and len(self.flying) < self.world.engine.lanes:
            flight = self.waiting.popleft()
            if flight.name in self.journal.memory.skipped:
                self._land(flight, None)
                continue
            if self.steering.paused and not self._begun(flight.name):
                staying.append(flight)
                continue
            if flight.unit.question is not None:
                self.journal.begin(flight.name, flight.unit.question)
            self.flying[flight.name] = flight
            self._advance(flight, None)
        self.waiting.extendleft(reversed(staying))

    def _begun(self, name: str) -> bool:
        """Whether a unit may come in while the run is paused; what is replayed costs nothing."""
        return is_fork(name) or name in self.steering.stepping or self.journal.memory.known(name, 0)

    def _hear(self) -> None:
        """Let the engine move on, and hand complete answers to the scripts that wait for them."""
        for ticket, answer in self.world.answers():
            flight = self.flying.get(ticket.unit)
            if flight is None or ticket.n != flight.n or flight.held is not None:
                continue  # its unit was begun anew while the answer was on its way
            if isinstance(answer, ContextFull):
                self._advance(flight, answer)  # not logged: asked again, the same model refuses again
                continue
            try:
                if isinstance(answer, ModelFailed):
                    raise answer
                self._log_answer(flight, answer)
            except (ModelFailed, ValueError) as error:  # no answer, or one that is no line of a log
                self._fail(flight, f"{type(error).__name__}: {error}")
            else:
                self._hand_over(flight, answer)
        self._speak()

    def _speak(self) -> None:
        """What is being said, for whoever watches; often enough for the eye."""
        now = time.monotonic()
        if self.live is None or now - self.spoke_at < SPOKEN:
            return
        self.spoke_at = now
        for ticket, part, text in self.world.engine.speaking():
            self.live.speak(ticket.unit, ticket.n, part, text)

    def _hand_over(self, flight: Flight, answer: Answer | Observation) -> None:
        """Send a new answer into its script, unless a person wants to see it first."""
        if self.steering.holds(flight.name):
            flight.held = answer
            self.steering.stepping.discard(flight.name)
        else:
            self._advance(flight, answer)

    def _advance(self, flight: Flight, answer: Any) -> None:
        """Send an answer into a script and serve its wishes until it waits, for the model or a person, or ends.

        This is the boundary of a unit: whatever its script or a trainer raises ends the unit, not the run.
        """
        try:
            while True:
                if isinstance(answer, Answer):
                    flight.seconds += answer.ms / 1000
                    flight.tokens += answer.prefilled + len(answer.tokens)
                flight.wish = flight.send(answer)
                flight.wished = digest(flight.wish)
                answer = self._serve(flight)
                if answer is None:
                    return
        except StopIteration as end:
            self._land(flight, end.value)
        except (Cancelled, DiskFull, OSError):
            raise  # these end the run, not the unit: it can go on when the disk can
        except UnitSkipped as error:
            self._end(flight, str(error))
        except Exception as error:  # boundary of a unit: whatever it is, the others go on
            self._fail(flight, f"{type(error).__name__}: {error}")

    def _fail(self, flight: Flight, why: str) -> None:
        """End a unit that went wrong."""
        why = self.hide(why)[:2000].encode("utf-8", "replace").decode()  # the log has no lone surrogates, an error may
        if flight.index is not None:
            self.outcomes.failures[why] += 1
        self._end(flight, why)

    def _end(self, flight: Flight, why: str) -> None:
        """End a unit without a result."""
        if flight.name not in self.journal.state.unit_failures:
            self.journal.append(UnitFailed(flight.name, why))
        self._land(flight, None)

    def _land(self, flight: Flight, result: Any) -> None:
        """A unit is over: commit what it made and free its place."""
        self.flying.pop(flight.name, None)
        self.steering.stepping.discard(flight.name)
        self.world.engine.forget(flight.name)
        if is_fork(flight.name) and isinstance(result, Trajectory):
            result = msgspec.structs.replace(result, unit=flight.name)
        if flight.index is not None:
            self.results[flight.index] = result
            self.outcomes.successes += result is not None
        if flight.commits is not None and result is not None:
            self.journal.once(flight.commits(result, round_ms(flight.seconds), flight.tokens))
        self._count(flight)

    def _count(self, flight: Flight) -> None:
        """A unit that commits something is a result; one of several others is a draft, which its stage judges later."""
        if is_fork(flight.name) or flight.name in self.outcomes.landed:
            return
        self.outcomes.landed.add(flight.name)
        count, known = len(self.outcomes.landed), self.journal.state.stages.get(self.stage, StageState())
        if flight.commits is not None:
            self._progressed(StageProgressed(self.stage, count, max(count, self.expected)))
        elif len(self.round.units) > 1:
            self._progressed(StageProgressed(self.stage, known.done, known.of or self.expected, count))

    def _progressed(self, event: StageProgressed) -> None:
        """Progress goes forward only: what a replayed stage says again was counted before."""
        known = self.journal.state.stages.get(event.stage)
        if known is None or event.done > known.done or event.tried > known.tried:
            self.journal.append(event)

    def beat(self) -> None:
        """Something moved, or would if a person let it; what was written a second ago is flushed by now."""
        self.journal.sync()
        self.tick("")

    # -- what a person may want of a unit ----------------------------------------------------------------------------

    def find(self, name: str) -> tuple[Unit, int | None, Commits | None] | None:
        """The unit a name means, fork or not, if it can still be begun: of this round, or of a stage that is over."""
        root = root_of(name)
        if root not in self.units and not self.stage and (revived := self.revive(root)) is not None:
            unit, commits = revived
            self.units[root] = unit, None, commits
        return self.units.get(root)

    def release(self, flight: Flight) -> None:
        """Let the held answer through."""
        held, flight.held = flight.held, None
        if held is not None:
            self._advance(flight, held)

    def again(self, name: str, n: int, why: str) -> None:
        """Begin a unit anew from answer `n` on, be it in flight or over. Raises KeyError unless `find` finds it."""
        self._withdraw(name)
        self.journal.append(UnitRestarted(name, n, why))
        self.flying[name] = flight = self._flight(name)
        self._advance(flight, None)

    def skip(self, flight: Flight) -> None:
        """End a unit without a result."""
        self._withdraw(flight.name)
        self._end(flight, SKIPPED)

    def fork(self, name: str) -> None:
        """Put a fork that is in the log in the air."""
        self.waiting.appendleft(self._flight(name))

    def admit(self, question: Question, cast: str) -> None:
        """Put a question in the air. Raises KeyError when the cast is not in the session."""
        assert self.round.admits is not None
        unit = self.round.admits(question, cast)
        self.units[unit.name] = unit, None, self.round.commits
        self.waiting.append(self._flight(unit.name))

    def _withdraw(self, name: str) -> None:
        self.flying.pop(name, None)
        self.world.engine.withdraw(name)

    def _flight(self, name: str) -> Flight:
        unit, index, commits = self.units[root_of(name)]
        index = None if is_fork(name) else index
        return Flight(unit, name, unit.begin(), self.world.tools(unit.question), index, commits)

    # -- a wish ------------------------------------------------------------------------------------------------------

    def _serve(self, flight: Flight) -> Any:
        """The answer to a wish, or None when the model or a person has to be waited for."""
        wish = flight.wish
        if isinstance(wish, Train):
            return self._train(flight.name, wish)
        recalled = self._recall(flight)
        if recalled is not None:
            if isinstance(wish, Use):
                flight.past.append(wish)
            return self._handed(flight, recalled)
        if isinstance(wish, Use):
            return self._handed(flight, self._use(flight, wish))
        assert isinstance(wish, Ask)
        ticket = Ticket(flight.name, flight.n)
        self.world.engine.submit(ticket, wish, self._seed(ticket))
        return None

    def _handed(self, flight: Flight, answer: Answer | Observation) -> Answer | Observation | None:
        """An answer at once, or None when it is a unit's newest and a person wants to see that first."""
        name, memory = flight.name, self.journal.memory
        flight.n += 1
        if not self.steering.holds(name) or memory.known(name, flight.n) or memory.over(name):
            return answer
        flight.held = answer
        self.steering.stepping.discard(flight.name)
        return None

    def _recall(self, flight: Flight) -> Answer | Observation | None:
        """The recorded answer, if the wish is still the one it answered; otherwise the unit goes on anew from here."""
        name, n = flight.name, flight.n
        recalled = self.journal.memory.recall(name, n, flight.wished)
        if recalled is None and self.journal.memory.known(name, n):
            self.journal.append(UnitRestarted(name, n, "what is asked has changed since it was answered"))
        return recalled

    def _use(self, flight: Flight, wish: Use) -> Observation:
        for past in flight.past:
            flight.tools.recall(past.tool, past.argument)
        flight.past.clear()
        began = time.monotonic()
        self.tick(f"waiting for {wish.tool}")
        seen = called(flight.tools, wish, self.hide)
        self.tick("")
        ms = 1000 * (time.monotonic() - began)
        self.journal.append(
            ToolObserved(
                flight.name, flight.n, flight.wished, wish.tool, wish.argument, seen.text, seen.failed, round_ms(ms)
            )
        )  # fmt: skip
        return seen

    def _train(self, unit: str, wish: Train) -> Adapter:
        """The adapter. A checkpoint that finds no room pauses the training, which then goes on from the one before."""
        while True:
            try:
                return self._stepped(unit, self.world.train(wish))
            except DiskFull as error:
                self.journal.pause_for_room(str(error))

    def _stepped(self, unit: str, training: Generator[Event, Any, Adapter]) -> Adapter:
        """Training is stepped by the same loop that serves everything else, so it stops where a person wants."""
        enough: bool | None = None
        try:
            if self.steering.holds(unit):
                self.steering.between_steps(unit)
            while True:
                self.journal.once(training.send(enough))  # steps may repeat, what they learn from is told once
                self.beat()
                self.steering.between_steps(unit)
                enough = unit in self.steering.finishing
        except StopIteration as end:
            adapter: Adapter = end.value
            return adapter
        finally:
            training.close()

    def _log_answer(self, flight: Flight, answer: Answer) -> None:
        wish = flight.wish
        assert isinstance(wish, Ask)
        self.journal.append(
            ModelAnswered(
                flight.name, flight.n, flight.wished, wish.role, wish.part, answer.text, answer.tokens,
                answer.prompt_tokens, answer.prefilled, round_ms(answer.ms),
            )
        )  # fmt: skip
        flight.n += 1

    def _seed(self, ticket: Ticket) -> int:
        """Sampling depends on the run's seed, the unit, how often it began anew and the answer's number, and never on
        what else is in flight."""
        again = self.journal.memory.answers.restarts[ticket.unit]
        text = f"{self.seed}/{ticket.unit}/{ticket.n}" + (f"/{again}" if again else "")
        return int.from_bytes(hashlib.blake2s(text.encode(), digest_size=6).digest(), "big")
