"""Runs a command of `autoact` as a process of its own, so that the screen stays responsive."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress

from autoact.security import child_process
from studio.actions import remote_machine
from studio.actions.remote_machine import CliResult

PROGRAM = tuple(child_process.python_command("-m", "autoact"))
"""The command line before the verb."""
CLOSING = 1.0
"""Seconds to wait for the end of the output of a process that is given up."""


async def autoact(verb: str, *words: str, options: tuple[str, ...] = ()) -> CliResult:
    """Runs `autoact VERB`. Words that begin with a hyphen are not read as options; paths must be absolute.

    Cancelling the coroutine kills the process, unless it runs on another machine.
    """
    if machine := remote_machine.current():
        return await asyncio.wrap_future(machine.invoke(verb, words, options))
    line = (*PROGRAM, *verb.split(), *options, *(("--", *words) if words else ()))
    try:
        process = await asyncio.create_subprocess_exec(
            *line, stdin=DEVNULL, stdout=PIPE, stderr=PIPE,
            env=child_process.environment(), cwd=child_process.FOLDER,
        )  # fmt: skip
    except (OSError, ValueError) as error:  # a word with a zero byte, or one that is too long for the system
        return CliResult(2, "", str(error))
    try:
        output, errors = await process.communicate()
    except asyncio.CancelledError:
        if process.returncode is None:
            process.kill()
        with suppress(TimeoutError):  # of its pipes, which a child of it may hold open
            await asyncio.wait_for(process.communicate(), CLOSING)
        raise
    return CliResult(process.returncode or 0, output.decode("utf-8", "replace"), errors.decode("utf-8", "replace"))
