"""The footer: at 80 columns the actions that are most useful in the current state are in sight."""

from __future__ import annotations

from pathlib import Path

import pytest
from paned import done, pane_of
from stories import alive, finished, screen_text, synthesis, write


def footer(text: str) -> str:
    return text.splitlines()[-1]


async def test_on_a_practice_question_accept_and_mark_come_first(opera: Path) -> None:
    write(opera, finished())
    async with pane_of(opera, "1") as (app, pilot):
        assert footer(screen_text(app)).startswith(" w task  a add")
        await pilot.press("tab")
        await done(app, pilot)
        assert footer(screen_text(app)).startswith(" space to examples  r mark")


async def test_without_examples_what_adds_some_comes_first(opera: Path) -> None:
    (opera / "examples.jsonl").write_text("")
    async with pane_of(opera, "1") as (app, _):
        assert footer(screen_text(app)).startswith(" a add  p paste  m import")


async def test_with_a_mark_the_comparison_comes_first(opera: Path) -> None:
    with alive(write(opera, synthesis())):
        async with pane_of(opera, "3") as (app, pilot):
            assert footer(screen_text(app)).startswith(" space pause  s step")
            await pilot.press("m", "j")
            await done(app, pilot)
            assert footer(screen_text(app)).startswith(" c compare")


@pytest.mark.parametrize("pane", ["1", "2", "3", "4", "5", "6", "7"])
@pytest.mark.parametrize("size", [(60, 15), (80, 24)])
async def test_it_ends_with_the_help_and_cuts_no_word(opera: Path, pane: str, size: tuple[int, int]) -> None:
    write(opera, finished())
    async with pane_of(opera, pane, size) as (app, _):
        line = footer(screen_text(app))
        assert line.endswith("? help")
        assert "…" not in line


async def test_a_stopped_run_can_be_resumed_first(opera: Path) -> None:
    write(opera, synthesis())
    async with pane_of(opera, "7") as (app, _):
        assert footer(screen_text(app)).startswith(" R resume  n new run  l event log")
