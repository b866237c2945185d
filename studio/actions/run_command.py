"""Sends a command to a run's job. Sending blocks: call it in a thread."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from autoact.errors import AutoActError
from autoact.run.control.command import Command, Verb, new_id, user_name
from autoact.run.control.control_socket import Unreachable, encode, save_command, send
from autoact.run.process.health import is_active
from autoact.run.process.launch import launch
from autoact.run.record.folder import RunFolder
from autoact.security import child_process, trust
from studio.actions import remote_machine
from studio.actions.remote_machine import CommandResult

TEXTS: dict[Verb, tuple[str, str]] = {
    "pause": ("pausing", "paused"), "resume": ("resuming", "resumed"), "step": ("stepping", "stepped"),
    "edit": ("editing", "edited"), "inject": ("asking", "question sent"), "retry": ("asking again", "asked again"),
    "skip": ("skipping", "skipped"), "finish": ("finishing", "ends after this step:"), "fork": ("forking", "forked"),
    "judge": ("judging", "judged"), "cancel": ("cancelling", "cancelled"),
    "ping": ("pinging", "answered"),
}  # fmt: skip
"""Texts for a command: while it is sent, and once the job has accepted it."""


def new_command(do: Verb, unit: str = "", n: int = -1, text: str = "", cast: str = "group") -> Command:
    """Returns a new command of the person at this terminal."""
    return Command(new_id(), do, unit, n, text, cast, by=user_name())


def _texts(command: Command) -> tuple[str, str]:
    """Returns the texts for a command, those of a judgement by what it says."""
    if command.do == "judge":
        return ("keeping", "kept") if command.n else ("dropping", "dropped")
    return TEXTS[command.do]


def progress_text(command: Command) -> str:
    """Returns the text shown at once after the key: the job may finish an answer before it accepts the command."""
    return f"{_texts(command)[0]} {command.unit}".rstrip() + " ..."


def progress_of_all(commands: Sequence[Command]) -> str:
    """Returns the text shown at once for several commands of one kind; an undo may keep some and drop others."""
    texts = {_texts(command)[0] for command in commands}
    return f"{texts.pop() if len(texts) == 1 else TEXTS[commands[0].do][0]} {len(commands)} trajectories ..."


def deliver(folder: RunFolder, command: Command, *, start: bool = False) -> CommandResult:
    """Sends a command to the run's job and waits for the reply.

    With `start`, a run without a job gets one, which reads the command when it starts; a judgement needs no job.
    """
    if machine := remote_machine.current():
        return machine.deliver(folder, [command], "start" if start else "send")
    try:
        if not start or is_active(folder):
            try:
                reason = send(folder, command).why
            except Unreachable:
                if not is_active(folder):
                    raise
                save_command(folder, command)  # the job is starting or loads its model
                return CommandResult(True, f"{progress_text(command)} the job takes it when it is ready")
        elif command.do == "judge":
            reason = _log_judgements(folder, [command])[0]
        else:
            _start_job(folder, [command])
            return CommandResult(True, f"{progress_text(command)} a job is starting for it")
    except (AutoActError, OSError) as error:  # the boundary of a command: shown, not raised
        reason = str(error)
    if reason:
        more = "; p pauses the run" if command.do == "pause" and reason.endswith("has ended") else ""
        return CommandResult(False, f"{command.do}: {reason}{more}")
    return CommandResult(True, f"{_texts(command)[1]} {command.unit}".rstrip(" :"))


def _start_job(folder: RunFolder, commands: Sequence[Command]) -> None:
    """Starts a job that reads these commands. Raises AutoActError or OSError, and then leaves no command behind."""
    trust.require_start(folder.path)
    files: list[Path] = []
    try:
        for command in commands:
            files.append(save_command(folder, command))
        launch(folder)
    except (AutoActError, OSError):
        for file in files:
            file.unlink(missing_ok=True)  # a later job must not carry out what was refused
        raise


def _log_judgements(folder: RunFolder, commands: Sequence[Command]) -> list[str]:
    """Logs judgements on a run without a job; returns for each the reason of a refusal, else an empty text."""
    program = child_process.python_command("-m", "autoact.job.judgements", str(folder.path.absolute()))
    done = subprocess.run(
        program, input=encode(commands), capture_output=True, check=False, env=child_process.environment(),
        cwd=child_process.FOLDER,
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise AutoActError(said or f"not noted: the process ended with code {done.returncode}")
    return msgspec.json.decode(done.stdout, type=list[str])


def deliver_all(folder: RunFolder, commands: Sequence[Command]) -> CommandResult:
    """Sends commands of one kind, one after the other, as `deliver` does with `start`.

    The text counts those that the job accepted, and gives the first reason of a refusal. The result is accepted if one
    of them is.
    """
    if machine := remote_machine.current():
        return machine.deliver(folder, commands, "start")
    first = commands[0]
    try:
        if is_active(folder):
            replies = [send(folder, command).why for command in commands]
        elif first.do == "judge":
            replies = _log_judgements(folder, commands)
        else:
            _start_job(folder, commands)
            return CommandResult(True, f"{_texts(first)[0]} {len(commands)}: a job is starting for them")
    except (AutoActError, OSError) as error:  # the boundary of a command: shown, not raised
        return CommandResult(False, f"{first.do}: {error}")
    reasons = [reason for reason in replies if reason]
    texts = {_texts(command)[1] for command in commands}  # an undo keeps some and drops others
    done = texts.pop() if len(texts) == 1 else TEXTS[first.do][1]
    if not reasons:
        return CommandResult(True, f"{done} {len(commands)}")
    done = f"{done} {len(commands) - len(reasons)} of {len(commands)}"
    return CommandResult(len(reasons) < len(commands), f"{done}; {reasons[0]}")


def queue(folder: RunFolder, command: Command) -> CommandResult:
    """Stores a command for a job that is still loading its model."""
    if machine := remote_machine.current():
        return machine.deliver(folder, [command], "queue")
    try:
        save_command(folder, command)
    except OSError as error:  # the boundary of a command: shown, not raised
        return CommandResult(False, f"{command.do}: {error}")
    return CommandResult(True, f"{_texts(command)[1]}; it is answered when the model is loaded")
