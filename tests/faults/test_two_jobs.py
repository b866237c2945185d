"""F9: two of everything on one run. One job and one keeper have it, and the lock never outlives them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from autoact.errors import RunBusy
from autoact.run.process import lock
from autoact.run.process.exit_record import BUSY
from autoact.run.process.health import is_active, verdict
from autoact.run.process.launch import kill, launch, stop
from autoact.run.process.lock import Owner, RunLock
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import LogTail, read
from autoact.run.record.state import RunState
from autoact.security import trust

Rounds = Callable[[int, int], int]
Tell = Callable[[str, int, dict[str, float | str]], None]

COUNTING = str(Path(__file__).parents[1] / "run" / "counting_job.py")
PARENT = """
import os, sys, time
from pathlib import Path
from autoact.run.record.folder import RunFolder
from autoact.run.process.lock import RunLock
lock = RunLock.take(RunFolder(Path(sys.argv[1])))
if os.fork() == 0:
    sys.stdin.read()
else:
    print(flush=True)
    time.sleep(600)
"""
"""A job with a forked child, which lives as long as its standard input is open."""


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    trust.mark_trusted(tmp_path)
    return new_run(tmp_path, "two", {}, now=datetime(2026, 11, 22, 14, 30))


def job(folder: RunFolder, *wishes: str) -> subprocess.Popen[str]:
    command = [sys.executable, COUNTING, *wishes, str(folder.path)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_of_two_jobs_one_is_refused_and_told_whose_the_run_is(folder: RunFolder, rounds: Rounds, tell: Tell) -> None:
    tried = rounds(4, 100)
    for n in range(tried):
        both = [job(folder, "--of", "1000000", "--every", "0.01") for _ in range(2)]
        while all(one.poll() is None for one in both):
            time.sleep(0.01)
        loser, winner = sorted(both, key=lambda one: one.returncode is None)
        said = loser.communicate()[1]
        assert (loser.returncode, winner.poll()) == (BUSY, None)
        assert said == f"{folder.name} belongs to process {winner.pid} on {Owner.of_this_process().host}\n"
        while RunState.of(folder.events).attempt == n:
            time.sleep(0.01)
        winner.kill()
        winner.communicate()
        assert not lock.is_held(folder)
    assert RunState.of(folder.events).gaps == 0
    assert RunState.of(folder.events).attempt == n + 1
    tell("F9 two jobs on one run", tried, {})


def test_of_two_launches_one_is_refused(folder: RunFolder, rounds: Rounds, tell: Tell) -> None:
    tried = rounds(2, 50)
    for n in range(tried):
        refused: list[RunBusy] = []

        def begin(refused: list[RunBusy] = refused) -> None:
            try:
                launch(folder, (COUNTING, "--of", "1000000", "--every", "0.01"))
            except RunBusy as error:
                refused.append(error)

        threads = [threading.Thread(target=begin) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refused) == 1
        while RunState.of(folder.events).attempt == n:
            time.sleep(0.01)
        kill(folder)
        while is_active(folder):
            time.sleep(0.01)
        assert RunState.of(folder.events).attempt == n + 1
    tell("F9 two keepers on one run", tried, {})


def test_a_forked_child_does_not_keep_the_run(folder: RunFolder, rounds: Rounds, tell: Tell) -> None:
    tried = rounds(2, 50)
    for _ in range(tried):
        command = [sys.executable, "-c", PARENT, str(folder.path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
            assert parent.stdout is not None
            parent.stdout.readline()
            assert lock.is_held(folder)
            os.kill(parent.pid, 9)
            os.waitid(os.P_PID, parent.pid, os.WEXITED | os.WNOWAIT)
            RunLock.take(folder).release()  # while the child still holds its end of the pipe
    tell("F9 a child forked, its parent killed", tried, {})


def test_a_later_process_of_the_same_number_is_not_the_owner(folder: RunFolder, tell: Tell) -> None:
    with job(folder, "--of", "3") as first:
        first.communicate()
    owner = lock.owner(folder)
    assert owner is not None
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as later:
        text = folder.lock.read_text().replace(f'"pid":{owner.pid},', f'"pid":{later.pid},')
        folder.lock.write_text(text)
        assert not is_active(folder)
        assert verdict(folder, RunState(status="running")) == "interrupted"
        with RunLock.take(folder):
            folder.lock.write_text(text)
            assert not stop(folder)
        assert later.poll() is None
        later.communicate(b"\n")
    assert later.returncode == 0
    tell("F9 a process number used again", 1, {})


def test_two_viewers_see_the_same(folder: RunFolder, tell: Tell) -> None:
    views = [(RunState(), LogTail(folder.events)) for _ in range(2)]
    with job(folder, "--of", "200") as one:
        while one.poll() is None:
            views[0][0].follow(views[0][1])
            time.sleep(0.01)
    for state, tail in views:
        state.follow(tail)
        tail.close()
    assert views[0][0] == views[1][0]
    assert views[0][0].answers == 200
    assert views[0][0].seq == len(list(read(folder.events))) - 1
    tell("F9 two viewers of one run", 1, {})
