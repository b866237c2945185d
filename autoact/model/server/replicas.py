"""The servers of a run: chooses one for each request, sends it again when that fails, and avoids those that fail."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from autoact.errors import BadInput, ModelFailed
from autoact.model.server.client import ServerClient, TryAgain, UnknownName, place
from autoact.script import root_of

T = TypeVar("T")


class NoServer(ModelFailed):
    """No server of the run can be used any more: its units are not at fault, so the run ends and can be resumed."""


@dataclass(frozen=True, slots=True)
class Patience:
    """The time for which requests are repeated. Times are seconds."""

    rounds: int = 8
    """Times that every server is tried."""
    first: float = 0.5
    """The pause after the first round; each later one is twice as long."""
    longest: float = 30.0
    failures: int = 3
    """Successive failures after which a server gets no requests, until it answers a check."""
    check: float = 5.0
    """The time until the first such check; each later one comes after twice the time."""


@dataclass(slots=True)
class Replica:
    """One server."""

    url: str
    failures: int = 0
    """Successive failed requests."""
    checks: int = 0
    """Successive failed checks."""
    quiet_until: float = 0.0
    """The clock (monotonic) before which it gets no request."""
    adapters: dict[str, str] = field(default_factory=dict)
    """Paths of loaded adapters by name."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while it is checked or an adapter is loaded."""

    @property
    def address(self) -> str:
        """Its URL for messages, without a user's name."""
        return place(self.url)


class Replicas:
    """The servers of a run. Used in one asyncio loop."""

    def __init__(
        self, urls: Sequence[str], client: ServerClient, check: Callable[[str], Awaitable[object]],
        patience: Patience | None = None,
    ):  # fmt: skip
        """Takes at least one URL, and `check`, which raises TryAgain for a URL that does not answer as it should."""
        self.all = [Replica(url) for url in dict.fromkeys(urls)]
        self.client, self.check, self.patience = client, check, patience or Patience()
        self.placed: dict[str, Replica] = {}
        """The servers of the units in progress."""

    def place(self, unit: str) -> None:
        """Chooses the server that a unit and its forks use while they are in progress.

        It is the first in the unit's order that has less than its share of the units in progress, because chance alone
        would give one of two servers 18 of 32 episodes on average.
        """
        if unit in self.placed:
            return
        root, now = root_of(unit), time.monotonic()
        known = next((replica for other, replica in self.placed.items() if root_of(other) == root), None)
        usable = [one for one in self.order(unit) if one.quiet_until <= now] or self.order(unit)
        count = Counter(replica.url for replica in self.placed.values())
        share = -(-(len(self.placed) + 1) // len(usable))
        self.placed[unit] = known or min(usable, key=lambda one: count[one.url] >= share)

    def release(self, unit: str) -> None:
        """Ends the placing of a unit, which will ask nothing more."""
        self.placed.pop(unit, None)

    def order(self, unit: str) -> list[Replica]:
        """Returns the servers in the order in which a unit uses them: first the one where it was placed.

        The rest of the order depends on the unit's name only, and is the same for its forks. A server that is added or
        removed changes the order of few units (rendezvous hashing).
        """
        root, placed = root_of(unit), self.placed.get(unit)
        return sorted(
            self.all,
            key=lambda one: (one is not placed, hashlib.blake2s(f"{root} {one.url}".encode()).digest()),
        )

    async def attempt(self, unit: str, act: Callable[[Replica], Awaitable[T]]) -> T:
        """Returns the result of `act` with the first server that answers.

        Raises ModelFailed when none does, NoServer when none answers any other request either, and BadInput.
        """
        why = "no server was free"
        for number in range(self.patience.rounds):
            if number:
                await asyncio.sleep(self._pause(number))
            for replica in self.order(unit):
                if not await self._is_ready(replica):
                    continue
                try:
                    result = await act(replica)
                except TryAgain as error:
                    why = str(error)
                    self._count_failure(replica, error.wait)
                except UnknownName as error:
                    raise BadInput(
                        f"{error}; expected a server of this run's model", key=self.client.setting
                    ) from error
                else:
                    replica.failures = replica.checks = 0
                    return result
        where = ", ".join(one.address for one in self.all)
        what = f"no server answered after {self.patience.rounds} rounds ({where}); last reason: {why}"
        broken = all(one.failures >= self.patience.failures for one in self.all)
        raise NoServer(what) if broken else ModelFailed(what)

    def _pause(self, number: int) -> float:
        """Returns the seconds before round `number`: longer each time, and until a server is to be used again."""
        soonest = min(one.quiet_until for one in self.all) - time.monotonic()
        return max(soonest, min(self.patience.longest, self.patience.first * 2.0 ** (number - 1)))

    def _count_failure(self, replica: Replica, wait: float) -> None:
        """Notes a failed request. A server that named a time to wait is busy, not broken."""
        now = time.monotonic()
        if wait:
            replica.quiet_until = max(replica.quiet_until, now + wait)
            return
        replica.failures += 1
        if replica.failures == self.patience.failures:
            replica.quiet_until = now + self.patience.check

    async def _is_ready(self, replica: Replica) -> bool:
        """Returns whether a server may get a request; one that failed too often must first pass the check."""
        if time.monotonic() < replica.quiet_until:
            return False
        if replica.failures < self.patience.failures:
            return True
        async with replica.lock:
            if replica.failures < self.patience.failures:
                return True
            if time.monotonic() < replica.quiet_until:
                return False
            try:
                await self.check(replica.url)
            except TryAgain:
                replica.checks += 1
                pause = min(self.patience.longest, self.patience.check * 2**replica.checks)
                replica.quiet_until = time.monotonic() + pause
                return False
            replica.failures = replica.checks = 0
            replica.adapters.clear()  # it may be a new process, without the adapters of the old one
            return True
