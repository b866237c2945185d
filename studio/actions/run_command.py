"""Commands on their way from a key to a run's job. Everything here may take a while: call it in a thread."""

from __future__ import annotations

import getpass
from dataclasses import dataclass

from autoact import trust
from autoact.errors import AutoActError
from autoact.run.control.command import Command, Verb, new_id
from autoact.run.control.control_socket import leave, send
from autoact.run.process.health import attended
from autoact.run.process.launch import launch
from autoact.run.record.folder import RunFolder

WORDS: dict[Verb, tuple[str, str]] = {
    "pause": ("pausing", "paused"), "resume": ("resuming", "resumed"), "step": ("stepping", "stepped"),
    "edit": ("editing", "edited"), "inject": ("asking", "question sent"), "retry": ("asking again", "asked again"),
    "skip": ("skipping", "skipped"), "finish": ("finishing", "ends after this step:"), "fork": ("forking", "forked"),
    "judge": ("noting the verdict on", "verdict noted on"), "cancel": ("cancelling", "cancelled"),
    "ping": ("pinging", "answered"),
}  # fmt: skip
"""What is said of a command while it is on its way, and when the job has accepted it."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What came of a command, in words that may quote foreign text."""

    accepted: bool
    text: str


def new_command(do: Verb, unit: str = "", n: int = -1, text: str = "", cast: str = "group") -> Command:
    """A new command of the person at this terminal."""
    return Command(new_id(), do, unit, n, text, cast, by=getpass.getuser())


def progress_text(command: Command) -> str:
    """Returns what is said as soon as a key has made a command: its job may be in the middle of an answer."""
    return f"{WORDS[command.do][0]} {command.unit}".rstrip() + " ..."


def deliver(folder: RunFolder, command: Command, *, start: bool = False) -> CommandResult:
    """Hand a command to the run's job.

    With `start` a run without a job is given one, which finds the command when it starts.
    """
    try:
        if start and not attended(folder):
            trust.require_start(folder.path)
            leave(folder, command)
            launch(folder)
            return CommandResult(True, f"{progress_text(command)} a job is starting for it")
        why = send(folder, command).why
    except (AutoActError, OSError) as error:  # the boundary of a command: said, not raised
        why = str(error)
    if why:
        return CommandResult(False, f"{command.do}: {why}")
    return CommandResult(True, f"{WORDS[command.do][1]} {command.unit}".rstrip(" :"))


def queue(folder: RunFolder, command: Command) -> CommandResult:
    """Leave a command for a job that is still loading its model."""
    try:
        leave(folder, command)
    except OSError as error:  # the boundary of a command: said, not raised
        return CommandResult(False, f"{command.do}: {error}")
    return CommandResult(True, f"{WORDS[command.do][1]}; it is answered when the model is loaded")
