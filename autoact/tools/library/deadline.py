"""A time limit for work that cannot be interrupted: the caller goes on, and the thread of late work is abandoned."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from autoact.errors import ToolFailed

T = TypeVar("T")

OVERTIME = 2
"""The most that a call may take, as a multiple of its time limit. Most tools keep the limit themselves, with a
better message."""


def run_within(seconds: float, work: Callable[[], T]) -> T:
    """Returns what `work` returns, or raises what it raises. Raises ToolFailed after `seconds`; its thread is then
    abandoned."""
    outcome: queue.Queue[tuple[T, None] | tuple[None, Exception]] = queue.Queue()

    def carried_out() -> None:
        try:
            outcome.put((work(), None))
        except Exception as error:  # raised again in the thread that waits
            outcome.put((None, error))

    threading.Thread(target=carried_out, daemon=True).start()
    try:
        result, error = outcome.get(timeout=seconds)
    except queue.Empty as late:
        raise ToolFailed(f"it took longer than {seconds:g} seconds") from late
    if error is not None:
        raise error
    return result  # type: ignore[return-value]
