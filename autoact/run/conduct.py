"""The conductor: drives scripts, answers them from the record or from the world, and logs what is new.

Many units are in flight; their asks share the engine's batch. A script is a pure function of its answers, so a
resumed run replays recorded answers until they run out and then goes live: no answered ask is asked twice.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Protocol

from autoact.errors import DiskFull
from autoact.events import (
    Event,
    ModelAnswered,
    StageProgressed,
    ToolObserved,
    UnitFailed,
    UnitRestarted,
)
from autoact.model.engine import Engine, Ticket
from autoact.run.gate import Cancelled, Gate
from autoact.run.journal import Journal
from autoact.script import Answer, Ask, Observation, Round, Stage, Train, Unit, Use, Wish, digest
from autoact.trajectory import Adapter


class ToolCalls(Protocol):
    """One episode's tools: what it calls by name, state included."""

    def call(self, name: str, argument: str) -> Observation: ...


@dataclass(frozen=True, slots=True)
class World:
    """Everything a script can want: a model, tools, and someone who trains."""

    engine: Engine
    tools: Callable[[], ToolCalls]
    """A fresh session for one episode."""
    train: Callable[[Train], Generator[Event, None, Adapter]]


@dataclass(slots=True)
class Flight:
    """A unit in flight."""

    unit: Unit
    index: int
    """Its place in the round."""
    tools: ToolCalls
    n: int = 0
    """Number of the wish it waits for."""
    wish: Wish | None = None
    wished: str = ""
    """Digest of that wish."""
    past: list[Use] = field(default_factory=list)
    """Replayed calls that the tool session has not seen: it is brought up to date before its first live call."""
    seconds: float = 0.0
    tokens: int = 0


