"""The stages of a run in the Task and Runs panes, and what a broad screen shows beside a transcript."""

from __future__ import annotations

from pathlib import Path

import pytest
from paned import pane_of
from stories import alive, finished, screen_text, synthesis, write


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_the_runs_pane_has_the_stages_of_the_followed_run(opera: Path, size: tuple[int, int]) -> None:
    write(opera, finished())
    async with pane_of(opera, "7", size) as (app, _):
        text = screen_text(app)
        assert "Stages of 11-22 14:30" in text
        for row in ("✓ self-instruct    12/12", "12 questions accepted, 1 refused", "✓ group planning   8/8"):
            assert row in text
        assert "1m15" in text


async def test_a_low_screen_keeps_its_lines_for_the_list(opera: Path) -> None:
    write(opera, finished())
    async with pane_of(opera, "7", (60, 15)) as (app, _):
        assert "Stages of" not in screen_text(app)


async def test_the_running_stage_is_marked_and_later_ones_are_open(opera: Path) -> None:
    with alive(write(opera, synthesis())):
        async with pane_of(opera, "7", (120, 40)) as (app, _):
            rows = [row.split()[:3] for row in screen_text(app).splitlines()]
            assert ["●", "synthesis", "37/120"] in rows
            assert ["·", "filtering"] in rows


@pytest.mark.parametrize(("size", "shown"), [((80, 24), False), ((120, 40), True), ((160, 48), True)])
async def test_a_wide_task_pane_has_the_stages(opera: Path, size: tuple[int, int], shown: bool) -> None:
    write(opera, finished())
    async with pane_of(opera, "1", size) as (app, _):
        assert ("Stages of 11-22 14:30" in screen_text(app)) == shown


@pytest.mark.parametrize(("size", "shown"), [((80, 24), False), ((120, 40), False), ((160, 48), True)])
async def test_a_broad_screen_has_list_transcript_and_facts(opera: Path, size: tuple[int, int], shown: bool) -> None:
    write(opera, finished())
    async with pane_of(opera, "3", size) as (app, _):
        text = screen_text(app)
        assert "q-0000.0" in text
        assert ("tools  Retrieve 1" in text) == shown
        assert ("gold answer  Beethoven" in text) == shown
        if shown:
            row = next(line for line in text.splitlines() if "unit  " in line)
            assert row.index("reward") < row.index("unit  "), "list, transcript and facts stand side by side"
