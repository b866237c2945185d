"""Runs a command of `autoact` as a process of its own, so that the screen stays responsive."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import dataclass
from typing import Any

from autoact.security import child_process

PROGRAM = tuple(child_process.python_command("-m", "autoact"))
"""The command line before the verb."""


@dataclass(frozen=True, slots=True)
class CliResult:
    """The result of a command. Its texts are untrusted."""

    code: int
    """Exit code: 0 for success; `tools try` and `tools test` exit with 1 when a call failed."""
    output: str
    errors: str

    @property
    def data(self) -> Any:
        """The output parsed as JSON; None when it is none."""
        import orjson  # slow to import

        try:
            return orjson.loads(self.output)
        except orjson.JSONDecodeError:
            return None

    @property
    def reason(self) -> str:
        """The last line of the error output, which says why it failed."""
        lines = (self.errors.strip() or self.output.strip()).splitlines()
        line = lines[-1] if lines else f"exit code {self.code} without an error message"
        return line.removeprefix("autoact: ").removeprefix("error: ")


async def autoact(verb: str, *words: str, options: tuple[str, ...] = ()) -> CliResult:
    """Runs `autoact VERB`. Words that begin with a hyphen are not read as options; paths must be absolute.

    Cancelling the coroutine kills the process.
    """
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
    finally:
        if process.returncode is None:
            process.kill()
    return CliResult(process.returncode or 0, output.decode("utf-8", "replace"), errors.decode("utf-8", "replace"))
