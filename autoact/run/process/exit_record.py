"""The exit record, exit.json: the keeper's account of how a job ended."""

from __future__ import annotations

import signal
from pathlib import Path

import msgspec
from msgspec import Struct

from autoact.errors import BadInput
from autoact.files import disk, json_file
from autoact.run.record.folder import RunFolder
from autoact.trajectory import Count, Quantity

FINISHED, FAILED, BAD_INPUT, BUSY, CANCELLED = 0, 1, 2, 3, 130
"""Exit codes of a job. BAD_INPUT: bad input or a full disk; a retry would fail too. BUSY: another job has the run."""
LONGEST_QUOTE = 300
"""The most characters of the console's last line that are quoted."""


class Ending(Struct, frozen=True, omit_defaults=True):
    """The end of one job. The file is deleted when the next job starts."""

    pid: Count
    cause: str
    """The cause in words, for a person."""
    at: Quantity
    """Unix seconds."""
    seconds: Quantity
    """Seconds from its start to its end."""
    code: Count = 0
    """Exit code; 0 when a signal ended it."""
    signal: Count = 0
    """Number of the signal that ended it; 0 when it ended by itself."""
    oom: bool = False
    """True when the kernel killed it for lack of memory."""
    rss_mb: Quantity = 0.0
    """Peak resident memory, in MB."""
    cpu_s: Quantity = 0.0
    again_at: Quantity = 0.0
    """The time of the next restart, unix seconds; 0 when the keeper will not restart it."""

    def write(self, folder: RunFolder) -> None:
        """Replaces exit.json atomically and flushes it. Anything at its path that is not a file is removed."""
        disk.clear_path(folder.exit)
        disk.replace(folder.exit, msgspec.json.encode(self))


def read_ending(folder: RunFolder) -> Ending | None:
    """Returns the last job's end; None while a job lives, when no keeper recorded it, and when it cannot be read."""
    return json_file.try_read_struct(folder.exit, Ending)


def cause(code: int, *, oom: bool, rss_mb: float, last_line: str) -> str:
    """Returns the cause of an exit code in words. A job that a signal ended has minus the signal's number."""
    if oom:
        return f"killed by the kernel: out of memory at {rss_mb / 1000:.1f} GB"
    if code < 0:
        return f"killed by signal {-code} ({_name(-code)})"
    if code in (FINISHED, CANCELLED):
        return "finished" if code == FINISHED else "cancelled"
    if code == BAD_INPUT and last_line:
        return last_line
    return f"exit code {code}: {last_line}" if last_line else f"exit code {code}"


def last_output_line(console: Path, since: int) -> str:
    """Returns the last line printed after byte `since`, cut to LONGEST_QUOTE."""
    try:
        file = disk.open_bytes(console)
    except (OSError, BadInput):
        return ""
    with file:
        size = file.seek(0, 2)
        file.seek(max(since, size - 4096))
        lines = file.read().decode(errors="replace").split("\n")
    clean = ("".join(letter if letter.isprintable() else " " for letter in line).strip() for line in reversed(lines))
    return next(filter(None, clean), "")[:LONGEST_QUOTE]


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
