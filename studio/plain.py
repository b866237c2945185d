"""Prints a run as lines of text, one per event, for logs, pipes and screen readers."""

from __future__ import annotations

import time
from collections.abc import Iterator

from autoact.run.process.health import cause
from autoact.run.record.event_text import describe_event
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogTail, Record
from autoact.run.record.state import RunState, fold
from autoact.run.record.watch import Watch
from studio.runs.progress import stage_of
from studio.runs.run_list import ALIVE, run_verdict
from studio.terminal import untrusted_text

WAIT_S = 0.25
"""Most seconds between two readings of the log."""
WIDTH = 300
"""Most characters of a line."""


def lines(folder: RunFolder) -> Iterator[str]:
    """Yields a line for each event as it is logged, until the run has ended; the last line is the verdict."""
    state, tail, watch = RunState(), LogTail(folder.events), Watch(folder.events)
    try:
        while True:
            verdict = run_verdict(folder, state)  # before reading, so that all that a dead job wrote is read
            changed = False
            for record in tail.poll():
                fold(state, record)
                changed = True
                yield line(record)
            if verdict not in ALIVE and not changed:
                break
            if not changed:
                watch.wait(WAIT_S)
    finally:
        tail.close()
        watch.close()
    name, stage = untrusted_text.line(folder.name), untrusted_text.line(stage_of(state))
    reason = f" ({untrusted_text.line(text)})" if (text := cause(folder, state, verdict)) else ""
    yield f"{name} is {untrusted_text.line(verdict)}{reason}; last stage: {stage or 'none'}"


def line(record: Record) -> str:
    """Returns time, number, type and text of one event, safe to print."""
    at = time.strftime("%H:%M:%S", time.localtime(record.at))
    text = describe_event(record.event) if record.event is not None else "(of a newer version)"
    return untrusted_text.line(f"{at} {record.seq:6d}  {record.type:<20} {text}".rstrip(), WIDTH)
