"""The verdict on a run, and why it is so."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from autoact.run.process.exit_record import Ending
from autoact.run.process.health import COMPUTING, LOST, SILENT, STILL, cause, is_active, read_activity, verdict
from autoact.run.process.heartbeat import Heartbeat
from autoact.run.process.lock import Owner, RunLock
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState

NOW = 1_000_000.0
BEAT = Heartbeat(os.getpid(), 7, "synthesis", 1, 9, 40, 55.5, NOW, ticked_at=NOW)
ENDING = Ending(os.getpid(), "killed by signal 9 (SIGKILL)", NOW, 60.0, signal=9)


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
        ({"ticked_at": NOW - STILL - 1, "cpu_s": 2.0}, "running", "running"),
        ({"ticked_at": NOW - STILL - 1, "cpu_s": 0.1}, "running", "stuck"),
        ({"ticked_at": NOW - COMPUTING - 1, "cpu_s": COMPUTING}, "running", "stuck"),
        ({"ticked_at": NOW - COMPUTING - 1, "waiting": True, "doing": "waiting for Slow"}, "running", "running"),
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


# -- between two jobs ------------------------------------------------------------------------------------------------


def test_a_keeper_about_to_start_a_job(folder: RunFolder) -> None:
    state = RunState(status="running")
    with RunLock.take(folder, keeper=True):
        assert is_active(folder)
        assert verdict(folder, state) == "starting"
        assert cause(folder, state, "starting") == ""
        msgspec.structs.replace(ENDING, again_at=NOW + 4).write(folder)
        assert verdict(folder, state) == "starting"
        assert cause(folder, state, "starting", now=NOW) == "killed by signal 9 (SIGKILL); starts again in 4 s"
    assert not is_active(folder)
    assert verdict(folder, state) == "interrupted"
    assert cause(folder, state, "interrupted") == "killed by signal 9 (SIGKILL)"


@pytest.mark.parametrize("status", ["finished", "failed", "cancelled"])
def test_a_job_that_has_just_ended_is_not_about_to_start(folder: RunFolder, status: str) -> None:
    """The keeper has yet to write down how it ended."""
    RunLock.take(folder).release()
    with RunLock.take(folder, keeper=True):
        os.utime(folder.lock, ns=(0, folder.keeper.stat().st_mtime_ns - 1))
        assert verdict(folder, RunState(status=status)) == "starting"  # an earlier job's last word
        with RunLock.take(folder):
            pass
        assert verdict(folder, RunState(status=status)) == status
        assert verdict(folder, RunState(status="running")) == "starting"


@pytest.mark.parametrize("status", ["finished", "failed", "cancelled"])
def test_a_keeper_that_is_leaving(folder: RunFolder, status: str) -> None:
    with RunLock.take(folder, keeper=True):
        assert verdict(folder, RunState(status=status)) == "starting"  # that of an earlier job
        ENDING.write(folder)
        assert verdict(folder, RunState(status=status)) == status


# -- causes ----------------------------------------------------------------------------------------------------------


def test_the_cause_of_an_end_that_nobody_saw(folder: RunFolder) -> None:
    state = RunState(status="running")
    assert cause(folder, state, "interrupted") == "never began"
    RunLock.take(folder).release()
    assert cause(folder, state, "interrupted") == "no keeper was left to see how"
    sign(folder, msgspec.structs.replace(Owner.of_this_process(), boot="an earlier one"))
    assert verdict(folder, state) == "interrupted"
    assert cause(folder, state, "interrupted") == "the machine stopped"


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("failed", "no memory"),
        ("paused", "disk full"),
        ("stuck", "nothing has moved for 70 s"),
        ("unresponsive", "no heartbeat for 30 s"),
        ("running", ""),
        ("finished", ""),
    ],
)
def test_the_cause_of_a_verdict(folder: RunFolder, found: str, told: str) -> None:
    state = RunState(why="disk full", error="no memory")
    with RunLock.take(folder):
        msgspec.structs.replace(BEAT, at=NOW - 30, ticked_at=NOW - 70).write(folder)
        assert cause(folder, state, found, now=NOW) == told


def test_a_running_job_tells_what_it_waits_for(folder: RunFolder) -> None:
    assert read_activity(folder) == ""
    with RunLock.take(folder):
        slow = msgspec.structs.replace(BEAT, doing="waiting for Slow", waiting=True, ticked_at=NOW - 70)
        slow.write(folder)
        assert cause(folder, RunState(), "running", now=NOW) == "waiting for Slow for 70 s"
        assert read_activity(folder) == "waiting for Slow"
    assert read_activity(folder) == ""


# -- another machine's -----------------------------------------------------------------------------------------------


def test_a_run_of_another_machine(folder: RunFolder) -> None:
    state = RunState(status="running")
    sign(folder, Owner("atlas", "another boot", os.getpid(), 1))
    assert verdict(folder, state, now=NOW) == "lost sight of atlas"
    assert cause(folder, state, "lost sight of atlas", now=NOW) == ""
    BEAT.write(folder)
    assert verdict(folder, state, now=NOW + LOST - 1) == "running on atlas"
    assert cause(folder, state, "running on atlas", now=NOW + 5) == "last heartbeat 5 s ago"
    assert verdict(folder, state, now=NOW + LOST) == "lost sight of atlas"
    assert verdict(folder, RunState(status="finished"), now=NOW) == "finished"


def test_a_machine_that_changed_its_name_is_this_one(folder: RunFolder) -> None:
    with RunLock.take(folder):
        sign(folder, msgspec.structs.replace(Owner.of_this_process(), host="yesterday"))
        assert verdict(folder, RunState(status="running"), now=folder.lock.stat().st_mtime) == "running"


def sign(folder: RunFolder, owner: Owner) -> None:
    folder.lock.write_bytes(msgspec.json.encode(owner))
