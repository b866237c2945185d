"""A deadline for work that cannot be stopped from outside: who waits goes on, and a thread finishes for nobody."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from autoact.errors import ToolFailed

T = TypeVar("T")

OVERTIME = 2
"""How many times its time limit a call may take in all. Most tools keep the limit themselves, and then say more."""


def run_within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` gives, or raises. Raises ToolFailed when it takes longer; its thread is then left behind."""
    outcome: queue.Queue[tuple[T, None] | tuple[None, Exception]] = queue.Queue()

    def carried_out() -> None:
        try:
            outcome.put((work(), None))
        except Exception as error:  # not caught for good: it is raised again in the thread that waits
            outcome.put((None, error))

    threading.Thread(target=carried_out, daemon=True).start()
    try:
        result, error = outcome.get(timeout=seconds)
    except queue.Empty as late:
        raise ToolFailed(f"it took longer than {seconds:g} seconds") from late
    if error is not None:
        raise error
    return result  # type: ignore[return-value]
