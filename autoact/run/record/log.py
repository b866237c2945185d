"""The sealed event log: one JSON object a line, appended by one job, read by anyone.

    {"v":1,"seq":42,"t":1764000000.123456,"type":"stage.started","stage":"synthesis","crc":"9f3a01bc"}

`crc` is zlib.crc32 of every byte before `,"crc":`. It has a fixed width, so a line is checked by slicing it, and a
line is JSON that grep and jq can read. `seq` rises by one with every event of a run, also across crashes.

There are two kinds of bad bytes. Those after the last good line are *torn*: a crash cut a write short, and the next
writer moves them to another file. Bad lines before it are *damage*: they are reported, kept and skipped.
"""

from __future__ import annotations

import errno
import os
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from autoact.errors import BadInput, DiskFull, LogDamaged
from autoact.events import Event, RunRecovered
from autoact.files import disk
from autoact.run.record.event_json import KNOWN, convert, decode, encode
from autoact.run.record.folder import RunFolder
from autoact.run.record.log_versions import STEPS, VERSION, Fields, Step, upcast

LONGEST_LINE = 256_000
"""Bytes, newline included."""
CHUNK = 1 << 20
FIRST_MOMENT, LAST_MOMENT = -62_000_000_000.0, 253_000_000_000.0
"""Unix seconds of days in the years 5 and 9987: times beyond them are not a date in every time zone."""
SEAL_WIDTH = len(',"crc":"00000000"}')

Damage = tuple[int, str]
"""Byte offset of a bad line, and the problem."""


class Record(Struct, frozen=True):
    """One line of the log."""

    seq: int
    at: float
    """Unix seconds. Clocks may be set back: sort by `seq`."""
    event: Event | None
    """The event; None when this version does not know the type, or cannot read it."""
    type: str
    v: int = VERSION
    unread: str = ""
    """The reason why an event of a known type cannot be read; empty otherwise."""


class _Header(Struct, frozen=True, gc=False):
    seq: Annotated[int, Meta(ge=0, le=2**53)]
    t: Annotated[float, Meta(ge=FIRST_MOMENT, le=LAST_MOMENT)]
    type: str
    v: Annotated[int, Meta(ge=1, le=2**31)] = VERSION


_encode = msgspec.json.Encoder().encode
_decode_header = msgspec.json.Decoder(_Header).decode
_flush = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


# -- a line ----------------------------------------------------------------------------------------------------------


def seal(fields: Fields) -> bytes:
    """Returns fields (`seq`, `t` and `type` among them) as a sealed line, newline included."""
    return _add_seal(_encode({"v": VERSION, **fields})[:-1])


def seal_event(seq: int, at: float, event: Event) -> bytes:
    """Returns an event as a sealed line. Raises UnicodeEncodeError, a ValueError, for text with lone surrogates."""
    return _add_seal(b'{"v":%d,"seq":%d,"t":%.6f,%b' % (VERSION, seq, at, encode(event)[1:-1]))


def unseal(line: bytes, steps: Sequence[Step] = STEPS) -> Record:
    """Returns the record in a complete line, with or without its newline. Raises LogDamaged.

    `steps` convert lines of older versions to the newest one; `v` stays the version that was written.
    """
    line = line.removesuffix(b"\n")
    # Compared as bytes: if the digits were read as a number, a changed letter case would not be noticed.
    if line[-SEAL_WIDTH:] != _tail(line[:-SEAL_WIDTH]):
        raise LogDamaged("the seal does not match" if line[-SEAL_WIDTH:][:8] == b',"crc":"' else "no seal")
    try:
        return _record(line, steps)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LogDamaged(f"sealed, but not an event: {error}") from error


def _record(line: bytes, steps: Sequence[Step]) -> Record:
    header = _decode_header(line)
    kind, event, unread = header.type, None, ""
    try:
        if header.v <= len(steps):
            older = upcast(msgspec.json.decode(line), steps)
            kind, event = older["type"], convert(older)
        elif kind in KNOWN:
            event = decode(line)
    except msgspec.ValidationError as error:
        if header.v <= max(VERSION, len(steps)):  # a newer version may write values that this one does not know
            unread = f"{kind} cannot be read: {error}"
    return Record(header.seq, header.t, event, kind, header.v, unread)


def _tail(body: bytes) -> bytes:
    return b',"crc":"%08x"}' % zlib.crc32(body)


def _add_seal(body: bytes) -> bytes:
    return b"%b%b\n" % (body, _tail(body))


