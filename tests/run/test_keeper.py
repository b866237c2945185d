"""The keeper: which ends it lets be, how often it tries again, what it writes down."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from autoact.run.process.exit_record import Ending, read_ending
from autoact.run.process.keeper import PAUSES, Keeper
from autoact.run.process.lock import RunLock
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState

COUNTING = str(Path(__file__).with_name("counting_job.py"))


def keep(folder: RunFolder, *wishes: str) -> tuple[RunState, Ending]:
    """Keep a counting job without pauses; the log it left and how it ended."""
    Keeper(folder, (COUNTING, *wishes), (0.0,) * len(PAUSES)).keep()
    ending = read_ending(folder)
    assert ending is not None
    return RunState.of(folder.events), ending


def test_a_job_that_finishes(folder: RunFolder) -> None:
    began = time.time()
    state, ending = keep(folder)
    assert (state.status, state.attempt, state.answers) == ("finished", 1, 5)
    assert (ending.cause, ending.code, ending.signal, ending.oom) == ("finished", 0, 0, False)
    assert ending.pid == state.pid
    assert began < ending.at - ending.seconds + 0.001  # they are rounded to milliseconds
    assert ending.rss_mb > 5
    assert ending.cpu_s > 0
    assert ending.again_at == 0


def test_a_job_that_failed_has_said_why_and_is_let_be(folder: RunFolder) -> None:
    state, ending = keep(folder, "--fail")
    assert (state.status, state.attempt) == ("failed", 1)
    assert (ending.cause, ending.code) == ("exit code 1", 1)


def test_what_cannot_be_played_is_not_tried_twice(folder: RunFolder, capfd: pytest.CaptureFixture[str]) -> None:
    _, ending = keep(folder, "--exit", "2")
    assert (ending.cause, ending.code) == ("exit code 2", 2)
    assert capfd.readouterr().err == "leaving with 2\n"


def test_a_crash_at_one_place_is_tried_three_times_more(folder: RunFolder) -> None:
    state, ending = keep(folder, "--crash", "3")
    assert (state.status, state.attempt, state.answers) == ("running", 4, 3)
    assert ending.cause == "killed by signal 9 (SIGKILL); 3 restarts got no further"
    assert (ending.signal, ending.code, ending.oom) == (9, 0, False)


def test_a_job_that_the_kernel_killed_for_its_memory(folder: RunFolder) -> None:
    counts = iter([7, 8])
    Keeper(folder, (COUNTING, "--crash", "3"), (), lambda: next(counts)).keep()
    ending = read_ending(folder)
    assert ending is not None
    assert ending.oom
    assert ending.cause.startswith("killed by the kernel: out of memory at ")


def test_a_job_that_ends_without_a_word_is_tried_again(folder: RunFolder, capfd: pytest.CaptureFixture[str]) -> None:
    _, ending = keep(folder, "--exit", "1")
    assert ending.cause == "exit code 1; 3 restarts got no further"
    assert capfd.readouterr().err == "leaving with 1\n" * 4


def test_a_job_that_gets_further_is_tried_on_and_on(folder: RunFolder) -> None:
    state, ending = keep(folder, "--stumble", "2", "--of", "11")
    assert (state.status, state.attempt, state.answers, state.gaps) == ("finished", 6, 11, 0)
    assert ending.cause == "finished"


def test_a_run_with_another_job_is_none_of_its_business(folder: RunFolder) -> None:
    with RunLock.take(folder):
        assert Keeper(folder, (COUNTING,)).keep() == 3
    assert read_ending(folder) is None
    assert not folder.events.exists()


def test_a_keeper_that_waits_can_be_stopped(folder: RunFolder) -> None:
    keeper = Keeper(folder, (COUNTING, "--crash", "3"), (3600.0,))
    thread = threading.Thread(target=keeper.keep)
    thread.start()
    while (ending := read_ending(folder)) is None:
        time.sleep(0.01)
    assert ending.again_at > time.time() + 3000
    keeper.stop()
    thread.join()
    ending = read_ending(folder)
    assert ending is not None
    assert ending.again_at == 0
    assert RunState.of(folder.events).attempt == 1


def test_a_keeper_asked_to_stop_ends_the_job(folder: RunFolder) -> None:
    keeper = Keeper(folder, (COUNTING, "--of", "100000", "--every", "0.01"))
    thread = threading.Thread(target=keeper.keep)
    thread.start()
    while RunState.of(folder.events).answers < 2:
        time.sleep(0.01)
    assert read_ending(folder) is None
    keeper.stop()
    thread.join()
    assert RunState.of(folder.events).status == "cancelled"
    ending = read_ending(folder)
    assert ending is not None
    assert ending.cause == "cancelled"
