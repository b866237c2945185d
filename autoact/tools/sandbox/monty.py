"""Monty: an interpreter of a part of Python, without any access to files, network or processes."""

from __future__ import annotations

import time

from autoact.tools.sandbox.bounds import Bounds
from autoact.tools.sandbox.program_result import End, ProgramResult

DEEPEST = 500
"""Nested calls."""
_GRACE = 1.0
"""Seconds after its own limit in which the worker may still report."""


def run(program: str, bounds: Bounds) -> ProgramResult:
    """Runs `program` in a worker that knows nothing of this machine. Needs the package pydantic-monty."""
    began = time.monotonic()
    printed = _Output(bounds.output)
    end, error = _evaluated(program, bounds, printed)
    if printed.room < 0:
        end, error = "output", f"it printed more than {bounds.output:,} bytes"
    return ProgramResult(end, "".join(printed.parts)[: bounds.output], error, seconds=time.monotonic() - began)


class _Output:
    """The output of the program, up to the limit."""

    def __init__(self, room: int) -> None:
        self.parts: list[str] = []
        self.room = room

    def add(self, stream: str, text: str) -> None:
        """Adds output, or drops it when there is enough; Monty's own time limit ends the program."""
        if self.room >= 0:
            self.parts.append(text)
        self.room -= len(text)


def _evaluated(program: str, bounds: Bounds, printed: _Output) -> tuple[End, str]:
    import pydantic_monty

    limits = pydantic_monty.ResourceLimits(
        max_feed_duration_secs=bounds.seconds, max_total_sleep_secs=bounds.seconds, max_memory=bounds.memory,
        max_recursion_depth=DEEPEST,
    )  # fmt: skip
    try:
        with (
            pydantic_monty.Monty(max_processes=1, request_timeout=bounds.seconds + _GRACE) as pool,
            pool.checkout(limits=limits) as session,
        ):
            value = session.feed_run(program, print_callback=printed.add)
    except pydantic_monty.MontyRuntimeError as error:
        message = error.display("type-msg")
        return "time" if "time limit exceeded" in message or "sleep limit exceeded" in message else "failed", message
    except pydantic_monty.MontyError as error:
        return "failed", f"{type(error).__name__.removeprefix('Monty')}: {error}"
    if value is not None:
        printed.add("stdout", f"{value!r}\n")
    return "finished", ""
