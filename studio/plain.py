"""A run as lines of text, one an event: for logs, pipes and screen readers."""

from __future__ import annotations

import time
from collections.abc import Iterator

from autoact.run.process.health import cause
from autoact.run.record.event_text import words
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogTail, Record
from autoact.run.record.state import RunState, fold
from autoact.run.record.watch import Watch
from studio.runs.progress import stage_of
from studio.runs.run_list import ALIVE, run_verdict
from studio.terminal import untrusted_text

EVERY = 0.25
"""Seconds between looks at the log at most."""
WIDTH = 300
"""Letters of a line's text."""


def lines(folder: RunFolder) -> Iterator[str]:
    """A line for each event as it comes, until the run is over; the last one is the verdict."""
    state, tail, watch = RunState(), LogTail(folder.events), Watch(folder.events)
    try:
        while True:
            verdict = run_verdict(folder, state)  # before reading: what a dead job wrote is then all there
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
    name, stage = untrusted_text.line(folder.name), untrusted_text.line(stage_of(state))
    why = f" ({untrusted_text.line(said)})" if (said := cause(folder, state, verdict)) else ""
    yield f"{name} is {untrusted_text.line(verdict)}{why}; last stage: {stage or 'none'}"


def line(record: Record) -> str:
    """Time, number, type and words of one event, safe to print."""
    at = time.strftime("%H:%M:%S", time.localtime(record.at))
    said = words(record.event) if record.event is not None else "(of a newer version)"
    return untrusted_text.line(f"{at} {record.seq:6d}  {record.type:<20} {said}".rstrip(), WIDTH)
