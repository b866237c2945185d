"""The gate: where commands from other threads wait until the conductor, which alone acts on them, looks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from autoact.errors import AutoActError
from autoact.run.control.command import Command, Reply


class Cancelled(AutoActError):
    """A person stopped the run; everything answered so far is in the log."""


class Gate:
    """Any thread or signal handler may call `cancel` and `submit`; the rest is the conductor's."""

    def __init__(self) -> None:
        self._cancelled = self._closed = False
        self._arrived = threading.Event()
        self._waiting: list[tuple[Command, Future[Reply]]] = []

    def cancel(self) -> None:
        """End the run at the next opportunity."""
        self._cancelled = True  # and no event: a signal may come while this very thread holds its lock in `wait`

    def submit(self, command: Command) -> Future[Reply]:
        """Queue a command; the future holds the reply once it is in the log, and is cancelled when none will come."""
        reply: Future[Reply] = Future()
        self._waiting.append((command, reply))
        self._arrived.set()
        if self._closed:
            self.close()
        return reply

    def take(
        self, wanted: Callable[[Command, bool], bool] = lambda command, behind: True
    ) -> tuple[Command, Future[Reply]] | None:
        """The first command that waits and is wanted, if there is one. Raises Cancelled after `cancel`.

        `wanted` is told the command, and whether one that is not wanted waits before it.
        """
        self.check()
        for place, (command, _) in enumerate(self._waiting):
            if wanted(command, place > 0):
                return self._waiting.pop(place)
        return None

    @property
    def empty(self) -> bool:
        """Whether no command waits."""
        return not self._waiting

    def close(self) -> None:
        """Tell whoever still waits, or comes later, that no reply will come."""
        self._closed = True
        with suppress(IndexError):  # a latecomer's thread may take the last one
            while True:
                self._waiting.pop()[1].cancel()

    def wake(self) -> None:
        """Ends a `wait` of the conductor, from any thread."""
        self._arrived.set()

    def wait(self, seconds: float) -> None:
        """Waits until a command arrives or another thread calls `wake`, at most so long. Raises Cancelled."""
        if not self._waiting:
            self._arrived.wait(seconds)
        self._arrived.clear()
        self.check()

    def rest(self, seconds: float) -> None:
        """Let the time pass, whatever waits: no command can be acknowledged now. Raises Cancelled on `cancel`."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._cancelled:
            time.sleep(min(left, 0.2))
        self.check()

    def check(self) -> None:
        """Raises Cancelled after `cancel`."""
        if self._cancelled:
            raise Cancelled("stopped by a person")
