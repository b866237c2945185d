"""A disk that fails to flush: the job stops at once, never tries again, and the next one goes on clean."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Generator
from itertools import islice
from typing import Any

import pytest
from worlds import scripted_world

from autoact.events import Event, ModelAnswered, StageProgressed
from autoact.model.scripted import ScriptedEngine
from autoact.run.conductor.conductor import Conductor
from autoact.run.control.gate import Gate
from autoact.run.record.folder import RunFolder
from autoact.run.record.journal import Journal
from autoact.run.record.log import LogWriter, read, scan
from autoact.script import Answer, Ask, Prompt, Round, StageScript, Unit

Rounds = Callable[[int, int], int]
Tell = Callable[[str, int, dict[str, float | str]], None]


class BadDisk:
    """Flushes, save for the n-th time; and counts how often it was asked after that."""

    def __init__(self, n: int):
        self.left, self.after = n, 0

    def __call__(self, descriptor: int) -> None:
        self.left -= 1
        if self.left == 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.after += self.left < 0


def test_the_nth_flush_fails(folder: RunFolder, events: list[Event], rounds: Rounds, tell: Tell) -> None:
    tried = rounds(10, 100)
    for n in range(1, tried + 1):
        disk, asked = BadDisk(n), iter(events * 9)
        log = LogWriter(folder, sync_every=0.0, flush=disk)
        for event in islice(asked, n - 1):
            log.append(event)
        with pytest.raises(OSError, match="Input/output error"):
            log.append(next(asked))
        for event in events[:3]:
            with pytest.raises(OSError, match="the disk failed"):
                log.append(event)
        log.close()
        assert disk.after == 0
        with LogWriter(folder) as log:
            assert log.recovery_event() is None
            assert log.seq == n  # the line that could not be promised may be there; here it is
            log.append(events[0])
        assert scan(folder.events).damaged == []
        folder.events.unlink()
    tell("F12 the n-th flush of a log fails", tried, {})


def asking(count: int) -> Generator[Ask, Answer, int]:
    for number in range(count):
        yield Ask("meta", "text", Prompt("", f"question {number}"))
    return count


def stage(results: list[Any]) -> StageScript:
    units = [Unit("a", lambda: asking(5)), Unit("b", lambda: asking(5))]
    results.extend((yield Round(units, commits=lambda made, seconds, tokens: StageProgressed("x", made, 5))))


def play(folder: RunFolder, disk: Callable[[int], None]) -> tuple[ScriptedEngine, list[Any]]:
    """A stage on such a disk; the engine that was asked, and the results."""
    engine, results = ScriptedEngine(lambda ask: ask.prompt.user.upper(), 2), []  # type: ignore[var-annotated]
    journal = Journal(folder)
    journal.writer.close()
    journal.writer = LogWriter(folder, sync_every=0.0, flush=disk)
    world = scripted_world(engine)
    try:
        Conductor(world, journal, Gate(), seed=7).play("stage", stage(results))
    finally:
        journal.close()
    return engine, results


def test_a_run_stops_at_once_and_is_resumed(folder: RunFolder, rounds: Rounds, tell: Tell) -> None:
    tried = rounds(5, 12)
    for n in range(1, tried + 1):
        with pytest.raises(OSError, match="Input/output error"):
            play(folder, BadDisk(n))
        told = [record.event for record in read(folder.events)]
        assert len(told) <= n + 1
        engine, results = play(folder, lambda descriptor: None)
        assert results == [5, 5]
        answered = {(event.unit, event.n) for event in told if isinstance(event, ModelAnswered)}
        assert not answered & {(ticket.unit, ticket.n) for ticket, _ in engine.asked}
        assert scan(folder.events).damaged == []
        folder.events.unlink()
    tell("F12 the n-th flush of a run fails", tried, {})
