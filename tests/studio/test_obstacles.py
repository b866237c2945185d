"""A folder, a pipe, a socket, a device or a link in the place of a run's file: the studio says so and goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from paned import done
from stories import finished, screen_text, synthesis, write
from textual.message_pump import MessagePump

from autoact.project.project import Project
from studio.__main__ import main
from studio.app import StudioApp
from studio.episodes.episode_log import EpisodeLog
from studio.files.practice_questions import PracticeQuestions
from studio.runs import earlier_curves, project_summary
from studio.runs.follow import Follow
from studio.runs.run_list import RunList
from studio.runs.run_totals import RunTotals, TotalsByRun
from studio.target import Target

Obstacle = Callable[[Path], str]


def test_every_reader_goes_on(opera: Path, obstacle: Obstacle) -> None:
    run = write(opera, synthesis())
    kind = obstacle(run.events)
    why = f"expected a file, found {kind}"
    follow = Follow(opera, MessagePump())
    follow.show()
    assert follow.refresh()
    assert follow.verdict == "unreadable"
    assert follow.state.damage == [(0, why)]
    follow.close()
    runs = RunList(opera)
    runs.refresh()
    assert [line.verdict for line in runs.runs] == ["unreadable"]
    watch = project_summary.SummaryReader(Project.open(opera))
    assert watch.read().verdict == "unreadable"
    watch.close()
    ledger = TotalsByRun()
    ledger.read(run)
    assert ledger.get(run) == RunTotals()
    assert earlier_curves.run_curves(run) == {}
    telling = EpisodeLog(run, "q-0038.1")
    telling.read()
    assert telling.paragraphs() == []
    drafts = PracticeQuestions(run)
    assert not drafts.read()


def test_lines_of_text_end_with_the_reason(opera: Path, obstacle: Obstacle, capsys: pytest.CaptureFixture[str]) -> None:
    run = write(opera, finished())
    kind = obstacle(run.events)
    assert main(["--plain", str(run.path)]) == 0
    assert capsys.readouterr().out == (
        f"{run.name} is unreadable (events.jsonl: expected a file, found {kind}); last stage: none\n"
    )


@pytest.mark.parametrize("name", ["events.jsonl", "run.lock", "pulse.json"])
@pytest.mark.parametrize("obstacle", ["a folder", "a named pipe"], indirect=True)
async def test_every_pane_is_shown(opera: Path, obstacle: Obstacle, name: str) -> None:
    run = write(opera, synthesis())
    kind = obstacle(run.path / name)
    app = StudioApp(Target(opera.parent, opera))
    async with app.run_test(size=(180, 40)) as pilot:
        for key in "1234567":
            await pilot.press(key)
            await done(app, pilot)
            assert "unreadable" in screen_text(app)
        assert f"expected a file, found {kind}" in screen_text(app)
