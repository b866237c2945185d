"""Runs requests in a thread with an asyncio loop; their results arrive in a queue."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
Message = tuple[int, Any]
"""The number of a call, and what it tells: its own messages, or the exception that ended it."""


class Calls:
    """Concurrent calls, each with a number. All methods are for one thread, which is not the loop's."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._started: dict[int, Future[None]] = {}
        self._last = 0
        self._thread = threading.Thread(target=self._loop.run_forever, name="server requests", daemon=True)
        self._thread.start()

    def start(self, make: Callable[[Callable[[Any], None]], Coroutine[Any, Any, None]]) -> int:
        """Starts the coroutine that `make` returns for a function that sends messages; returns the call's number."""
        self._last += 1
        number = self._last
        send = self._messages.put
        made = make(lambda message: send((number, message)))
        self._started[number] = asyncio.run_coroutine_threadsafe(self._guard(number, made), self._loop)
        return number

    async def _guard(self, number: int, call: Awaitable[None]) -> None:
        try:
            await call
        except Exception as error:  # boundary of the thread: the owner of the call gets it as a message
            self._messages.put((number, error))

    def stop(self, number: int) -> None:
        """Cancels a call, which closes its connection; messages that it has sent are dropped."""
        if future := self._started.pop(number, None):
            future.cancel()

    def messages(self, wait: float) -> Iterator[Message]:
        """Yields the messages of calls that were not stopped; waits at most `wait` seconds for the first."""
        try:
            message = self._messages.get(timeout=wait) if self._started else self._messages.get_nowait()
            while True:
                if message[0] in self._started:
                    yield message
                message = self._messages.get_nowait()
        except queue.Empty:
            return

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine to its end and returns its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        """Cancels all calls and ends the thread."""
        for number in list(self._started):
            self.stop(number)
        self.wait(_cancel_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_others() -> None:
    """Waits until every other task of this loop has ended."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
