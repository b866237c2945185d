"""Clocks that jump: order is by number, and no duration is made of wall time."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import accumulate

import pytest

from autoact.cli.watch.follow import pace
from autoact.events import Event, StageFinished, StageStarted
from autoact.lab.tally import LogTotals
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter, read
from autoact.run.record.state import RunState

Rounds = Callable[[int, int], int]
Tell = Callable[[str, int, dict[str, float | str]], None]

HOUR = 3600.0


def written(folder: RunFolder, events: list[Event], times: list[float]) -> None:
    """A log whose lines were written when the clock said these times."""
    clock = iter(times)
    with LogWriter(folder, clock=lambda: next(clock)) as log:
        for event in events:
            log.append(event)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_order_is_by_number(folder: RunFolder, events: list[Event], jump: float, tell: Tell) -> None:
    times = [1_764_000_000 + second + (jump if second >= 5 else 0.0) for second in range(len(events))]
    written(folder, events, times)
    records = list(read(folder.events))
    assert [record.event for record in records] == events
    assert [record.seq for record in records] == list(range(len(events)))
    assert [record.at for record in records] == times
    state = RunState.of(folder.events)
    assert (state.gaps, state.damage, state.status) == (0, [], "finished")
    tell("F13 the clock jumps", 1, {})


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_stage_lasts_as_long_as_its_job_measured(folder: RunFolder, jump: float, tell: Tell) -> None:
    written(folder, [StageStarted("synthesis", 2), StageFinished("synthesis", 2, 7.5)], [1e9, 1e9 + jump])
    stage = RunState.of(folder.events).stages["synthesis"]
    assert stage.seconds == 7.5
    rate, left = pace(stage, 1e9 + jump)
    assert rate >= 0
    assert left >= 0
    tell("F13 the clock jumps", 1, {})


def test_any_clock(folder: RunFolder, events: list[Event], rounds: Rounds, seed: int, tell: Tell) -> None:
    dice, tried = random.Random(seed), rounds(20, 2_000)
    for _ in range(tried):
        jumps = (dice.choice((0.1, 0.1, HOUR, -HOUR, -1e9, 1e9)) for _ in events)
        written(folder, events, list(accumulate(jumps, initial=1_764_000_000.0))[: len(events)])
        assert [record.event for record in read(folder.events)] == events
        assert RunState.of(folder.events).gaps == 0
        assert LogTotals.of(folder.events).seconds >= 0
        folder.events.unlink()
    tell("F13 the clock jumps", tried, {})
