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

from autoact.events import BY_A_PERSON, ModelAnswered
from autoact.run.control.command import Command, Verb, new_id
from autoact.run.control.control_socket import Unreachable, send
from autoact.run.process import lock
from autoact.run.process.health import cause, is_active, verdict
from autoact.run.process.launch import kill, launch
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import read
from autoact.run.record.state import RunState
from autoact.security import trust

Rounds = Callable[[int, int], int]
Tell = Callable[[str, int, dict[str, float | str]], None]
Begin = Callable[[], RunFolder]

COUNTING = str(Path(__file__).parents[1] / "run" / "counting_job.py")
PLAYING = str(Path(__file__).with_name("capital_job.py"))
SLOWLY = (COUNTING, "--of", "1000000", "--every", "0.005")


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Starts runs that count for ever, and sees to it that none outlives the test."""
    made: list[RunFolder] = []

    def begin() -> RunFolder:
        trust.mark_trusted(tmp_path)
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
        assert is_active(folder), folder.console.read_text()
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
    while is_active(folder):
        time.sleep(0.01)
    after = RunState.of(folder.events)
    assert judged(folder) == ("finished", "")
    assert (after.attempt, after.answers) == (before.attempt + 1, before.answers + 3)
    assert (after.gaps, after.damage) == (0, [])


def test_the_keeper_is_killed(begin: Begin, rounds: Rounds, tell: Tell) -> None:
    tried = rounds(2, 34)
    for _ in range(tried):
        folder = begin()
        slay(folder, keeper=True)
        counted(folder, RunState.of(folder.events).answers + 5)
        assert judged(folder) == ("running", "")
        slay(folder)
        assert judged(folder) == ("interrupted", "no keeper was left to see how")
        assert RunState.of(folder.events).attempt == 1
        goes_on(folder)
    tell("F8 the keeper killed", tried, {})


def test_the_job_is_killed(begin: Begin, rounds: Rounds, seed: int, tell: Tell) -> None:
    chance, tried = random.Random(seed), rounds(2, 33)
    for _ in range(tried):
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
    tell("F8 the job killed", tried, {"restarts": 2 * tried})


def test_both_are_killed(begin: Begin, rounds: Rounds, seed: int, tell: Tell) -> None:
    chance, tried = random.Random(seed), rounds(2, 33)
    for _ in range(tried):
        folder = begin()
        time.sleep(chance.uniform(0, 0.05))
        slay(folder, keeper=True)
        slay(folder)
        assert not is_active(folder)
        assert judged(folder) == ("interrupted", "no keeper was left to see how")
        goes_on(folder)
    tell("F8 keeper and job killed", tried, {})


def test_a_paused_run_is_killed_and_stays_paused(
    tmp_path: Path, rounds: Rounds, monkeypatch: pytest.MonkeyPatch, tell: Tell
) -> None:
    folder, tried = playing(tmp_path, monkeypatch), rounds(1, 10)
    launch(folder, (PLAYING,))
    counted(folder, 3)
    answered(folder, "pause")
    state = RunState.of(folder.events)
    for number in range(tried):
        slay(folder, keeper=True)
        slay(folder)
        assert judged(folder) == ("interrupted", "no keeper was left to see how")
        launch(folder, (PLAYING,))
        answered(folder, "ping")
        assert judged(folder) == ("paused", BY_A_PERSON)
        after = RunState.of(folder.events)
        assert (after.attempt, after.answers) == (state.attempt + number + 1, state.answers)
    answered(folder, "resume")
    while is_active(folder):
        time.sleep(0.01)
    assert judged(folder) == ("finished", "")
    assert RunState.of(folder.events).answers > state.answers
    tell("F8 a paused run killed", tried, {})


def answered(folder: RunFolder, do: Verb) -> None:
    """Send a command until the job is there to take it."""
    while True:
        with suppress(Unreachable):
            assert send(folder, Command(new_id(), do)).accepted
            return
        assert is_active(folder), folder.console.read_text()
        time.sleep(0.01)


def playing(root: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A whole run with a model that takes its time, in caches of its own."""
    for name in ("CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(root / name))
    made = subprocess.run([sys.executable, PLAYING, "--new", str(root / "p")], capture_output=True, check=True)
    return RunFolder(Path(made.stdout.decode().strip()))


def test_a_whole_run_is_killed_until_it_is_finished(
    tmp_path: Path, rounds: Rounds, seed: int, monkeypatch: pytest.MonkeyPatch, tell: Tell
) -> None:
    chance, folder = random.Random(seed), playing(tmp_path, monkeypatch)
    launch(folder, (PLAYING,))
    answers, tried = 0, rounds(3, 20)
    for _ in range(tried):
        answers += chance.randint(1, 6)
        while is_active(folder) and RunState.of(folder.events).answers < answers:
            time.sleep(0.01)
        if lock.is_held(folder):
            slay(folder)
    while is_active(folder):
        time.sleep(0.05)
    state = RunState.of(folder.events)
    assert judged(folder) == ("finished", ""), folder.console.read_text()
    assert (state.gaps, state.damage, state.unit_failures) == (0, [], {})
    asked = [
        (event.unit, event.n) for record in read(folder.events) if isinstance(event := record.event, ModelAnswered)
    ]
    assert len(set(asked)) == len(asked) > 0
    tell("F8 the job killed until the run is finished", tried, {"answers": len(asked)})