class Conductor:
    """Plays stages against a world and a journal."""

    def __init__(
        self, world: World, journal: Journal, gate: Gate, *, seed: int, tick: Callable[[], None] = lambda: None
    ):
        self.world, self.journal, self.gate, self.seed, self.tick = world, journal, gate, seed, tick
        self.stage = ""
        self.flying: dict[str, Flight] = {}
        self.results: list[Any] = []
        self.round = Round(())
        self.done = 0
        self.expected = 0

    def play(self, name: str, stage: Stage, expected: int = 0) -> None:
        """Drive a stage to its end. Raises Cancelled when a person stops the run.

        Rounds of units that commit something count as progress out of `expected`; other stages tell their own.
        """
        self.stage, self.done, self.expected = name, 0, expected
        answer: Any = None
        while True:
            try:
                wanted = stage.send(answer)
            except StopIteration:
                return
            if isinstance(wanted, Round):
                answer = self._round(wanted)
            else:
                self.journal.once(wanted)
                answer = None

    # -- a round -----------------------------------------------------------------------------------------------------

    def _round(self, round: Round) -> list[Any]:
        """All units of a round to their ends; their results in order, None for a unit that failed."""
        self.round = round
        self.results = [None] * len(round.units)
        waiting = deque(enumerate(round.units))
        while waiting or self.flying:
            self.gate.check()
            while waiting and len(self.flying) < self.world.engine.lanes:
                index, unit = waiting.popleft()
                flight = self.flying[unit.name] = Flight(unit, index, self.world.tools())
                self._advance(flight, None)
            self._hear()
            self.tick()
        return self.results

    def _hear(self) -> None:
        """Let the engine move on, and hand complete answers to the scripts that wait for them."""
        for ticket, answer in list(self.world.engine.step()):
            flight = self.flying[ticket.unit]
            self._log_answer(flight, answer)
            self._advance(flight, answer)

    def _advance(self, flight: Flight, answer: Any) -> None:
        """Send an answer into a script and serve its wishes until it waits for the model or ends.

        This is the boundary of a unit: whatever its script or a trainer raises ends the unit, not the run.
        """
        try:
            while True:
                if isinstance(answer, Answer):
                    flight.seconds += answer.ms / 1000
                    flight.tokens += answer.prefilled + len(answer.tokens)
                flight.wish = flight.unit.script.send(answer)
                flight.wished = digest(flight.wish)
                answer = self._serve(flight)
                if answer is None:
                    return
                flight.n += 1
        except StopIteration as end:
            self._land(flight, end.value)
        except (Cancelled, DiskFull, OSError):
            raise  # these end the run, not the unit: it can go on when the disk can
        except Exception as error:  # boundary of a unit: whatever it is, the others go on
            self.journal.once(UnitFailed(flight.unit.name, f"{type(error).__name__}: {error}"[:2000]))
            self._land(flight, None)

    def _land(self, flight: Flight, result: Any) -> None:
        """A unit is over: commit what it made and free its place."""
        del self.flying[flight.unit.name]
        self.world.engine.forget(flight.unit.name)
        self.results[flight.index] = result
        if self.round.commits is None:
            return
        if result is not None:
            self.journal.once(self.round.commits(result, round_ms(flight.seconds), flight.tokens))
        self.done += 1
        known = self.journal.state.stages.get(self.stage)
        if known is None or self.done > known.done:  # a replayed unit was counted before
            self.journal.append(StageProgressed(self.stage, self.done, max(self.done, self.expected)))

    # -- a wish ------------------------------------------------------------------------------------------------------

    def _serve(self, flight: Flight) -> Any:
        """The answer to a wish, or None when the model has to be waited for."""
        wish = flight.wish
        if isinstance(wish, Train):
            return self._train(wish)
        recalled = self._recall(flight)
        if recalled is not None:
            if isinstance(wish, Use):
                flight.past.append(wish)
            return recalled
        if isinstance(wish, Use):
            return self._use(flight, wish)
        assert isinstance(wish, Ask)
        ticket = Ticket(flight.unit.name, flight.n)
        self.world.engine.submit(ticket, wish, self._seed(ticket))
        return None

    def _recall(self, flight: Flight) -> Answer | Observation | None:
        """The recorded answer, if the wish is still the one it answered; otherwise the unit goes on anew from here."""
        name, n = flight.unit.name, flight.n
        recalled = self.journal.memory.recall(name, n, flight.wished)
        if recalled is None and (name, n) in self.journal.memory.answers:
            self.journal.append(UnitRestarted(name, n, "what is asked has changed since it was answered"))
        return recalled

    def _use(self, flight: Flight, wish: Use) -> Observation:
        for past in flight.past:
            _called(flight.tools, past)
        flight.past.clear()
        began = time.monotonic()
        seen = _called(flight.tools, wish)
        ms = 1000 * (time.monotonic() - began)
        self.journal.append(
            ToolObserved(
                flight.unit.name,
                flight.n,
                flight.wished,
                wish.tool,
                wish.argument,
                seen.text,
                seen.failed,
                round_ms(ms),
            )
        )
        return seen

    def _train(self, wish: Train) -> Adapter:
        """Training is stepped by the same loop that serves everything else, so it stops where a person wants."""
        training = self.world.train(wish)
        try:
            while True:
                self.journal.once(next(training))  # steps may repeat, what they learn from is told once
                self.tick()
                self.gate.check()
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
                flight.unit.name, flight.n, flight.wished, wish.role, wish.part, answer.text, answer.tokens,
                answer.prompt_tokens, answer.prefilled, round_ms(answer.ms),
            )
        )  # fmt: skip
        flight.n += 1

    def _seed(self, ticket: Ticket) -> int:
        """Sampling depends on the run's seed, the unit and the answer's number, never on what else is in flight."""
        text = f"{self.seed}/{ticket.unit}/{ticket.n}".encode()
        return int.from_bytes(hashlib.blake2s(text, digest_size=6).digest(), "big")


def _called(tools: ToolCalls, wish: Use) -> Observation:
    """What a tool gives back, whatever it does."""
    try:
        return tools.call(wish.tool, wish.argument)
    except Exception as error:  # boundary of a unit: a tool that fails is an observation
        return Observation(f"{wish.tool} failed: {str(error) or type(error).__name__}", failed=True)


def round_ms(value: float) -> float:
    """Three digits after the point: enough for a person, short in the log."""
    return round(value, 3)
