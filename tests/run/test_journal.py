"""The journal: a full disk pauses the run, and nothing is lost or told twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from autoact.errors import DiskFull
from autoact.events import Event, QuestionRefused, RunCancelled, RunPaused, RunRecovered, RunResumed, StageStarted
from autoact.run.record.folder import RunFolder
from autoact.run.record.journal import RETRY, Journal
from autoact.run.record.log import LogWriter, read
from autoact.run.record.state import RunState


class Brim(LogWriter):
    """A log on a disk with room for so many lines more; -1 is plenty."""

    room = -1

    def append(self, event: Event) -> int:
        if self.room == 0:
            raise DiskFull("no room")
        self.room -= 1
        return super().append(event)


class Stopped(Exception):
    """What a person's cancelling raises."""


def brimming(folder: RunFolder, wait: Callable[[float], None] = lambda seconds: None) -> tuple[Journal, Brim]:
    journal = Journal(folder, wait=wait)
    journal.writer.close()
    journal.writer = log = Brim(folder)
    return journal, log


def told(folder: RunFolder) -> list[Event | None]:
    return [record.event for record in read(folder.events)]


def test_a_full_disk_pauses_the_run_until_there_is_room(folder: RunFolder) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        assert journal.state.status == "paused"
        assert RunState.of(folder.events).why == "disk full"
        assert not folder.reserve.exists()
        log.room = -1 if len(waits) == 3 else 0

    journal, log = brimming(folder, wait)
    assert folder.reserve.exists()
    drop = journal.reserve.delete

    def drop_and_find_room() -> None:
        drop()
        log.room = max(log.room, int(not waits))

    journal.reserve.delete = drop_and_find_room  # type: ignore[method-assign]
    log.room = 1
    journal.append(StageStarted("synthesis", 7))
    seq = journal.append(QuestionRefused("s-1", "Who?", "too short"))
    assert waits == [RETRY] * 3
    assert seq == 3
    assert folder.reserve.exists()
    journal.close()
    assert told(folder) == [
        StageStarted("synthesis", 7), RunPaused("disk full"), RunResumed(), QuestionRefused("s-1", "Who?", "too short"),
    ]  # fmt: skip
    assert RunState.of(folder.events).status == "running"
    assert not folder.reserve.exists()


def test_a_disk_too_full_for_last_words_is_waited_out_in_silence(folder: RunFolder) -> None:
    def wait(seconds: float) -> None:
        log.room = -1

    journal, log = brimming(folder, wait)
    log.room = 0
    journal.append(StageStarted("synthesis", 7))
    journal.close()
    assert told(folder) == [StageStarted("synthesis", 7)]


def test_a_run_that_a_person_paused_is_paused_after_a_full_disk(folder: RunFolder) -> None:
    def wait(seconds: float) -> None:
        log.room = -1

    journal, log = brimming(folder, wait)
    journal.append(RunPaused("lunch"))
    drop = journal.reserve.delete

    def drop_and_find_room() -> None:
        drop()
        log.room = 1

    journal.reserve.delete = drop_and_find_room  # type: ignore[method-assign]
    log.room = 0
    journal.append(StageStarted("synthesis", 7))
    journal.close()
    assert told(folder)[1:] == [RunPaused("disk full"), RunPaused("lunch"), StageStarted("synthesis", 7)]


def test_the_wait_for_room_can_be_given_up(folder: RunFolder) -> None:
    def wait(seconds: float) -> None:
        raise Stopped

    journal, log = brimming(folder, wait)
    log.room = 0
    with pytest.raises(Stopped):
        journal.append(StageStarted("synthesis", 7))
    log.room = -1
    journal.append(RunCancelled())
    journal.close()
    assert told(folder) == [RunCancelled()]


def test_what_opening_found_is_told(folder: RunFolder) -> None:
    folder.events.write_bytes(b"half a line")
    Journal(folder).close()
    assert told(folder) == [RunRecovered(torn=11)]
