"""How often each fault is tried: a little by default, as often as promised with AUTOACT_FAULTS=long."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

import autoact.events as happened
from autoact.events import Event
from autoact.run.folder import RunFolder, new_run

HERE = Path(__file__).parent
FIXTURES = sorted((HERE / "fixtures").iterdir())
"""A run's log and the states it folds to, one folder for each version of the log there was."""
LONG = os.environ.get("AUTOACT_FAULTS") == "long"
IN_MEMORY = Path("/dev/shm")
"""Where flushing costs nothing: power losses are simulated, so the real disk is not needed."""

Rounds = Callable[[int, int], int]

EVENTS: list[Event] = [
    happened.RunOpened(1, 77, "here", "scripted"),
    happened.StageStarted("synthesis", 2),
    happened.ModelAnswered("t-1", 0, "5b1c", "meta", "thought", "I should read \u2026\n", (1, 22, 333), 90, 10, 4.5),
    happened.ModelAnswered(
        "t-2", 0, "77aa", "meta", "thought", "Who wrote Fidelio? \u00ab\u00fc\u00bb", (4,), 90, 10, 4.5
    ),
    happened.ToolObserved("t-1", 1, "0def", "Retrieve", "Fidelio", "An opera. " * 30, ms=2.0),
    happened.StageProgressed("synthesis", 1, 2),
    happened.UnitFailed("t-2", "boom"),
    happened.AnswerEdited("t-1", 0, "look twice", "ann"),
    happened.TrainStepped("plan", 4, 9, 1.25, 1e-4, 0.5, 120, 33.0),
    happened.CheckpointSaved("plan", 4, "00ff" * 16),
    happened.StageFinished("synthesis", 1, 1.5),
    happened.RunFinished(),
]
"""A short run, promised and written events in turn."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a fault."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("fault")


@pytest.fixture
def rounds() -> Rounds:
    """`rounds(short, long)` is the count to use now."""
    return lambda short, long: long if LONG else short


@pytest.fixture
def seed() -> int:
    """A new one each time, told when the test fails; AUTOACT_SEED=… brings a failure back."""
    given = os.environ.get("AUTOACT_SEED")
    drawn = int(given) if given else random.SystemRandom().randrange(1 << 32)
    print(f"AUTOACT_SEED={drawn}")  # pytest shows it with a failure and hides it otherwise
    return drawn


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    """Of a run that has not begun, in memory where the system has such a place."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else tmp_path) as root:
        yield new_run(Path(root), "faults", {}, now=datetime(2026, 11, 22, 14, 30))


@pytest.fixture
def events() -> list[Event]:
    return EVENTS


@pytest.fixture
def versions(rounds: Rounds) -> list[Path]:
    """The logs of every version; when time is short only the newest."""
    return [fixture / "events.jsonl" for fixture in FIXTURES[-rounds(1, len(FIXTURES)) :]]
