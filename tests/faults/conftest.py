"""How often each fault is tried: a little by default, as often as promised with AUTOACT_FAULTS=long.

At the end stands a table of what was tried and counted.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

import pytest

import autoact.events as happened
from autoact.events import Event
from autoact.run.record.folder import RunFolder, new_run
from autoact.security import trust

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # what several faults share lies beside them

from table import CPU, FAULT, print_table  # noqa: E402 - found by the line above

FIXTURES = sorted((HERE / "fixtures").iterdir())
"""A run's log and the states it folds to, one folder for each version of the log there was."""
LONG = os.environ.get("AUTOACT_FAULTS") == "long"
IN_MEMORY = Path("/dev/shm")
"""Where flushing costs nothing: power losses are simulated, so the real disk is not needed."""

PATIENCE = 1800 if LONG else 900
"""Seconds after which a test hangs: ten times what the longest takes, for machines with more to do."""
PARTS = 4 if LONG else 1
"""How many pieces the longest cases come in, so that two workers can share them."""

Rounds = Callable[[int, int], int]
Tell = Callable[[str, int, Mapping[str, float | str]], None]

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
    happened.LossValidated("plan", 4, 1.5),
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """What a case costs is put down beside what it counts."""
    before = used()
    try:
        return (yield)
    finally:
        item.user_properties.append((CPU, used() - before))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    print_table(terminalreporter)


def used() -> float:
    """Processor seconds of this process and its children so far; a keeper and its jobs are nobody's children."""
    return sum(one.ru_utime + one.ru_stime for one in map(getrusage, (RUSAGE_SELF, RUSAGE_CHILDREN)))


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """`tell("F6 power lost", 300, {"promises lost": 0})`: a fault, how often it was tried, and what was counted."""
    return lambda fault, tried, counts: record_property(FAULT, (fault, tried, dict(counts)))


@pytest.fixture(params=range(PARTS), ids=lambda number: f"part {number + 1} of {PARTS}")
def part(request: pytest.FixtureRequest) -> tuple[int, int]:
    """Number and count of the pieces of a long case; `rounds` then counts those of one piece."""
    return request.param, PARTS


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """A test that waits in vain fails where it waits, instead of holding up all others."""

    def lose(*_: object) -> None:
        pytest.fail(f"no end after {PATIENCE} s; it waits here")

    before = signal.signal(signal.SIGALRM, lose)
    signal.alarm(PATIENCE)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


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
        trust.mark_trusted(Path(root))
        yield new_run(Path(root), "faults", {}, now=datetime(2026, 11, 22, 14, 30))


@pytest.fixture
def events() -> list[Event]:
    return EVENTS


@pytest.fixture
def versions(rounds: Rounds) -> list[Path]:
    """The logs of every version; when time is short only the newest."""
    return [fixture / "events.jsonl" for fixture in FIXTURES[-rounds(1, len(FIXTURES)) :]]
