"""The files of a project and the states of its runs on their way to the studio: what was sent and what has changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from autoact.errors import AutoActError, BadInput
from autoact.files import disk
from autoact.run.process import lock
from autoact.run.record.folder import RunFolder, list_runs
from autoact.security import trust
from studio.remote import files, messages
from studio.remote.files import Stamp

CHUNK = 32_000
"""About the most bytes of a log in one message, so that an answer need not wait long behind it."""
LARGE = 256_000
"""Bytes from which on a run that is new is copied in portions, as those that were there before."""


class Outgoing:
    """The files and states to be sent. Runs that are there when the studio connects are copied one after the other, in
    portions; what happens since then is sent at once."""

    def __init__(self, project: Path, write: Callable[[messages.FromMachine], None]):
        self._project, self._write = project, write
        self._sent: dict[str, Stamp] = {}
        self._logs: dict[str, tuple[int, int]] = {}
        """The bytes of each log that the studio has, and the checksum of their end."""
        self._waiting: dict[str, dict[str, Stamp]] = {}
        """Files to send, by run; those of the project under an empty name."""
        self._earlier: dict[str, None] = {}
        """The runs that are still to be copied, in this order; an empty name for the project's files."""
        self._runs: dict[str, messages.RunStatus] = {}
        """The state of each run as the studio has it."""
        self._trusted: bool | None = None
        self._reported = -1
        self.size = 0
        """Bytes of all files and lines that were sent."""

    def begin(self, present: dict[str, tuple[int, int]], first: str) -> None:
        """Takes over which files the studio has, and looks which runs there are; `first` is copied first."""
        for file, (size, checksum) in present.items():
            path = files.source(self._project, file)
            if files.is_log(file):
                self._logs[file] = size, checksum
            elif files.checksum(path) == checksum and (stamp := files.read_stamp(path)):
                self._sent[file] = stamp
            else:
                self._sent[file] = (0, 0, 0)
        states = self._read_states()
        names = sorted(states, key=lambda name: (name != first, not states[name].job))
        self._earlier = dict.fromkeys(["", *names])

    # -- looking ---------------------------------------------------------------------------------------------------

    def scan(self) -> None:
        """Looks at all files and runs, and sends what has changed or is gone."""
        states = self._read_states()
        try:
            found = self._look(files.list_files(self._project))
        except OSError:  # a folder that cannot be read now: nothing counts as gone
            return
        for file in (self._sent.keys() | self._logs.keys()) - found:
            self._write(messages.Gone(file))
            self._sent.pop(file, None)
            self._logs.pop(file, None)
            self._waiting.get(files.run_of(file), {}).pop(file, None)
        for name in states.keys() - self._runs.keys() - self._earlier.keys():
            if sum(stamp[2] for stamp in self._waiting.get(name, {}).values()) > LARGE:  # such as an imported one
                self._earlier[name] = None
        self._runs = {name: state for name, state in self._runs.items() if name in states}
        self.send_current()
        self._send_states(states)

    def look_at_active(self, commanded: str = "") -> None:
        """Looks at the runs that have a job, and at the one that was commanded, and sends what has changed."""
        active = [name for name, run in self._runs.items() if run.job or run.keeper or name == commanded]
        states = {name: _read_status(RunFolder(self._project / "runs" / name)) for name in active}
        for name in active:
            with suppress(OSError):  # the next look sees it
                self._look(files.list_run(self._project, name))
        self.send_current()
        self._send_states(states)

    def _read_states(self) -> dict[str, messages.RunStatus]:
        return {run.name: _read_status(run) for run in list_runs(self._project) if not files.is_hidden(run.name)}

    def send_again(self, file: str) -> None:
        """Sends a file that the studio has tried to change, unless it is now as there."""
        self._sent[file] = (0, 0, 0)

    def _look(self, listed: Iterable[tuple[str, Stamp]]) -> set[str]:
        """Notes the files that have changed; returns all of them."""
        found = set()
        for file, stamp in listed:
            found.add(file)
            if self._sent.get(file) != stamp:
                self._waiting.setdefault(files.run_of(file), {})[file] = stamp
        return found

    # -- sending ---------------------------------------------------------------------------------------------------

    def send_current(self) -> None:
        """Sends all that has changed, but for the runs that are still to be copied."""
        for run in [run for run in self._waiting if run not in self._earlier]:
            while self._waiting.get(run):
                self._send_part(run)

    def send_next(self) -> bool:
        """Sends a part of what is still to be copied; returns whether there was any."""
        while self._earlier:
            run = next(iter(self._earlier))
            if self._waiting.get(run):
                self._send_part(run)
                return True
            del self._earlier[run]
        return False

    def _send_part(self, run: str) -> None:
        """Sends a file of a run or of the project, or the next lines of a log.

        `run.toml` is the last one, so that the run is listed when its log is there.
        """
        waiting = self._waiting[run]
        file = min(waiting, key=lambda file: (file.endswith("/run.toml"), file))
        if files.is_log(file):
            done = self._send_lines(file)
        else:
            self._send_file(file)
            done = True
        if done:
            self._sent[file] = waiting.pop(file)
        if not waiting:
            del self._waiting[run]

    def _write_part(self, message: messages.Content | messages.LogPart) -> None:
        self.size += len(message.data)
        self._write(message)

    def _send_file(self, file: str) -> None:
        try:
            data = disk.read_file(files.source(self._project, file), files.SMALL)
        except (OSError, BadInput):  # deleted meanwhile, or grown: the next look sees it
            return
        self._write_part(messages.Content(file, data))

    def _send_lines(self, file: str) -> bool:
        """Sends the next complete lines of a log, or it anew when what was sent has changed; returns whether there were
        no more. Of a line that is longer than a small file a part is sent."""
        path = self._project / file
        there, checksum = self._logs.get(file, (0, 0))
        at = there if files.checksum(path, there) == checksum else 0
        try:
            with disk.open_bytes(path) as log:
                log.seek(at)
                data = log.read(CHUNK)
                while data and b"\n" not in data and len(data) < files.SMALL and (more := log.read(CHUNK)):
                    data += more
        except (OSError, BadInput):  # deleted meanwhile: the next look sees it
            return True
        if b"\n" in data or len(data) < files.SMALL:
            data = data[: data.rfind(b"\n") + 1]
        if data or at != there:
            self._write_part(messages.LogPart(file, at, data))
        size = at + len(data)
        self._logs[file] = size, files.checksum(path, size) or 0
        return not data

    def send_remaining(self) -> None:
        """Sends how much is still to be copied, if that has changed."""
        waiting = [(file, stamp) for run in self._earlier for file, stamp in self._waiting.get(run, {}).items()]
        size = sum(stamp[2] - self._logs.get(file, (0, 0))[0] for file, stamp in waiting)
        if size != self._reported:
            self._reported = size
            runs = sum(1 for run in self._earlier if run and self._waiting.get(run))
            self._write(messages.Remaining(len(waiting), runs, size))

    def _send_states(self, states: dict[str, messages.RunStatus]) -> None:
        """Sends the states of runs that have changed, after the files of these runs: the end of a log comes first."""
        changed = {name: state for name, state in states.items() if self._runs.get(name) != state}
        trusted = trust.is_trusted(self._project)
        if changed or trusted != self._trusted:
            self._runs |= changed
            self._trusted = trusted
            self._write(messages.StatusUpdate(time.time(), trusted, changed))


def _read_status(folder: RunFolder) -> messages.RunStatus:
    trusted = trust.is_trusted(folder.path)
    try:
        owner = lock.owner(folder)
        job, keeper = lock.is_held(folder), lock.is_held(folder, keeper=True)
    except (AutoActError, OSError):  # not files: the run counts as one without a job
        return messages.RunStatus(False, False, False, True, "", trusted)
    host = "" if owner is None or owner.is_local else owner.host
    return messages.RunStatus(job, keeper, owner is not None, owner is None or owner.of_this_boot, host, trusted)
