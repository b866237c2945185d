"""A run as lines of text, one an event: for logs, pipes and screen readers."""

from __future__ import annotations

import time
from collections.abc import Iterator

from autoact.run.folder import RunFolder
from autoact.run.liveness import cause
from autoact.run.log import LogTail, Record
from autoact.run.state import RunState, fold
from autoact.run.watch import Watch
from autoact.run.words import words
from studio import foreign
from studio.progress import stage_of
from studio.shelf import ALIVE, judged

EVERY = 0.25
"""Seconds between looks at the log at most."""
WIDTH = 300
"""Letters of a line's text."""


def lines(folder: RunFolder) -> Iterator[str]:
    """A line for each event as it comes, until the run is over; the last one is the verdict."""
    state, tail, watch = RunState(), LogTail(folder.events), Watch(folder.events)
    try:
        while True:
            verdict = judged(folder, state)  # before reading: what a dead job wrote is then all there
            moved = False
            for record in tail.poll():
                fold(state, record)
                moved = True
                yield line(record)
            if verdict not in ALIVE and not moved:
                break
            if not moved:
                watch.wait(EVERY)
    finally:
        tail.close()
        watch.close()
    name, stage = foreign.line(folder.name), foreign.line(stage_of(state))
    why = f" ({foreign.line(said)})" if (said := cause(folder, state, verdict)) else ""
    yield f"{name} is {foreign.line(verdict)}{why}; last stage: {stage or 'none'}"


def line(record: Record) -> str:
    """Time, number, type and words of one event, safe to print."""
    at = time.strftime("%H:%M:%S", time.localtime(record.at))
    said = words(record.event) if record.event is not None else "(of a newer version)"
    return foreign.line(f"{at} {record.seq:6d}  {record.type:<20} {said}".rstrip(), WIDTH)
