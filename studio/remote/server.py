"""The other machine's side of `studio ssh://...`: sends a project's files and carries out what the studio asks.

It ends with the line. A command that it has begun goes on; its answer is then lost.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from autoact import __version__
from autoact.errors import AutoActError, BadInput
from autoact.files import disk
from autoact.run.process import lock
from autoact.run.record.folder import RunFolder, list_runs
from autoact.security import trust
from studio.actions import cli_command, run_command
from studio.actions.remote_machine import CommandResult
from studio.remote import files, messages
from studio.remote.files import Stamp
from studio.remote.messages import BrokenLine, Line
from studio.runs.machine import MachineMeter
from studio.runs.run_list import RunList
from studio.target import find

TICK, SCAN = 0.1, 2.0
"""Seconds between two looks at the runs that have a job, and at all files."""
LEFT_S = 1.0
"""Seconds between two reports of what is still to be copied."""
WINDOW = 64_000
"""The most bytes of files on the way, so that on a slow line what happens now need not wait long behind them."""
CHUNK = 32_000
"""About the most bytes of a log in one message, so that an answer need not wait long behind it."""


def serve(named: str | None) -> int:
    """Serves the project or run at a path over standard input and output until they are closed; returns 0."""
    writer = sys.stdout.buffer
    sys.stdout = sys.stderr  # nothing else may write there
    writer.write(b"\n" + messages.MARKER)
    line = Line(sys.stdin.buffer, writer)
    with suppress(BrokenLine):
        try:
            target = find(named)
            if target.project is None:
                raise BadInput(_what_there_is(target.folder), file=target.folder)
        except AutoActError as error:
            line.write(messages.Refusal(str(error)))
            return 0
        Server(line, target.project).run(target.run)
    return 0


def _what_there_is(folder: Path) -> str:
    names = sorted(file.parent.name for file in folder.glob("*/project.toml"))
    return f"expected a project or a run; projects in this folder: {', '.join(names[:20]) or 'none'}"


@dataclass
class Outgoing:
    """The files as they were sent, and those that are to be sent."""

    sent: dict[str, Stamp] = field(default_factory=dict)
    logs: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The bytes of each log that the studio has, and the checksum of their end."""
    pending: dict[str, Stamp] = field(default_factory=dict)
    complete: set[str] = field(default_factory=set)
    """Runs whose `run.toml` was sent, which comes last."""


