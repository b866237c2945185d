"""Commands on their way from a key to a run's job. Everything here may take a while: call it in a thread."""

from __future__ import annotations

import getpass

from autoact import trust
from autoact.errors import AutoActError
from autoact.run.command import Command, Verb, new_id
from autoact.run.control import leave, send
from autoact.run.folder import RunFolder
from autoact.run.launch import launch
from autoact.run.liveness import attended


def order(do: Verb, unit: str = "", n: int = -1, text: str = "", cast: str = "group") -> Command:
    """A new command of the person at this terminal."""
    return Command(new_id(), do, unit, n, text, cast, by=getpass.getuser())


def carry(folder: RunFolder, command: Command, *, start: bool = False) -> str:
    """Hand a command to the run's job; why it came to nothing, or an empty string.

    With `start` a run without a job is given one, which finds the command when it starts.
    """
    try:
        if start and not attended(folder):
            trust.require_start(folder.path)
            leave(folder, command)
            launch(folder)
            return ""
        return send(folder, command).why
    except (AutoActError, OSError) as error:  # the boundary of a command: said, not raised
        return str(error)
