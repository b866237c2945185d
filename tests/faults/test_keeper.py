"""F8: kill -9 of the keeper, the job, or both. The verdict is right, and so is its cause; the run can go on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest

from autoact.events import ModelAnswered
from autoact.run import lock
from autoact.run.folder import RunFolder, new_run
from autoact.run.launch import kill, launch
from autoact.run.liveness import attended, cause, verdict
from autoact.run.log import read
from autoact.run.state import RunState

Rounds = Callable[[int, int], int]
Begin = Callable[[], RunFolder]

COUNTING = str(Path(__file__).parents[1] / "run" / "counting_job.py")
PLAYING = str(Path(__file__).with_name("capital_job.py"))
SLOWLY = (COUNTING, "--of", "1000000", "--every", "0.005")


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Starts runs that count for ever, and sees to it that none outlives the test."""
    made: list[RunFolder] = []

    def begin() -> RunFolder:
        folder = new_run(tmp_path, "kept", {}, now=datetime(2026, 11, 22, 14, 30))
        made.append(folder)
        launch(folder, SLOWLY)
        counted(folder, 2)
        return folder

    yield begin
    for folder in made:
        kill(folder)


def counted(folder: RunFolder, answers: int) -> RunState:
    """Wait until the log holds so many; fails when nobody is left to write them."""
    while (state := RunState.of(folder.events)).answers < answers:
        assert attended(folder), folder.console.read_text()
        time.sleep(0.01)
    return state


def slay(folder: RunFolder, *, keeper: bool = False) -> None:
    """Kill -9 the holder of a lock; whoever just took it signs first."""
    while (owner := lock.owner(folder, keeper=keeper)) is None or not owner.alive:
        if not lock.is_held(folder, keeper=keeper):
            return
        time.sleep(0.005)
    with suppress(ProcessLookupError):
        os.kill(owner.pid, signal.SIGKILL)
    while lock.is_held(folder, keeper=keeper) and owner == lock.owner(folder, keeper=keeper):
        time.sleep(0.005)


def judged(folder: RunFolder) -> tuple[str, str]:
    state = RunState.of(folder.events)
    found = verdict(folder, state)
    return found, cause(folder, state, found)


def goes_on(folder: RunFolder) -> None:
    """Resume, and let it end: nothing was lost, nothing came twice."""
    before = RunState.of(folder.events)
    launch(folder, (COUNTING, "--of", str(before.answers + 3)))
    while attended(folder):
        time.sleep(0.01)
    after = RunState.of(folder.events)
    assert judged(folder) == ("finished", "")
    assert (after.attempt, after.answers) == (before.attempt + 1, before.answers + 3)
    assert (after.gaps, after.damage) == (0, [])


def test_the_keeper_is_killed(begin: Begin, rounds: Rounds) -> None:
    for _ in range(rounds(2, 34)):
        folder = begin()
        slay(folder, keeper=True)
        counted(folder, RunState.of(folder.events).answers + 5)
        assert judged(folder) == ("running", "")
        slay(folder)
        assert judged(folder) == ("interrupted", "no keeper was left to see how")
        assert RunState.of(folder.events).attempt == 1
        goes_on(folder)


def test_the_job_is_killed(begin: Begin, rounds: Rounds, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(rounds(2, 33)):
        folder = begin()
        for kills in (1, 2):
            time.sleep(chance.uniform(0, 0.05))
            slay(folder)
            while RunState.of(folder.events).attempt == kills:
                found, why = judged(folder)
                assert (found, why[:28] if folder.exit.exists() else "") in (
                    ("starting", "killed by signal 9 (SIGKILL)"), ("starting", ""), ("running", ""),
                )  # fmt: skip
                time.sleep(0.02)
        state = counted(folder, RunState.of(folder.events).answers + 2)
        assert (state.attempt, state.gaps, state.damage) == (3, 0, [])
        assert judged(folder) == ("running", "")
        kill(folder)


def test_both_are_killed(begin: Begin, rounds: Rounds, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(rounds(2, 33)):
        folder = begin()
        time.sleep(chance.uniform(0, 0.05))
        slay(folder, keeper=True)
        slay(folder)
        assert not attended(folder)
        assert judged(folder) == ("interrupted", "no keeper was left to see how")
        goes_on(folder)


def test_a_whole_run_is_killed_until_it_is_finished(
    tmp_path: Path, rounds: Rounds, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    for name in ("CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    made = subprocess.run([sys.executable, PLAYING, "--new", str(tmp_path / "p")], capture_output=True, check=True)
    folder = RunFolder(Path(made.stdout.decode().strip()))
    launch(folder, (PLAYING,))
    answers = 0
    for _ in range(rounds(3, 20)):
        answers += chance.randint(1, 6)
        while attended(folder) and RunState.of(folder.events).answers < answers:
            time.sleep(0.01)
        if lock.is_held(folder):
            slay(folder)
    while attended(folder):
        time.sleep(0.05)
    state = RunState.of(folder.events)
    assert judged(folder) == ("finished", ""), folder.console.read_text()
    assert (state.gaps, state.damage, state.unit_failures) == (0, [], {})
    asked = [
        (event.unit, event.n) for record in read(folder.events) if isinstance(event := record.event, ModelAnswered)
    ]
    assert len(set(asked)) == len(asked) > 0