class Server:
    """Serves one project."""

    def __init__(self, line: Line, project: Path):
        self._line, self._project = line, project
        self._out = Outgoing()
        self._order: dict[str, int] = {}
        """The place of each run in the order in which they are copied."""
        self._runs: dict[str, messages.RunStatus] = {}
        """The status of each run as the studio knows it."""
        self._trusted: bool | None = None
        self._on_way = 0
        """Bytes of files that were sent and have not arrived yet."""
        self._wake = threading.Event()
        self._closed = False
        self._meter: MachineMeter | None = None

    def run(self, first: str) -> None:
        """Serves until the line ends; the run `first` is copied before the others. Raises BrokenLine."""
        self._line.write(messages.Hello(messages.PROTOCOL, __version__, str(self._project), first))
        known = self._line.read_from_studio()
        if isinstance(known, messages.Known):
            self._skip_known(known.files)
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        due, left, told = 0.0, -1, 0.0
        while not self._closed:
            if time.monotonic() >= due:
                due = time.monotonic() + SCAN
                self._scan(first)
                self._send_status(self._order)
            else:
                active = [name for name, run in self._runs.items() if run.job or run.keeper]
                for name in active:
                    self._look(f"runs/{name}")
                self._send_status(active)
            sent = self._send_next()
            if (left != (left := len(self._out.pending))) or (left and time.monotonic() > told + LEFT_S):
                told = time.monotonic()
                self._line.write(self._what_is_left())
            if not sent:
                self._wake.wait(TICK)
                self._wake.clear()

    # -- files -----------------------------------------------------------------------------------------------------

    def _skip_known(self, known: dict[str, tuple[int, int]]) -> None:
        """Notes the files that the studio has already, as far as they are the same."""
        for file, (size, checksum) in known.items():
            path = files.safe_path(self._project, file)
            if files.is_log(file):
                self._out.logs[file] = size, checksum
            elif files.checksum(path) == checksum and (stamp := files.read_stamp(path)):
                self._out.sent[file] = stamp
            else:
                self._out.sent[file] = (0, 0, 0)

    def _scan(self, first: str) -> None:
        """Looks at all files, and tells which are gone."""
        runs = [run.name for run in list_runs(self._project)]
        self._order = {name: at for at, name in enumerate(sorted(runs, key=lambda name: name != first))}
        found = self._look("")
        for file in (self._out.sent.keys() | self._out.logs.keys()) - found:
            self._line.write(messages.Gone(file))
            for known in (self._out.sent, self._out.logs, self._out.pending):
                known.pop(file, None)
        self._out.complete = {name for name in runs if f"runs/{name}/run.toml" in self._out.sent}

    def _look(self, below: str) -> set[str]:
        """Looks for changed files below a folder; returns all that are there."""
        found = set()
        for file, stamp in files.list_files(self._project, below=below):
            found.add(file)
            if self._out.sent.get(file) != stamp:
                self._out.pending[file] = stamp
        return found

    def _send_next(self) -> bool:
        """Sends the next file, or the next lines of a log, unless it must wait; returns whether it did."""
        file = min(self._out.pending, key=self._rank, default="")
        if not file or (self._rank(file)[0] and self._on_way > WINDOW):
            return False
        path, stamp = self._project / file, self._out.pending[file]
        if files.is_log(file):
            done = self._send_lines(file, path)
        else:
            with suppress(OSError, BadInput):  # deleted meanwhile, or grown: the next look sees it
                self._write_file(messages.Content(file, disk.read_file(path, files.SMALL)))
            done = True
        if done:
            del self._out.pending[file]
            self._out.sent[file] = stamp
            if file == f"runs/{files.run_of(file)}/run.toml":
                self._out.complete.add(files.run_of(file))
        return True

    def _write_file(self, message: messages.Content | messages.Lines) -> None:
        self._on_way += len(message.data)
        self._line.write(message)

    def _send_lines(self, file: str, path: Path) -> bool:
        """Sends the next complete lines of a log, or it anew when what was sent has changed; returns whether there were
        no more."""
        known, checksum = self._out.logs.get(file, (0, 0))
        at = known if files.checksum(path, known) == checksum else 0
        try:
            with disk.open_bytes(path) as log:
                log.seek(at)
                data = log.read(CHUNK)
                while data and b"\n" not in data and (more := log.read(CHUNK)):
                    data += more
        except (OSError, BadInput):  # deleted meanwhile: the next look sees it
            return True
        data = data[: data.rfind(b"\n") + 1]
        if data or at != known:
            self._write_file(messages.Lines(file, at, data))
        size = at + len(data)
        self._out.logs[file] = size, files.checksum(path, size) or 0
        return not data

    def _rank(self, file: str) -> tuple[bool, bool, int, bool, str]:
        """Returns the place of a file in the order of copying: a project's files, then each run's, `run.toml` last, so
        that a run is listed when its log is here; before them the changes of runs that are here already."""
        run = files.run_of(file)
        new = bool(run) and run not in self._out.complete
        return new, bool(run), self._order.get(run, len(self._order)), file.endswith("/run.toml"), file

    def _what_is_left(self) -> messages.Left:
        pending = self._out.pending
        runs = {files.run_of(file) for file in pending} - {""} - self._out.complete
        return messages.Left(
            len(runs), sum(stamp[2] - self._out.logs.get(file, (0, 0))[0] for file, stamp in pending.items())
        )

    # -- runs ------------------------------------------------------------------------------------------------------

    def _send_status(self, names: Collection[str]) -> None:
        """Sends what has changed in the status of these runs and in the trust in the project."""
        found = {name: _status_of(RunFolder(self._project / "runs" / name)) for name in names}
        changed = {name: status for name, status in found.items() if self._runs.get(name) != status}
        trusted = trust.is_trusted(self._project)
        if changed or trusted != self._trusted:
            self._runs = {name: status for name, status in (self._runs | changed).items() if name in self._order}
            self._trusted = trusted
            self._line.write(messages.Status(time.time(), trusted, changed))

    # -- requests --------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        """Reads requests until the line ends. Edits are made at once, so that a later command finds them."""
        try:
            while True:
                request = self._line.read_from_studio()
                if isinstance(request, messages.Save):
                    self._line.write(messages.Delivered(request.id, self._save(request)))
                elif isinstance(request, messages.Received):
                    self._on_way -= request.size
                    self._wake.set()
                elif not isinstance(request, messages.Known):
                    threading.Thread(target=self._answer, args=(request,), daemon=True).start()
        except BrokenLine:
            self._closed = True
        self._wake.set()

    def _answer(self, request: messages.Deliver | messages.Invoke | messages.ReadLoad) -> None:
        with suppress(BrokenLine):  # nobody waits any more
            self._line.write(self._answer_to(request))
            self._wake.set()

    def _answer_to(self, request: messages.Deliver | messages.Invoke | messages.ReadLoad) -> messages.Answer:
        match request:
            case messages.Deliver():
                folder = RunFolder(files.safe_path(self._project, f"runs/{request.run}"))
                return messages.Delivered(request.id, _deliver(folder, request))
            case messages.Invoke():
                done = cli_command.autoact(request.verb, *request.words, options=request.options)
                return messages.Invoked(request.id, asyncio.run(done))
            case messages.ReadLoad():
                self._meter = self._meter or MachineMeter(self._project)
                runs = RunList(self._project)
                runs.refresh()
                return messages.Loaded(request.id, self._meter.read(runs.runs))

    def _save(self, request: messages.Save) -> CommandResult:
        """Replaces a file, unless it has changed meanwhile."""
        try:
            path = files.safe_path(self._project, request.file)
            if not files.is_edited(request.file):
                raise BadInput("not a file that the studio edits", file=request.file)
            with disk.lock_folder(self._project):
                there = files.checksum(path) if path.exists() else None
                if path.is_file() and disk.read_file(path) == request.data:
                    return CommandResult(True, "")  # an earlier request did it, whose answer was lost
                if there != request.was:
                    if request.file in self._out.sent:
                        self._out.sent[request.file] = (0, 0, 0)  # so that it is sent
                    return CommandResult(False, f"{request.file} has changed there meanwhile")
                path.parent.mkdir(parents=True, exist_ok=True)
                disk.replace(path, request.data)
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


def _status_of(folder: RunFolder) -> messages.RunStatus:
    trusted = trust.is_trusted(folder.path)
    try:
        owner = lock.owner(folder)
        job, keeper = lock.is_held(folder), lock.is_held(folder, keeper=True)
    except (AutoActError, OSError):  # not files: the run counts as one without a job
        return messages.RunStatus(False, False, False, True, trusted)
    return messages.RunStatus(job, keeper, owner is not None, owner is None or owner.of_this_boot, trusted)
