"""The copy of another machine's project: a folder that the studio reads, and whose edited files go back."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from autoact.errors import AutoActError, BadInput
from autoact.files import disk, json_file
from autoact.run.process import lock
from autoact.run.process.heartbeat import Heartbeat
from autoact.run.process.lock import Owner, RunLock
from autoact.run.record.folder import RunFolder
from studio.remote import files
from studio.remote.files import Stamp
from studio.remote.messages import Content, Gone, LogPart, RunStatus, StatusUpdate

MOST_STUDIOS = 16
"""The most studios that show the same project of another machine at once; each has a copy of its own."""


class Edit(NamedTuple):
    """A file that was changed here."""

    file: str
    """Its path in the project."""
    was: int | None
    """The checksum of the content that came from the other machine; None without such a file."""
    data: bytes
    stamp: Stamp
    problem: str = ""
    """The reason why it cannot be sent; empty for one that can."""


class Copy:
    """The copy of one project. A job that lives there is shown by its locks, which are held here as long.

    One thread calls `put`, `append`, `remove` and `set_status`; others may ask for edits.
    """

    def __init__(self, cache: Path, name: str):
        """`cache` is the folder for this address, `name` that of the project. Raises AutoActError when too many
        studios use it."""
        self._folder = _take_folder(cache)
        self.root = self._folder.path / "project" / name
        """The folder of the project here."""
        self.root.mkdir(parents=True, exist_ok=True)
        self._record = self._folder.path / "copied.json"
        self._came: dict[str, int] = json_file.try_read_struct(self._record, dict[str, int]) or {}
        """The checksums of the files that may be edited, as they came."""
        self._stamps: dict[str, Stamp] = {}
        self._trusted: set[str] = set()
        """The runs that are trusted there; an empty name for the project."""
        self._locks: dict[tuple[str, bool], RunLock] = {}
        self._ahead = 0.0
        """Seconds by which the clock there is ahead of the one here."""

    def close(self) -> None:
        """Releases the locks."""
        for held in self._locks.values():
            held.release()
        self._folder.release()

    def present(self) -> dict[str, tuple[int, int]]:
        """Returns size and checksum of each file here, without those that were made here."""
        found = {}
        for file, (_, _, size) in files.list_files(self.root):
            if files.is_edited(file):
                checksum = self._came.get(file)
            else:
                checksum = files.checksum(self.root / file, size if files.is_log(file) else None)
            if checksum is not None:
                found[file] = (size, checksum)
        return found

    # -- what comes ------------------------------------------------------------------------------------------------

    def put(self, content: Content) -> None:
        """Replaces a file, unless it was edited here meanwhile: then the edit is sent first. Raises OSError."""
        file, path = content.file, files.safe_path(self.root, content.file)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        data = self._translate_heartbeat(content.data) if file.endswith("/pulse.json") else content.data
        with disk.lock_folder(path.parent):
            if files.is_edited(file) and self._was_edited(file, path):
                return
            if files.checksum(path) != zlib.crc32(data):  # else a pane would take it for a change by somebody else
                disk.replace(path, data, durable=False)
            self._note(file, path, zlib.crc32(content.data))

    def append(self, lines: LogPart) -> None:
        """Adds lines to a log. Raises BadInput when some before them are missing, OSError."""
        path = files.safe_path(self.root, lines.file)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = disk.open_file(path, os.O_RDWR | os.O_CREAT)
        with os.fdopen(descriptor, "r+b") as log:
            size = log.seek(0, os.SEEK_END)
            if lines.at > size:
                raise BadInput(f"bytes {size} to {lines.at} are missing", file=path)
            if lines.at < size:
                log.truncate(lines.at)
            log.seek(lines.at)
            log.write(lines.data)

    def remove(self, gone: Gone) -> None:
        """Removes a file that was deleted there; with its settings, the whole run. Raises OSError."""
        path = files.safe_path(self.root, gone.file)
        if files.is_edited(gone.file) and self._was_edited(gone.file, path):
            return
        path.unlink(missing_ok=True)
        self._forget(gone.file)
        if (run := files.run_of(gone.file)) and gone.file == f"runs/{run}/run.toml":
            self._remove_run(run)

    def set_status(self, status: StatusUpdate) -> None:
        """Takes over which runs have a job and are trusted."""
        self._ahead = status.now - time.time()
        self._set_trusted("", status.trusted)
        for name, run in status.runs.items():
            folder = RunFolder(files.safe_path(self.root, f"runs/{name}"))
            folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._set_lock(folder, run.keeper, keeper=True)
            self._set_lock(folder, run.job, keeper=False)
            if run.owned and not run.job:
                _sign(folder, run)
            self._set_trusted(name, run.trusted)

    def is_trusted(self, folder: Path) -> bool:
        """Returns whether the project or a run of it, by its folder here, is trusted there."""
        return ("" if folder == self.root else folder.name) in self._trusted

    def _set_trusted(self, name: str, trusted: bool) -> None:
        self._trusted = self._trusted | {name} if trusted else self._trusted - {name}

    def _set_lock(self, folder: RunFolder, held: bool, *, keeper: bool) -> None:
        key = folder.name, keeper
        if held and key not in self._locks:
            self._locks[key] = RunLock.take(folder, keeper=keeper)
        elif not held and key in self._locks:
            self._locks.pop(key).release()

    def _translate_heartbeat(self, data: bytes) -> bytes:
        """Returns a heartbeat as if it came from this process, which holds the locks here, by the clock here."""
        try:
            beat = msgspec.json.decode(data, type=Heartbeat)
        except msgspec.MsgspecError:  # damaged there: shown as such here
            return data
        ticked = max(0.0, beat.ticked_at - self._ahead) if beat.ticked_at else 0.0
        at = max(0.0, beat.at - self._ahead)
        return msgspec.json.encode(msgspec.structs.replace(beat, pid=os.getpid(), at=at, ticked_at=ticked))

    def _remove_run(self, name: str) -> None:
        for keeper in (False, True):
            if held := self._locks.pop((name, keeper), None):
                held.release()
        shutil.rmtree(self.root / "runs" / name, ignore_errors=True)

    # -- what goes back --------------------------------------------------------------------------------------------

    def edits(self) -> Iterator[Edit]:
        """Returns the files that were changed or made here. Raises OSError.

        One that is missing here is not deleted there: a cleaner of caches may have removed it.
        """
        for file, stamp in files.list_edited(self.root):
            if self._stamps.get(file) == stamp:
                continue
            was = self._came.get(file)  # before the content: what comes from there meanwhile must not pass for it
            try:
                data = disk.read_file(self.root / file, files.SMALL)
            except BadInput as error:  # too large to be sent
                yield Edit(file, was, b"", stamp, str(error))
                continue
            if zlib.crc32(data) == was:
                self._stamps[file] = stamp
            else:
                yield Edit(file, was, data, stamp)

    def note_sent(self, edit: Edit) -> None:
        """Notes that the other machine has an edit."""
        self._came[edit.file] = zlib.crc32(edit.data)
        self._stamps[edit.file] = edit.stamp
        self._save_record()

    def keep_apart(self, edit: Edit) -> Path:
        """Keeps an edit that was not made there in a file of its own, which it returns. Raises OSError.

        The content from there then takes its place here.
        """
        kept = self._folder.path / "kept" / f"{time.time_ns()}-{edit.file.replace('/', '-')}"
        kept.parent.mkdir(exist_ok=True)
        disk.replace(kept, edit.data)
        self.give_up(edit)
        return kept

    def give_up(self, edit: Edit) -> None:
        """Notes that an edit is not to be sent."""
        self._stamps[edit.file] = edit.stamp

    def _was_edited(self, file: str, path: Path) -> bool:
        """Returns whether a file was changed or made here since it came."""
        stamp = files.read_stamp(path)
        if stamp is None or stamp == self._stamps.get(file):
            return False
        return files.checksum(path) != self._came.get(file)

    def _note(self, file: str, path: Path, checksum: int) -> None:
        if files.is_edited(file) and (stamp := files.read_stamp(path)):
            self._stamps[file] = stamp
            self._came[file] = checksum
            self._save_record()

    def _forget(self, file: str) -> None:
        self._stamps.pop(file, None)
        if self._came.pop(file, None) is not None:
            self._save_record()

    def _save_record(self) -> None:
        disk.replace(self._record, msgspec.json.encode(self._came), durable=False)


class _Folder:
    """A folder of the cache that belongs to this process until it ends."""

    def __init__(self, path: Path, descriptor: int):
        self.path, self._descriptor = path, descriptor

    def release(self) -> None:
        os.close(self._descriptor)


def _take_folder(cache: Path) -> _Folder:
    """Returns the first folder for this address that no other studio uses. Raises AutoActError."""
    for number in range(1, MOST_STUDIOS + 1):
        path = cache / str(number)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
        else:
            return _Folder(path, descriptor)
    raise AutoActError(f"{MOST_STUDIOS} studios show this project already")


def _sign(folder: RunFolder, run: RunStatus) -> None:
    """Names an owner of the run's lock, who has let go of it: before the restart of the machine, or since."""
    try:
        owner = lock.owner(folder)
    except BadInput:
        owner = None
    signed = Owner.of_this_process()
    if run.host:  # its heartbeats come as if from this process
        signed = msgspec.structs.replace(signed, host=run.host, boot="elsewhere")
    elif not run.same_boot:
        signed = msgspec.structs.replace(signed, boot="")
    if owner is None or (owner.host, owner.boot, owner.pid) != (signed.host, signed.boot, signed.pid):
        disk.replace(folder.lock, msgspec.json.encode(signed) + b"\n", durable=False)
