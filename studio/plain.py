"""A run as lines of text, one an event: for logs, pipes and screen readers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec

import autoact.events as happened
from autoact.events import Event
from autoact.run.folder import RunFolder
from autoact.run.log import LogTail, Record
from autoact.run.state import RunState, fold
from studio import foreign
from studio.glance import stage_of
from studio.shelf import ALIVE, judged

EVERY = 0.25
"""Seconds between looks at the log."""
WIDTH = 300
"""Letters of a line's text."""


def lines(folder: RunFolder) -> Iterator[str]:
    """A line for each event as it comes, until the run is over; the last one is the verdict."""
    state, tail = RunState(), LogTail(folder.events)
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
                time.sleep(EVERY)
    finally:
        tail.close()
    yield f"{foreign.line(folder.name)} is {verdict}; last stage: {foreign.line(stage_of(state)) or 'none'}"


def line(record: Record) -> str:
    """Time, number, type and words of one event, safe to print."""
    at = time.strftime("%H:%M:%S", time.localtime(record.at))
    said = words(record.event) if record.event is not None else "(of a newer version)"
    return foreign.line(f"{at} {record.seq:6d}  {record.type:<20} {said}".rstrip(), WIDTH)


def words(event: Event) -> str:
    """An event in words."""
    match event:
        case happened.RunOpened():
            return f"attempt {event.attempt}, {event.engine or 'no engine'}, process {event.pid} on {event.host}"
        case happened.StageProgressed():
            return f"{event.stage} {event.done}/{event.of}"
        case happened.StageFinished():
            return f"{event.stage}: {event.made} made in {event.seconds:.1f} s"
        case happened.ModelAnswered():
            return f"{event.unit} {event.role} {event.part}: {event.text}"
        case happened.ToolObserved():
            return f"{event.unit} {event.tool}[{event.argument}]: {event.text}"
        case happened.QuestionAccepted():
            return f"{event.question.text} -> {event.question.answer}"
        case happened.TrainStepped():
            return f"{event.role} {event.step + 1}/{event.of} loss {event.loss:.4f}"
        case happened.TrajectoryCommitted():
            done = event.trajectory
            return f"{done.unit} {done.halt}: {done.answer} (reward {done.reward:.2f})"
        case happened.TrajectoryJudged():
            return f"{event.verdict.unit} {'kept' if event.verdict.kept else 'refused: ' + event.verdict.why}"
        case happened.QuestionSolved():
            solved = event.trajectory
            return f"{event.cast} {solved.question.text} -> {solved.answer} (EM {event.em:.0f}, F1 {event.f1:.2f})"
    return _fields(event)


def _fields(event: Event) -> str:
    """Anything else: its fields as they are named."""
    fields: dict[str, Any] = msgspec.to_builtins(event)
    return " ".join(f"{key}={value}" for key, value in fields.items() if key != "type")
