"""Reads the state of a run from the end of its log, and from the few lines before it whose effect lasts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from copy import deepcopy
from pathlib import Path

from autoact.errors import BadInput, LogDamaged
from autoact.events import StageFinished
from autoact.files import disk
from autoact.run.record.log import CHUNK, LONGEST_LINE, LogTail, Record, unseal
from autoact.run.record.state import RunState, fold

_LASTING = re.compile(rb'"type":"(?:run|stage|command)\.[^\n]*')
"""Finds the events of the run, of its stages and commands, from their type to the end of the line."""
_UNFINISHED = ("new", "running", "paused")


def read_end(path: Path, earlier: RunState | None = None) -> RunState:
    """Returns the state of a log, without trajectories and answers before its last part.

    Its status is right; stage and paused units are so unless the run has ended. `earlier`, which this function returned
    when the log was shorter, saves reading all of it.
    """
    with closing(LogTail(path, max(0, disk.file_size(path) - LONGEST_LINE - 1), numbered=False)) as tail:
        records = list(tail.poll())
    state = _fold_all(RunState(), records)
    if not records or records[0].seq == 0 or state.status not in _UNFINISHED:
        return state
    if earlier is None or earlier.status not in _UNFINISHED or earlier.seq < records[0].seq - 1:
        earlier = _fold_all(RunState(), _read_lasting(path))
    before = RunState(
        status=earlier.status, why=earlier.why, stage=earlier.stage, stages=deepcopy(earlier.stages),
        halted=set(earlier.halted),
    )  # fmt: skip
    return _fold_all(before, records)


def has_finished(path: Path, stage: str) -> bool:
    """Returns whether a stage has finished according to a log, of which only few lines are decoded."""
    return any(isinstance(one.event, StageFinished) and one.event.stage == stage for one in _read_lasting(path))


def _fold_all(state: RunState, records: Iterable[Record]) -> RunState:
    for record in records:
        fold(state, record)
    return state


def _read_lasting(path: Path) -> Iterator[Record]:
    """Yields the good records of the run, of its stages and commands; decodes no other line."""
    try:
        file = disk.open_bytes(path)
    except (OSError, BadInput):  # deleted meanwhile
        return
    rest = b""
    with file:
        while data := file.read(CHUNK):
            data = rest + data
            end = data.rfind(b"\n") + 1
            for found in _LASTING.finditer(data, 0, end):
                with suppress(LogDamaged):
                    yield unseal(data[data.rfind(b"\n", 0, found.start()) + 1 : found.end()])
            rest = data[end:][:LONGEST_LINE]  # a longer line is no event
