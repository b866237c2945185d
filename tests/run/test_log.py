"""The sealed log: round trips, damage, kill -9. What breaks it byte by byte is in tests/faults."""

from __future__ import annotations

import json
import math
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from autoact.errors import BadInput, LogDamaged
from autoact.events import (
    AdapterReady,
    AnyEvent,
    Event,
    RunPaused,
    RunRecovered,
    RunResumed,
    StageProgressed,
    TrainStepped,
)
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LONGEST_LINE, LogTail, LogWriter, Record, read, scan, seal, seal_event, unseal
from autoact.run.record.log_versions import VERSION
from autoact.trajectory import Adapter

Python = Callable[..., "subprocess.Popen[str]"]

BODY = b'{"v":1,"seq":0,"t":0.0,"type":"run.paused","why":"tea","more":' + b"[" * 90_000 + b"]" * 90_000
DEEP = b'%b,"crc":"%08x"}\n' % (BODY, zlib.crc32(BODY))
"""Sealed, and nested deeper than anyone can read."""


def write(folder: RunFolder, events: list[Event]) -> bytes:
    with LogWriter(folder) as log:
        assert [log.append(event) for event in events] == list(range(log.seq - len(events), log.seq))
    return folder.events.read_bytes()


def events_in(path: Path) -> list[Event | None]:
    return [record.event for record in read(path)]


# -- lines -----------------------------------------------------------------------------------------------------------


def test_every_event_comes_back(folder: RunFolder, every_event: list[Event]) -> None:
    assert {type(event) for event in every_event} == set(get_args(AnyEvent))
    write(folder, every_event)
    records = list(read(folder.events))
    assert [record.event for record in records] == every_event
    assert [record.seq for record in records] == list(range(len(every_event)))
    assert all(json.loads(line)["type"] for line in folder.events.read_text("utf-8").splitlines())
    assert folder.events.stat().st_mode & 0o777 == 0o600


def test_unknown_types_and_fields_are_ignored() -> None:
    assert unseal(seal({"seq": 3, "t": 1.5, "type": "moon.landed", "crew": 3})) == Record(3, 1.5, None, "moon.landed")
    line = seal({"seq": 3, "t": 1.5, "type": "run.paused", "why": "tea", "mood": "good"})
    assert unseal(line) == Record(3, 1.5, RunPaused("tea"), "run.paused")


def test_a_value_of_a_later_version_is_not_damage() -> None:
    later = {"v": VERSION + 1, "seq": 0, "t": 0.0, "type": "run.paused", "why": 7}
    assert unseal(seal(later)) == Record(0, 0.0, None, "run.paused", VERSION + 1)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_does_not_have_come_back(number: float) -> None:
    stepped = unseal(seal_event(0, 0.0, TrainStepped("plan", 1, 2, number, 1e-4, number, 5, 1.0))).event
    assert isinstance(stepped, TrainStepped)
    assert (str(stepped.loss), str(stepped.grad_norm), stepped.step) == (str(number), str(number), 1)
    ready = unseal(seal_event(0, 0.0, AdapterReady(Adapter("plan", "null", "NaN", 9, number)))).event
    assert isinstance(ready, AdapterReady)
    assert (ready.adapter.path, ready.adapter.sha256, str(ready.adapter.loss)) == ("null", "NaN", str(number))


def test_null_of_an_earlier_program_is_no_number() -> None:
    adapter = {"role": "plan", "path": "p", "sha256": "0", "examples": 9, "loss": None}
    event = unseal(seal({"seq": 0, "t": 0.0, "type": "adapter.ready", "adapter": adapter})).event
    assert isinstance(event, AdapterReady)
    assert math.isnan(event.adapter.loss)


def test_an_event_that_cannot_be_read_is_said_and_read_past(folder: RunFolder) -> None:
    write(folder, [RunPaused("tea"), RunResumed()])
    broken = seal({"seq": 2, "t": 0.0, "type": "adapter.ready", "adapter": {"role": "plan", "loss": "much"}})
    with folder.events.open("ab") as file:
        file.write(broken)
    found = scan(folder.events)
    assert (found.next_seq, found.torn) == (3, 0)
    ((offset, why),) = found.damaged
    assert folder.events.read_bytes()[offset:] == broken
    assert why.startswith("adapter.ready cannot be read: ")
    with LogWriter(folder) as log:
        recovered = log.recovery_event()
        assert recovered is not None
        assert log.append(recovered) == 3


@pytest.mark.parametrize("event", [StageProgressed("synthesis", 1.5, 2), RunPaused(None), RunPaused("\ud800")])  # type: ignore[arg-type]
def test_what_could_not_be_read_back_is_not_written(folder: RunFolder, event: Event) -> None:
    before = write(folder, [RunPaused("tea")])
    with LogWriter(folder) as log:
        with pytest.raises(ValueError, match="cannot be read|surrogates"):
            log.append(event)
        assert log.append(RunResumed()) == 1
    assert folder.events.read_bytes().startswith(before)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "no seal"),
        (b'{"v":1}', "no seal"),
        (seal({"seq": 1, "t": 0.0, "type": "x"}).replace(b"1", b"2", 1), "does not match"),
        (seal({"t": 0.0, "type": "x"}), "not an event"),
        (DEEP, "not an event: maximum recursion depth"),
    ],
)
def test_a_bad_line_says_why(line: bytes, reason: str) -> None:
    with pytest.raises(LogDamaged, match=reason):
        unseal(line)