# -- reading ---------------------------------------------------------------------------------------------------------


class LogTail:
    """Follows a log from a byte offset, also before the file exists. Never yields part of a line or raises for one.

    `offset` is always the end of a good line. Bytes after it are read again at the next poll: until a good line
    follows them, a recovering writer may still replace them with good lines.
    """

    def __init__(self, path: Path, offset: int = 0, *, numbered: bool = True):
        """`numbered` reports missing and repeated sequence numbers; the live file has both."""
        self.path = path
        self.offset = offset
        self.damaged: list[Damage] = []
        """Lines that cannot be read, and a log that cannot be opened."""
        self._numbered = numbered
        self._next = 0 if offset == 0 and numbered else None
        self._descriptor = -1

    @property
    def next_seq(self) -> int:
        """The number after that of the last good line; 0 before the first."""
        return self._next or 0

    def poll(self) -> Iterator[Record]:
        """Yields all records that were written since the last poll, in order."""
        limit = CHUNK
        while data := self._read(limit):
            before = self.offset
            yield from self._parse(data)
            if len(data) < limit:
                return
            limit = CHUNK if self.offset > before else limit * 2  # no good line found: read more at once

    def torn(self) -> int:
        """Returns the number of bytes after the last good line: a line being written, or one that a crash cut short."""
        return max(0, os.fstat(self._descriptor).st_size - self.offset) if self._open() else 0

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> bool:
        """Returns True when there is a log to read. One that is not a file, or cannot be opened, is damage."""
        if self._descriptor < 0:
            try:
                self._descriptor = disk.open_file(self.path)
            except FileNotFoundError:
                return False
            except (OSError, BadInput) as error:
                kind = disk.non_file_kind(self.path)
                why = f"expected a file, found {kind}" if kind else str(error)
                if (0, why) not in self.damaged:
                    self.damaged.append((0, why))
                return False
        return True

    def _read(self, limit: int) -> bytes:
        if not self._open():
            return b""
        found = os.fstat(self._descriptor)
        if found.st_nlink == 0 and not self._numbered:  # the live file was deleted: the next poll opens a new one
            self.close()
            self.offset = 0
            return b""
        if found.st_size < self.offset:  # the file was emptied, as the live file is
            self.offset, self._next = 0, None
        return os.pread(self._descriptor, limit, self.offset)

    def _parse(self, data: bytes) -> Iterator[Record]:
        """Yields the records of the complete lines in `data`. Bad lines become damage once a good line follows."""
        end = self.offset
        bad: list[Damage] = []
        for line in data.split(b"\n")[:-1]:
            start, end = end, end + len(line) + 1
            try:
                record = self._check(line)
            except LogDamaged as error:
                bad.append((start, str(error)))
                continue
            if self._next is not None and record.seq > self._next and not bad:
                bad.append((start, f"events {self._next} to {record.seq - 1} are missing"))
            self.damaged += bad
            bad = []
            self.offset = end
            self._next = record.seq + 1 if self._numbered else None
            if record.unread:
                self.damaged.append((start, record.unread))
            yield record

    def _check(self, line: bytes) -> Record:
        record = unseal(line)
        if self._next is not None and record.seq < self._next:
            raise LogDamaged(f"event {record.seq} comes again")
        return record


def read(path: Path) -> Iterator[Record]:
    """Yields every good record of a log, in order; none when there is no such file."""
    tail = LogTail(path)
    try:
        yield from tail.poll()
    finally:
        tail.close()


class Scan(Struct, frozen=True):
    """The parts of a log: `size` bytes up to the end of the last good line, then `torn` bytes."""

    next_seq: int
    size: int
    torn: int
    damaged: list[Damage]
    version: int
    """The highest version in the file."""


def scan(path: Path) -> Scan:
    """Reads a whole log and counts its bytes; a log that does not exist is empty."""
    tail = LogTail(path)
    try:
        version = max((record.v for record in tail.poll()), default=VERSION)
        return Scan(tail.next_seq, tail.offset, tail.torn(), tail.damaged, version)
    finally:
        tail.close()


# -- writing ---------------------------------------------------------------------------------------------------------


