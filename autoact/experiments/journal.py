"""The journal of an experiment: which run plays which stages. How far a run is, its own log says.

One JSON line for each run, written before the run is started. A line cut off by a crash is ignored: its run was never
started.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from autoact.errors import BadInput
from autoact.files import disk

FILE = "journal.jsonl"


class BegunRun(Struct, frozen=True):
    """One line: a run, and the keys of the stages that it plays, see sharing.py."""

    run: str
    keys: tuple[str, ...]


def read_journal(folder: Path, runs: Path) -> dict[str, str]:
    """Returns the name of the run that plays each stage, by the stage's key; runs that were deleted are left out.

    `folder` is that of the experiment, `runs` that of the project's runs. Raises BadInput for a damaged line.
    """
    try:
        lines = disk.read_file(folder / FILE, most=LARGEST).split(b"\n")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", file=folder / FILE) from error
    begun = [_parse(folder, number, line) for number, line in enumerate(lines[:-1], 1) if line.strip()]
    here = [one for one in begun if (runs / one.run / "run.toml").is_file()]
    return {key: one.run for one in here for key in one.keys}


LARGEST = 16 << 20
"""The most bytes of a journal."""


def _parse(folder: Path, number: int, line: bytes) -> BegunRun:
    try:
        found = msgspec.json.decode(line, type=BegunRun)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"not a line of a journal: {error}", file=folder / FILE, line=number) from error
    if not found.run or Path(found.run).name != found.run:
        raise BadInput("expected the name of a run", file=folder / FILE, line=number)
    return found


def append_run(folder: Path, run: str, keys: Sequence[str]) -> None:
    """Adds a run, durably. The end of a line that a crash cut off is removed first."""
    path = folder / FILE
    descriptor = disk.open_file(path, os.O_RDWR | os.O_CREAT)
    with os.fdopen(descriptor, "r+b") as file:
        before = file.read()
        file.truncate(before.rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)
        file.write(msgspec.json.encode(BegunRun(run, tuple(keys))) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    disk.sync_folder(folder)
