"""The gate: a queue of commands from other threads to the conductor, which alone carries them out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from autoact.errors import AutoActError
from autoact.run.control.command import Command, Reply


class Cancelled(AutoActError):
    """Raised when a person has stopped the run; all answers so far are in the log."""


class Gate:
    """The queue. Any thread may call `submit`, `wake` and `close`, and a signal handler `cancel`.

    The conductor calls the other methods.
    """

    def __init__(self) -> None:
        self._cancelled = self._closed = False
        self._arrived = threading.Event()
        self._waiting: list[tuple[Command, Future[Reply]]] = []

    def cancel(self) -> None:
        """Ends the run at the conductor's next check."""
        # The event is not set: a signal handler may run while this thread holds the event's lock in `wait`.
        self._cancelled = True

    def submit(self, command: Command) -> Future[Reply]:
        """Queues a command. The future gets the reply once it is logged, and is cancelled when there will be none."""
        reply: Future[Reply] = Future()
        self._waiting.append((command, reply))
        self._arrived.set()
        if self._closed:
            self.close()
        return reply

    def take(
        self, wanted: Callable[[Command, bool], bool] = lambda command, behind: True
    ) -> tuple[Command, Future[Reply]] | None:
        """Returns and removes the first command for which `wanted` is true, or returns None. Raises Cancelled.

        The arguments of `wanted` are the command, and whether another waits before it.
        """
        self.check()
        for index, (command, _) in enumerate(self._waiting):
            if wanted(command, index > 0):
                return self._waiting.pop(index)
        return None

    @property
    def empty(self) -> bool:
        """True when no command waits."""
        return not self._waiting

    def close(self) -> None:
        """Cancels the futures of all commands that wait or are submitted later."""
        self._closed = True
        with suppress(IndexError):  # `submit` in another thread may take the last one
            while True:
                self._waiting.pop()[1].cancel()

    def wake(self) -> None:
        """Ends a `wait` of the conductor, from any thread."""
        self._arrived.set()

    def wait(self, seconds: float) -> None:
        """Waits at most `seconds` until a command arrives or another thread calls `wake`. Raises Cancelled."""
        if not self._waiting:
            self._arrived.wait(seconds)
        self._arrived.clear()
        self.check()

    def sleep(self, seconds: float) -> None:
        """Sleeps although commands may wait, for when replies cannot be logged. Raises Cancelled after `cancel`."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._cancelled:
            time.sleep(min(left, 0.2))
        self.check()

    def check(self) -> None:
        """Raises Cancelled after `cancel`."""
        if self._cancelled:
            raise Cancelled("stopped by a person")
