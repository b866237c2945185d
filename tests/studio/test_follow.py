"""Following: one look at a time, one message for a change, none without."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
from stories import alive, finished, opened, step, synthesis, training, write
from textual.message_pump import MessagePump

from autoact.events import BY_A_PERSON, RunFinished, RunOpened, RunPaused, StageProgressed
from autoact.run.record.folder import new_run
from autoact.run.record.log import LogWriter
from autoact.run.record.state import RunState
from studio.runs import run_tail
from studio.runs.follow import Follow
from studio.runs.run_list import RunList, run_verdict
from studio.runs.run_tail import RunTail


def following(root: Path, name: str = "") -> Follow:
    follow = Follow(root, MessagePump())
    follow.show(name)
    return follow


def test_a_look_without_news_is_nothing(opera: Path) -> None:
    run = write(opera, synthesis())
    with alive(run):
        follow = following(opera)
        assert follow.refresh()
        assert follow.verdict == "running"
        assert [follow.refresh() for _ in range(20)] == [False] * 20
        with LogWriter(run) as log:
            log.append(StageProgressed("synthesis", 38, 120))
        assert follow.refresh()
        assert follow.state.stages["synthesis"].done == 38
    assert follow.refresh()
    assert follow.verdict == "interrupted"
    follow.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other system: elsewhere only looking helps")
async def test_a_write_wakes_one_that_rests(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write(opera, synthesis())
    monkeypatch.setattr("studio.runs.follow.IDLE_S", 1e6)
    with alive(run), LogWriter(run) as log:
        follow = following(opera)
        follow.start()
        follow.start()  # the second look has no news
        log.append(StageProgressed("synthesis", 38, 120))
        async with asyncio.timeout(60):
            while follow.state.stages["synthesis"].done != 38:
                await asyncio.sleep(0.001)
        follow.close()


def test_a_long_log_is_read_in_portions(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_tail, "MOST", 10)
    run = write(opera, training())
    part = RunTail(run)
    looks = 0
    while part.behind:
        assert part.read()
        looks += 1
        assert part.state.seq <= 10 * looks
    assert part.state.seq == RunState.of(run.events).seq == len(training()) - 1
    assert all(part.losses["plan"].columns(60))
    part.close()


def test_nothing_is_said_before_a_long_log_is_read(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_tail, "MOST", 100)
    write(opera, training())
    follow = following(opera)
    follow.refresh()
    assert follow.verdict == "reading"
    while follow.verdict == "reading":
        follow.refresh()
    assert follow.verdict == "interrupted"
    follow.close()


def test_the_list_knows_how_each_run_ended(opera: Path) -> None:
    write(opera, finished(), 1)
    write(opera, [*opened(), *[step("plan", n, 3000) for n in range(1, 3000)]], 2)
    running = write(opera, synthesis(), 3)
    with alive(running):
        runs = RunList(opera)
        assert runs.refresh()
        assert [run.verdict for run in runs.runs] == ["running", "interrupted", "finished"]
        assert not runs.refresh()


def test_the_list_notices_a_run_that_goes_on_and_one_that_is_written_to(opera: Path) -> None:
    run = write(opera, synthesis())
    runs = RunList(opera)
    assert runs.refresh()
    assert not runs.refresh()
    with alive(run):
        assert runs.refresh()
        assert [line.verdict for line in runs.runs] == ["running"]
    assert runs.refresh()
    with LogWriter(run) as log:
        log.append(RunFinished())
    assert runs.refresh()
    assert [line.verdict for line in runs.runs] == ["finished"]


def test_the_list_shows_the_followed_run_as_its_log_has_it(opera: Path) -> None:
    run = write(opera, synthesis())
    follow = following(opera, run.name)
    with alive(run):
        follow.refresh()
        follow._list_due = time.monotonic() + 1000  # the list is read rarely where there are many runs
        with LogWriter(run) as log:
            log.append(RunPaused(BY_A_PERSON))
        follow.refresh()
        (line,) = follow.run_list.runs
        assert line.verdict == follow.verdict == "paused"
        assert line.state is follow.state
    follow.close()


def test_a_run_just_made_is_starting(opera: Path) -> None:
    folder = new_run(opera, "quick", {}, now=datetime(2026, 11, 22))
    made = folder.config.stat().st_mtime
    assert run_verdict(folder, RunState(), now=made + 1) == "starting"
    assert run_verdict(folder, RunState(), now=made + 60) == "interrupted"


def test_a_resumed_run_is_followed_on(opera: Path) -> None:
    run = write(opera, synthesis())
    follow = following(opera, run.name)
    follow.refresh()
    assert follow.verdict == "interrupted"
    with alive(run), LogWriter(run) as log:
        log.append(RunOpened(2, 78, "here"))
        assert follow.refresh()
        assert (follow.verdict, follow.state.attempt) == ("running", 2)
    follow.close()