def test_a_seal_in_capitals_is_no_seal() -> None:
    lines = (seal({"seq": seq, "t": 0.0, "type": "x"}) for seq in range(9))
    line = next(line for line in lines if line[-11:-3].upper() != line[-11:-3])
    with pytest.raises(LogDamaged):
        unseal(line[:-11] + line[-11:-3].upper() + line[-3:])


# -- reading ---------------------------------------------------------------------------------------------------------


def test_a_tail_waits_for_the_file_and_for_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail = LogTail(path)
    assert list(tail.poll()) == []
    line = seal_event(0, 0.0, RunPaused("tea"))
    path.write_bytes(line[:20])
    assert list(tail.poll()) == []
    assert tail.torn() == 20
    path.write_bytes(line + line[:7])
    assert [record.event for record in tail.poll()] == [RunPaused("tea")]
    assert list(tail.poll()) == []
    assert (tail.offset, tail.torn(), tail.damaged) == (len(line), 7, [])
    tail.close()


def test_a_tail_goes_on_where_another_stopped(folder: RunFolder, every_event: list[Event]) -> None:
    write(folder, every_event)
    first = LogTail(folder.events)
    seen = [next(first.poll()).event for _ in range(5)]
    second = LogTail(folder.events, first.offset)
    assert seen + [record.event for record in second.poll()] == every_event
    assert second.damaged == []


def test_a_tail_survives_recovery_under_its_eyes(folder: RunFolder) -> None:
    write(folder, [RunPaused("one")])
    with folder.events.open("ab") as file:
        file.write(b"garbage that looks complete, and is longer than a line\n" * 4)
    tail = LogTail(folder.events)
    assert len(list(tail.poll())) == 1
    write(folder, [RunPaused("two")])
    assert [record.event for record in tail.poll()] == [RunPaused("two")]
    assert tail.damaged == []


def test_a_tail_starts_over_when_the_file_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "live.jsonl"
    path.write_bytes(seal_event(9, 0.0, RunPaused("one")) + seal_event(3, 0.0, RunPaused("two")))
    tail = LogTail(path, numbered=False)
    assert [record.seq for record in tail.poll()] == [9, 3]
    path.write_bytes(seal_event(0, 0.0, RunPaused("three")))
    assert [record.seq for record in tail.poll()] == [0]
    assert tail.damaged == []


def test_numbers_that_are_missing_or_repeated_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(seal_event(seq, 0.0, RunPaused(str(seq))) for seq in (0, 1, 4, 4, 5)))
    assert [record.seq for record in read(path)] == [0, 1, 4, 5]
    assert [reason for _, reason in scan(path).damaged] == ["events 2 to 3 are missing", "event 4 comes again"]


def test_more_damage_than_a_chunk_is_read_past(folder: RunFolder) -> None:
    first = write(folder, [RunPaused("one")])
    garbage = (b"x" * 999 + b"\n") * 3000 + b"y" * 3_000_000 + b"\n"
    folder.events.write_bytes(first + garbage + seal_event(1, 0.0, RunPaused("two")) + b"z" * 2_000_000)
    assert events_in(folder.events) == [RunPaused("one"), RunPaused("two")]
    found = scan(folder.events)
    assert (len(found.damaged), found.torn, found.next_seq) == (3001, 2_000_000, 2)


# -- faults ----------------------------------------------------------------------------------------------------------


def test_damage_in_the_middle_is_kept_and_told(folder: RunFolder, every_event: list[Event]) -> None:
    whole = write(folder, every_event)
    folder.events.write_bytes(whole.replace(b"disk full", b"disk fool"))
    damaged = folder.events.read_bytes()
    with LogWriter(folder) as log:
        assert log.recovery_event() == RunRecovered(0, [f"byte {log.damaged[0][0]}: the seal does not match"])
        assert log.seq == len(every_event)
    assert folder.events.read_bytes() == damaged


ENDLESS = """
import sys
from pathlib import Path
from autoact.events import RunPaused, StageProgressed
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter
log = LogWriter(RunFolder(Path(sys.argv[1])))
while True:
    for number in range(3):
        log.append(StageProgressed("x" * 20_000, number, 9))
    print(log.append(RunPaused("y" * 9_000)), flush=True)
"""


def test_kill_9_loses_nothing_that_was_acknowledged(folder: RunFolder, python: Python) -> None:
    for acknowledged in (1, 2, 3, 5, 8):
        child = python(ENDLESS, folder.path)
        assert child.stdout is not None
        for _ in range(acknowledged):
            child.stdout.readline()
        child.kill()
        promised = [int(line) for line in child.stdout.read().split()]
        child.wait()
        with LogWriter(folder) as log:
            assert log.damaged == []
            assert log.seq > max(promised, default=0)
    events = events_in(folder.events)
    assert all(isinstance(event, RunPaused | StageProgressed) for event in events)
    assert [record.seq for record in read(folder.events)] == list(range(len(events)))


def test_an_event_too_long_or_not_text_is_refused(folder: RunFolder) -> None:
    with LogWriter(folder) as log:
        for text in ("x" * LONGEST_LINE, "\ud800"):
            with pytest.raises(ValueError):  # noqa: PT011 - any ValueError is the promise
                log.append(RunPaused(text))
        assert log.append(RunPaused("fits")) == 0
    assert events_in(folder.events) == [RunPaused("fits")]


def test_a_newer_log_can_be_read_but_not_written(folder: RunFolder) -> None:
    newer = seal({"v": 2, "seq": 0, "t": 0.0, "type": "run.resumed"}) + b"half"
    folder.events.write_bytes(newer)
    assert events_in(folder.events) == [RunResumed()]
    with pytest.raises(BadInput, match="version 2, known is 1"):
        LogWriter(folder)
    assert folder.events.read_bytes() == newer
