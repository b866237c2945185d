"""The other machine's side of `studio ssh://...`: sends a project's files and carries out what the studio asks.

It ends with the line. A command that it has begun goes on; its answer is then lost.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from autoact import __version__
from autoact.errors import AutoActError, BadInput
from autoact.files import disk
from autoact.project.project import list_projects
from autoact.run.record.folder import RunFolder
from studio.actions import cli_command, run_command
from studio.actions.remote_machine import CommandResult
from studio.remote import files, messages
from studio.remote.messages import BrokenLine, MessageStream
from studio.remote.outgoing import Outgoing
from studio.runs.machine import MachineMeter
from studio.runs.run_list import RunList
from studio.target import find

TICK, SCAN = 0.1, 2.0
"""Seconds between two looks at the runs that have a job, and at all files."""
REMAINING_S = 1.0
"""Seconds between two reports of what is still to be copied."""
SILENT_S = 90.0
"""Seconds without a word from the studio after which the line counts as lost."""
WINDOW = 64_000
"""The most bytes of files on the way, so that on a slow line what happens now need not wait long behind them."""

MOST_LISTED = 200
"""The most projects of a folder of which the studio is told."""


def serve(named: str | None) -> int:
    """Serves the project or run at a path over standard input and output until they are closed; returns 0."""
    writer = sys.stdout.buffer
    sys.stdout = sys.stderr  # nothing else may write there
    writer.write(b"\n" + messages.MARKER)
    line = MessageStream(sys.stdin.buffer, writer)
    with suppress(BrokenLine):
        try:
            target = find(named)
        except AutoActError as error:
            line.write(messages.Refusal(str(error)))
            return 0
        if target.project is None:
            why = BadInput("expected a project or a run, or a folder of projects", file=target.folder)
            projects = (str(project.root) for project in list_projects(target.folder)[:MOST_LISTED])
            line.write(messages.Refusal(str(why), tuple(projects)))
        else:
            ProjectServer(line, target.project).run(target.run)
    return 0


class ProjectServer:
    """Serves one project. Only the thread of `run` writes to the line: an answer comes after what a command has changed
    in the files that were copied already."""

    def __init__(self, line: MessageStream, project: Path):
        self._line, self._project = line, project
        self._files = Outgoing(project, line.write)
        self._events: SimpleQueue[messages.FromStudio | messages.Answer | None] = SimpleQueue()
        """Requests that were read and answers that are ready; None once the line has ended."""
        self._commanded: dict[int, str] = {}
        """The runs of commands without an answer, by the command's number."""
        self._received = 0
        """Bytes of files that have arrived."""
        self._heard = time.monotonic()
        self._meter: MachineMeter | None = None
        self._runs = RunList(project)
        self._reading = threading.Lock()
        """A lock on the meter and the list of runs."""

    def run(self, first: str) -> None:
        """Serves until the line ends; the run `first` is copied before the others. Raises BrokenLine."""
        self._line.write(messages.Hello(messages.PROTOCOL, __version__, str(self._project), first))
        present = self._line.read_from_studio()
        if not isinstance(present, messages.Present):
            raise BrokenLine("the studio did not begin with its files")
        self._files.begin(present.files, first)
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        due, told = 0.0, 0.0
        while True:
            if time.monotonic() >= due:
                due = time.monotonic() + SCAN
                self._files.scan()
            else:
                self._files.look_at_active()
            sent = self._files.size - self._received <= WINDOW and self._files.send_next()
            if time.monotonic() > told + REMAINING_S:
                told = time.monotonic()
                self._files.send_remaining()
            if not self._take_events(wait=not sent) or time.monotonic() > self._heard + SILENT_S:
                return

    def _take_events(self, *, wait: bool) -> bool:
        """Takes all that has come, after up to TICK seconds when it may wait; returns False once the line has ended."""
        with suppress(Empty):
            event = self._events.get(timeout=TICK) if wait else self._events.get_nowait()
            while event is not None:
                self._take(event)
                event = self._events.get_nowait()
            return False
        return True

    def _take(self, event: messages.FromStudio | messages.Answer) -> None:
        match event:
            case messages.Received():
                self._received += event.size
                self._heard = time.monotonic()
            case messages.Save():
                result = self._save(event)
                self._line.write(messages.Delivered(event.id, result))
                if files.is_edited(event.file):
                    self._files.send_again(event.file)
            case messages.Delivered() | messages.Failed():
                self._files.look_at_active(self._commanded.pop(event.id, ""))
                self._line.write(event)
            case messages.Invoked():  # a command of `autoact`, which may change any file
                self._files.scan()
                self._line.write(event)
            case messages.Loaded():
                self._line.write(event)
            case messages.Deliver():
                self._commanded[event.id] = event.run
                threading.Thread(target=self._answer, args=(event,), daemon=True).start()
            case messages.Invoke() | messages.ReadLoad():
                threading.Thread(target=self._answer, args=(event,), daemon=True).start()

    def _read(self) -> None:
        """Reads requests until the line ends."""
        with suppress(BrokenLine):
            while True:
                self._events.put(self._line.read_from_studio())
        self._events.put(None)

    # -- requests --------------------------------------------------------------------------------------------------

    def _answer(self, request: messages.Deliver | messages.Invoke | messages.ReadLoad) -> None:
        try:
            self._events.put(self._make_answer(request))
        except Exception as error:  # the boundary of a request, which must have an answer
            self._events.put(messages.Failed(request.id, f"{type(error).__name__}: {error}"))

    def _make_answer(self, request: messages.Deliver | messages.Invoke | messages.ReadLoad) -> messages.Answer:
        match request:
            case messages.Deliver():
                folder = RunFolder(files.safe_path(self._project, f"runs/{request.run}"))
                return messages.Delivered(request.id, _deliver(folder, request))
            case messages.Invoke():
                done = cli_command.autoact(request.verb, *request.words, options=request.options)
                return messages.Invoked(request.id, asyncio.run(done))
            case messages.ReadLoad():
                with self._reading:
                    self._meter = self._meter or MachineMeter(self._project)
                    self._runs.refresh()
                    return messages.Loaded(request.id, self._meter.read(self._runs.runs))

    def _save(self, request: messages.Save) -> CommandResult:
        """Replaces a file, unless it has changed meanwhile."""
        try:
            path = files.source(self._project, request.file)
            if not files.is_edited(request.file):
                raise BadInput("not a file that the studio writes", file=request.file)
            if request.file.startswith("exports/"):
                path.parent.mkdir(exist_ok=True)
            with disk.lock_folder(path.resolve().parent):
                there = files.checksum(path)
                if there is None and os.path.lexists(path):
                    raise BadInput("cannot be read there", file=request.file)
                if there is not None and disk.read_file(path, files.SMALL) == request.data:
                    return CommandResult(True, "")  # an earlier request did it, whose answer was lost
                if there != request.was:
                    return CommandResult(False, f"{request.file} has changed there meanwhile")
                disk.rewrite(path, request.data)
        except (AutoActError, OSError) as error:  # the boundary of a request: told, not raised
            return CommandResult(False, str(error))
        return CommandResult(True, "")


def _deliver(folder: RunFolder, request: messages.Deliver) -> CommandResult:
    commands = request.commands
    if request.how == "queue":
        return run_command.queue(folder, commands[0])
    if len(commands) > 1:
        return run_command.deliver_all(folder, commands)
    return run_command.deliver(folder, commands[0], start=request.how == "start")
