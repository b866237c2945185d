"""The heartbeat, and the verdict on a run."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from autoact.run.folder import RunFolder
from autoact.run.lock import RunLock
from autoact.run.pulse import SILENT, STILL, Pulse, read_pulse, resident_mb, verdict
from autoact.run.state import RunState

NOW = 1_000_000.0
BEAT = Pulse(os.getpid(), 7, "synthesis", 1, 9, 40, 55.5, NOW, ticked_at=NOW)


def test_a_pulse_comes_back_and_a_broken_one_is_none(folder: RunFolder) -> None:
    assert read_pulse(folder) is None
    BEAT.write(folder)
    assert read_pulse(folder) == BEAT
    folder.pulse.write_bytes(b"{")
    assert read_pulse(folder) is None
    assert resident_mb() > 1


@pytest.mark.parametrize("status", ["finished", "failed", "cancelled", "running", "paused", "new"])
def test_without_a_job_the_log_has_the_last_word(folder: RunFolder, status: str) -> None:
    BEAT.write(folder)
    ended = status in ("finished", "failed", "cancelled")
    assert verdict(folder, RunState(status=status), now=NOW) == (status if ended else "interrupted")


@pytest.mark.parametrize(
    ("change", "status", "expected"),
    [
        ({}, "running", "running"),
        ({}, "paused", "paused"),
        ({"at": NOW - SILENT + 1}, "running", "running"),
        ({"at": NOW - SILENT}, "running", "unresponsive"),
        ({"at": NOW - SILENT}, "paused", "unresponsive"),
        ({"ticked_at": NOW - STILL - 1}, "running", "stuck"),
        ({"ticked_at": NOW - STILL - 1}, "paused", "paused"),
        ({"ticked_at": NOW - STILL - 1, "waiting": True}, "running", "running"),
        ({"ticked_at": NOW - STILL + 1}, "running", "running"),
        ({"ticked_at": 0.0}, "running", "running"),
    ],
)
def test_with_a_job(folder: RunFolder, change: dict[str, Any], status: str, expected: str) -> None:
    with RunLock.take(folder):
        msgspec.structs.replace(BEAT, **change).write(folder)
        assert verdict(folder, replace(RunState(), status=status), now=NOW) == expected


def test_a_job_that_just_started_is_not_silent(folder: RunFolder) -> None:
    msgspec.structs.replace(BEAT, pid=1).write(folder)  # left by an earlier attempt, long ago
    with RunLock.take(folder):
        taken = folder.lock.stat().st_mtime
        assert verdict(folder, RunState(), now=taken + 1) == "running"
        assert verdict(folder, RunState(), now=taken + SILENT) == "unresponsive"
        assert verdict(folder, RunState()) == "running"
    assert taken <= time.time()
