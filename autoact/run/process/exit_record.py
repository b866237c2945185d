"""How a job ended, as its keeper saw it: exit.json."""

from __future__ import annotations

import signal
from pathlib import Path

import msgspec
from msgspec import Struct

from autoact.errors import BadInput
from autoact.files import disk
from autoact.run.record.folder import RunFolder
from autoact.trajectory import Count, Quantity

FINISHED, FAILED, BAD_INPUT, BUSY, CANCELLED = 0, 1, 2, 3, 130
"""Exit codes of a job. Bad input, or no room: it cannot be played as things are. Busy: another job has the run."""
LAST_WORDS = 300
"""Characters of the console's last line that are quoted."""


class Ending(Struct, frozen=True, omit_defaults=True):
    """The end of one job. The file is gone while the next one lives."""

    pid: Count
    cause: str
    """In words, for a person."""
    at: Quantity
    """Unix seconds."""
    seconds: Quantity
    """From its start."""
    code: Count = 0
    """Exit code; 0 when a signal ended it."""
    signal: Count = 0
    """Number of the signal that ended it; 0 when it ended by itself."""
    oom: bool = False
    """The kernel killed it because memory had run out."""
    rss_mb: Quantity = 0.0
    """The most memory it occupied, in MB."""
    cpu_s: Quantity = 0.0
    again_at: Quantity = 0.0
    """When it starts again, unix seconds; 0 when the keeper will not do that."""

    def write(self, folder: RunFolder) -> None:
        """Put it in place whole, and on the disk. What is no file there makes way."""
        disk.clear_path(folder.exit)
        disk.replace(folder.exit, msgspec.json.encode(self))


def read_ending(folder: RunFolder) -> Ending | None:
    """How the last job ended; None while one lives, when no keeper saw its end, and when that cannot be read."""
    return disk.try_read_struct(folder.exit, Ending)


def cause(code: int, *, oom: bool, rss_mb: float, last_words: str) -> str:
    """An exit code (minus a signal's number, when one ended the job) in words."""
    if oom:
        return f"killed by the kernel: out of memory at {rss_mb / 1000:.1f} GB"
    if code < 0:
        return f"killed by signal {-code} ({_name(-code)})"
    if code in (FINISHED, CANCELLED):
        return "finished" if code == FINISHED else "cancelled"
    if code == BAD_INPUT and last_words:
        return last_words
    return f"exit code {code}: {last_words}" if last_words else f"exit code {code}"


def last_words(console: Path, since: int) -> str:
    """The last line that was printed after byte `since`, cut to what fits a message."""
    try:
        file = disk.open_bytes(console)
    except (OSError, BadInput):
        return ""
    with file:
        size = file.seek(0, 2)
        file.seek(max(since, size - 4096))
        lines = file.read().decode(errors="replace").split("\n")
    shown = ("".join(letter if letter.isprintable() else " " for letter in line).strip() for line in reversed(lines))
    return next(filter(None, shown), "")[:LAST_WORDS]


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
