"""A command of `autoact` that the studio has carried out: a process of its own, so that no key waits for it."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import dataclass
from typing import Any

from autoact import child_process

PROGRAM = tuple(child_process.python_command("-m", "autoact"))
"""The command line before its verb."""


@dataclass(frozen=True, slots=True)
class CliResult:
    """What came of a command. The texts are foreign."""

    code: int
    """0 when all went well; `tools try` and `tools test` end with 1 when a call failed."""
    told: str
    trouble: str

    @property
    def data(self) -> Any:
        """What `--json` printed; None when it is no JSON."""
        import orjson  # not before the first picture

        try:
            return orjson.loads(self.told)
        except orjson.JSONDecodeError:
            return None

    @property
    def why(self) -> str:
        """Why it failed, in one line."""
        lines = (self.trouble.strip() or self.told.strip()).splitlines()
        said = lines[-1] if lines else f"it ended with code {self.code} and said nothing"
        return said.removeprefix("autoact: ").removeprefix("error: ")


async def autoact(verb: str, *words: str, options: tuple[str, ...] = ()) -> CliResult:
    """Carry out `autoact VERB`. A word may begin with a hyphen and is still no option; a path must be absolute.

    Cancelling ends the command.
    """
    line = (*PROGRAM, *verb.split(), *options, "--", *words)
    try:
        process = await asyncio.create_subprocess_exec(
            *line, stdin=DEVNULL, stdout=PIPE, stderr=PIPE,
            env=child_process.environment(), cwd=child_process.FOLDER,
        )  # fmt: skip
    except (OSError, ValueError) as error:  # a word with a zero byte in it, or longer than the system takes
        return CliResult(2, "", str(error))
    try:
        told, trouble = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return CliResult(process.returncode or 0, told.decode("utf-8", "replace"), trouble.decode("utf-8", "replace"))
