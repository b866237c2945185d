"""Tool calls of many episodes, made in a few threads beside the conductor's."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from autoact.environment import Environment
from autoact.model.engine import Ticket
from autoact.script import Observation, Use

THREADS = 16
"""Most calls made at once."""
REMEMBERED = 4_096
"""Most observations of repeatable calls that are kept; the oldest are dropped first."""


@dataclass(eq=False, slots=True)
class Call:
    """One call, and the tickets that wait for its observation."""

    use: Use
    environment: Environment
    past: Sequence[Use]
    maker: Ticket
    """The ticket in whose environment the call is made."""
    tickets: list[Ticket] = field(default_factory=list)
    """Empty when all units that waited have restarted or ended."""
    observation: Observation | None = None


@dataclass(frozen=True, slots=True)
class TicketObservation:
    """The observation that a ticket waited for."""

    ticket: Ticket
    observation: Observation
    made: bool
    """True if the unit's own environment made the call; otherwise that must recall it."""


class ToolCalls:
    """Makes calls in threads. Only `_serve` and `_observe` run there; all other methods in the conductor's thread."""

    def __init__(self, hide: Callable[[str], str], wake: Callable[[], None], threads: int = THREADS) -> None:
        """Takes `hide`, which removes secrets from a message, and `wake`, which threads call after each observation."""
        self._hide, self._wake, self._threads = hide, wake, threads
        self._started = 0
        self._waiting: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._calls: list[Call] = []
        """Calls that wait or are being made, in the order in which they were submitted."""
        self._known: dict[Use, Observation] = {}
        self._ready: list[TicketObservation] = []

    @property
    def waits_for(self) -> str:
        """The tool of the oldest call that any unit waits for; empty when none does."""
        return next((call.use.tool for call in self._calls if call.tickets), "")

    def submit(self, ticket: Ticket, use: Use, environment: Environment, past: Sequence[Use]) -> bool:
        """Queues a call; the environment recalls `past` before it.

        A repeatable call that was made before in this run, or is being made, is not made again; then the environment
        recalls nothing, and False is returned.
        """
        repeatable = environment.repeatable(use.tool)
        if repeatable and use in self._known:
            self._ready.append(TicketObservation(ticket, self._known[use], made=False))
            return False
        if repeatable and (same := next((call for call in self._calls if call.tickets and call.use == use), None)):
            same.tickets.append(ticket)
            return False
        call = Call(use, environment, past, ticket, [ticket])
        self._calls.append(call)
        self._waiting.put(call)
        if self._started < min(self._threads, len(self._calls)):
            self._started += 1
            threading.Thread(target=self._serve, name="tool call", daemon=True).start()
        return True

    def remember(self, use: Use, observation: Observation, environment: Environment) -> None:
        """Keeps the observation of a repeatable call, whether new or replayed from the log."""
        if observation.failed or not environment.repeatable(use.tool):
            return
        self._known[use] = msgspec.structs.replace(observation, ms=0.0)
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]

    def take_observations(self) -> Iterator[TicketObservation]:
        """Yields the observations since the last call of this method."""
        ready, self._ready = self._ready, []
        yield from ready
        while not self._done.empty():
            call = self._done.get()
            self._calls.remove(call)
            if call.observation is None:
                continue  # no unit waited for it any more, so it was not made
            self.remember(call.use, call.observation, call.environment)
            for ticket in call.tickets:
                yield TicketObservation(ticket, call.observation, made=ticket == call.maker)

    def withdraw(self, unit: str) -> None:
        """Drops the tickets of a unit. A call that is being made goes on; without tickets its result is dropped."""
        for call in self._calls:
            call.tickets = [ticket for ticket in call.tickets if ticket.unit != unit]
        self._ready = [one for one in self._ready if one.ticket.unit != unit]

    def close(self) -> None:
        """Ends the threads, each after its current call."""
        for _ in range(self._started):
            self._waiting.put(None)

    def _serve(self) -> None:
        while (call := self._waiting.get()) is not None:
            if call.tickets:
                call.observation = self._observe(call)
            self._done.put(call)
            self._wake()

    def _observe(self, call: Call) -> Observation:
        began = time.monotonic()
        try:
            for past in call.past:
                call.environment.recall(past.tool, past.argument)
            seen = call.environment.call(call.use.tool, call.use.argument)
            return msgspec.structs.replace(seen, ms=1000 * (time.monotonic() - began))
        except BaseException as error:  # boundary: a tool's failure, also SystemExit, becomes an observation
            why = self._hide(f"{call.use.tool} failed: {str(error) or type(error).__name__}")
            return Observation(why, failed=True)
