"""Launching: away from this terminal, one keeper a run, and signals that reach the right process only."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from autoact.errors import AutoActError, RunBusy
from autoact.run.process import lock
from autoact.run.process.exit_record import read_ending
from autoact.run.process.health import cause, is_active, verdict
from autoact.run.process.launch import dump_stacks, kill, launch, start_in_session, stop
from autoact.run.process.lock import Owner, RunLock
from autoact.run.record.folder import RunFolder
from autoact.run.record.state import RunState

COUNTING = str(Path(__file__).with_name("counting_job.py"))
LONG = ("--of", "100000", "--every", "0.01")

Launch = Callable[..., None]


@pytest.fixture
def begin(folder: RunFolder) -> Iterator[Launch]:
    """Launch a counting job and wait until it counts."""

    def begin(*wishes: str) -> None:
        launch(folder, (COUNTING, *wishes))
        while is_active(folder) and RunState.of(folder.events).answers < 2:
            time.sleep(0.01)

    yield begin
    kill(folder)
    left(folder)


def left(folder: RunFolder) -> str:
    """Wait for the end; the verdict."""
    while is_active(folder):
        time.sleep(0.01)
    return verdict(folder, RunState.of(folder.events))


def test_from_start_to_end(folder: RunFolder, begin: Launch) -> None:
    begin()
    assert left(folder) == "finished"
    ending = read_ending(folder)
    assert ending is not None
    assert ending.cause == "finished"


def test_the_keeper_has_a_session_and_no_terminal(folder: RunFolder, begin: Launch) -> None:
    begin(*LONG)
    keeper, job = lock.owner(folder, keeper=True), lock.owner(folder)
    assert keeper is not None
    assert job is not None
    assert os.getsid(keeper.pid) == os.getsid(job.pid) != os.getsid(0)
    assert os.getsid(keeper.pid) != keeper.pid  # who does not lead a session cannot be given a terminal
    for owner in (keeper, job):
        assert Path(f"/proc/{owner.pid}/fd/0").readlink() == Path("/dev/null")
        assert Path(f"/proc/{owner.pid}/fd/1").readlink() == folder.console
        ignored = Path(f"/proc/{owner.pid}/status").read_text().partition("SigIgn:")[2].split()[0]
        assert int(ignored, 16) & 1  # SIGHUP
    own = Path("/proc/self/oom_score_adj").read_text()
    assert int(Path(f"/proc/{job.pid}/oom_score_adj").read_text()) == min(1000, int(own) + 300)
    assert Path(f"/proc/{keeper.pid}/oom_score_adj").read_text() == own


def test_a_program_in_a_session_of_its_own(folder: RunFolder) -> None:
    folder.rounds.write_text("before\n")
    started = start_in_session(folder.rounds, "platform", "--terse")
    assert os.getsid(started.pid) == started.pid != os.getsid(0)
    assert started.wait() == 0
    before, printed = folder.rounds.read_text().splitlines()
    assert (before, "-" in printed) == ("before", True)


def test_a_run_has_one_keeper(folder: RunFolder, begin: Launch) -> None:
    with RunLock.take(folder, keeper=True), pytest.raises(RunBusy, match=f"looked after by process {os.getpid()} on"):
        launch(folder, (COUNTING,))
    begin(*LONG)
    with pytest.raises(RunBusy, match=f"belongs to process {RunState.of(folder.events).pid} on"):
        launch(folder, (COUNTING,))
    assert stop(folder)
    assert left(folder) == "cancelled"
    assert RunState.of(folder.events).attempt == 1


def test_the_last_words_on_the_console_are_the_cause(folder: RunFolder, begin: Launch) -> None:
    begin("--exit", "2")
    assert left(folder) == "interrupted"
    assert cause(folder, RunState(), "interrupted") == "leaving with 2"


def test_a_keeper_that_cannot_start(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.fspath(folder.path))
    (folder.path / "msgspec.py").write_text("raise ImportError('no room for libraries')")
    with pytest.raises(AutoActError, match="no room for libraries"):
        launch(folder, (COUNTING,))


def test_a_killed_run_is_not_started_again(folder: RunFolder, begin: Launch) -> None:
    begin(*LONG)
    assert kill(folder)
    assert left(folder) == "interrupted"
    assert RunState.of(folder.events).attempt == 1
    assert not kill(folder)
    assert not stop(folder)


def test_a_job_tells_where_it_is(folder: RunFolder, begin: Launch) -> None:
    begin(*LONG)
    assert dump_stacks(folder)
    while "most recent call first" not in folder.console.read_text():
        time.sleep(0.01)
    assert is_active(folder)
    kill(folder)
    left(folder)
    assert not dump_stacks(folder)


def test_no_signal_reaches_a_later_process_of_the_same_number(folder: RunFolder) -> None:
    with RunLock.take(folder):
        me = Owner.of_this_process()
        for changed in ({"start": me.start - 1}, {"boot": "another"}, {"host": "atlas", "boot": "another"}):
            folder.lock.write_bytes(msgspec.json.encode(msgspec.structs.replace(me, **changed)))
            assert not dump_stacks(folder)  # SIGUSR1 would end this process