class LogWriter:
    """The only writer of a run's log, for one thread of the process that holds the run's lock."""

    def __init__(
        self,
        folder: RunFolder,
        sync_every: float = 1.0,
        *,
        flush: Callable[[int], None] = _flush,
        clock: Callable[[], float] = time.time,
    ):
        """Opens the log and moves torn bytes to events.torn.SEQ. The caller then appends `recovery_event()`, if any.

        `flush` writes an open file's bytes to the disk; `clock` gives the unix seconds of a line. Raises BadInput when
        a newer version wrote the log, and DiskFull, with the log unchanged, when the torn bytes do not fit.
        """
        self.path = folder.events
        self._flush, self._clock = flush, clock
        found = scan(self.path)
        if found.version > VERSION:
            raise BadInput(
                f"written by a newer AutoAct (log version {found.version}, known is {VERSION}): "
                "this run can be watched, but not continued",
                file=self.path,
            )
        self.seq, self.torn, self.damaged = found.next_seq, found.torn, found.damaged
        self._sync_every, self._synced_at, self._unsynced = sync_every, time.monotonic(), False
        self._descriptor = disk.open_file(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        disk.sync_folder(self.path.parent)
        if found.torn:
            self._move_aside(found)

    def append(self, event: Event) -> int:
        """Writes one event and returns its sequence number. A `promised` event is on the disk when this returns.

        Raises DiskFull, with the file unchanged; ValueError for an event whose line is too long or could not be read
        again; and OSError when the disk fails. The log then stays closed: after a failed sync, a second one may
        report success although the data is lost.
        """
        line = seal_event(self.seq, self._clock(), event)
        if len(line) > LONGEST_LINE:
            raise ValueError(f"an event of {len(line):,} bytes; the log takes {LONGEST_LINE:,}")
        if unread := unseal(line).unread:
            raise ValueError(f"no event for the log: {unread}")
        self._write(line)
        self._unsynced = True
        if event.promised:
            self._sync()
        else:
            self.sync()
        return self.seq - 1

    def sync(self) -> None:
        """Flushes if the last flush is `sync_every` seconds old. Call it regularly, also while no event is written."""
        if self._unsynced and time.monotonic() - self._synced_at >= self._sync_every:
            self._sync()

    def recovery_event(self) -> RunRecovered | None:
        """Returns the event that reports the problems found while opening; None when there were none."""
        if not self.torn and not self.damaged:
            return None
        shown = [f"byte {offset}: {reason}" for offset, reason in self.damaged[:20]]
        more = [f"and {len(self.damaged) - 20} more"] if len(self.damaged) > 20 else []
        return RunRecovered(torn=self.torn, damaged=shown + more)

    def close(self) -> None:
        if self._descriptor >= 0:
            self._sync()
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> LogWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _write(self, line: bytes) -> None:
        if self._descriptor < 0:
            raise OSError(errno.EIO, "closed when the disk failed, or by its owner", str(self.path))
        size = os.fstat(self._descriptor).st_size
        # Counted before writing: a signal handler may raise in between. A missing number is then harmless, but
        # readers would drop the second event with the same number.
        self.seq += 1
        try:
            if os.write(self._descriptor, line) < len(line):
                raise OSError(errno.ENOSPC, "only part of a line fitted")
        except OSError as error:
            self.seq -= 1
            self._cut_back(size)
            raise _translate(error, self.path) from error

    def _sync(self) -> None:
        try:
            self._flush(self._descriptor)
        except OSError:
            self._give_up()
            raise
        self._synced_at, self._unsynced = time.monotonic(), False

    def _cut_back(self, size: int) -> None:
        try:
            os.ftruncate(self._descriptor, size)
        except OSError:
            self._give_up()
            raise

    def _give_up(self) -> None:
        """Closes without a flush, as the disk has failed. The next job finds out how much of the log was written."""
        os.close(self._descriptor)
        self._descriptor = -1

    def _move_aside(self, found: Scan) -> None:
        """Appends the torn bytes to events.torn.SEQ; two crashes in a row may tear at the same sequence number."""
        aside = self.path.with_name(f"events.torn.{found.next_seq}")
        try:
            with os.fdopen(disk.open_file(aside, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "wb") as file:
                file.write(os.pread(self._descriptor, found.torn, found.size))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self._give_up()
            raise _translate(error, aside) from error
        disk.sync_folder(self.path.parent)
        os.ftruncate(self._descriptor, found.size)
        os.fsync(self._descriptor)


def _translate(error: OSError, path: Path) -> Exception:
    """Returns DiskFull with the path for an error of a full disk, and any other error unchanged."""
    return DiskFull(f"{path}: {error.strerror}") if error.errno in disk.FULL_DISK_ERRORS else error
