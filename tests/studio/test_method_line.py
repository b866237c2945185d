"""The method line: what a person reads in it in every state of a run, and the key that does what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from paned import Instead, done, pane_of
from stories import alive, finished, opened, screen_text, synthesis, training, trajectory, write

import autoact.events as happened
from studio.runs.progress import main_f1
from studio.screens.settings import SettingsForm

NOTES = "import sys, pathlib; pathlib.Path({!r}, 'asked.txt').write_text(' '.join(sys.argv[1:])); print('run')"
SIZES = pytest.mark.parametrize("size", [(60, 15), (80, 24), (160, 48)])


def method_line(text: str) -> str:
    return text.splitlines()[2]


@SIZES
@pytest.mark.parametrize("pane", ["1", "2", "3", "4", "5", "6", "7"])
async def test_every_pane_has_the_path_of_a_finished_run(opera: Path, pane: str, size: tuple[int, int]) -> None:
    write(opera, finished())
    async with pane_of(opera, pane, size) as (app, _):
        line = method_line(screen_text(app))
        assert "kept 13" in line
        assert ("adapters 1" if size[0] > 100 else "adapt. 1") in line
        assert ("score 75.0" if size[0] > 100 else "F1 75.0") in line
        assert line.endswith("a ask" if pane == "5" else "5 ask")


@pytest.mark.parametrize(("cast", "over"), [("react", True), ("group", False)])
async def test_the_score_is_that_of_the_group_over_all_its_questions(opera: Path, cast: str, over: bool) -> None:
    solved = [happened.QuestionSolved(cast, trajectory(f"{cast}-1"), 1.0, 1.0, scored=True)]
    end = [happened.StageFinished("group_planning", 1, 1.0), happened.RunFinished()] if over else []
    write(opera, [happened.RunOpened(1, 77, "here"), happened.StageStarted("group_planning", 4), *solved, *end])
    async with pane_of(opera, "1", (160, 48)) as (app, _):
        assert "adapters › score   " in method_line(screen_text(app))


def test_the_score_of_a_run_mixes_no_methods() -> None:
    solved = [
        happened.QuestionSolved(cast, trajectory(unit), f1, f1, scored=True)
        for cast, unit, f1 in (("react", "react-1", 1.0), ("react", "react-1~f1", 0.0), ("plan", "plan-1", 0.5))
    ]
    assert main_f1(solved) is None
    assert main_f1(solved[:2]) == 1.0
    assert main_f1([*solved, happened.QuestionSolved("group", trajectory("group-1"), 0.2, 0.2, scored=True)]) == 0.2


@SIZES
async def test_the_running_step_has_its_progress_and_the_pane_that_shows_it(opera: Path, size: tuple[int, int]) -> None:
    with alive(write(opera, synthesis())):
        async with pane_of(opera, "1", size) as (app, pilot):
            line = method_line(screen_text(app))
            assert ("● trajectories 37/120" if size[0] > 100 else "● traj. 37/120") in line
            assert "tools 1" in line
            assert line.endswith("3 watch")
            await pilot.press("3")
            await done(app, pilot)
            assert "watch" not in method_line(screen_text(app)), "this is the pane"


async def test_without_examples_one_is_to_be_added(opera: Path) -> None:
    (opera / "examples.jsonl").write_text("")
    async with pane_of(opera, "1") as (app, pilot):
        line = method_line(screen_text(app))
        assert line.startswith(" task › quest. › tools")
        assert line.endswith("a add an example")
        await pilot.press("2")
        await done(app, pilot)
        assert method_line(screen_text(app)).endswith("1 add an example")


@pytest.mark.parametrize("pane", ["1", "2", "3", "4", "5", "6"])
@pytest.mark.does("project.run")
async def test_a_stopped_run_is_resumed_from_every_pane(opera: Path, instead: Instead, pane: str) -> None:
    run = write(opera, training())
    instead(NOTES.format(str(opera)))
    async with pane_of(opera, pane) as (app, pilot):
        assert method_line(screen_text(app)).endswith("R resume")
        await pilot.press("R")
        await done(app, pilot)
        assert f"resumed {run.name}" in screen_text(app)
    assert (opera / "asked.txt").read_text() == f"resume --detach -- {run.path}"


@pytest.mark.does("project.run")
async def test_a_run_without_adapters_goes_on_with_the_next_stage(opera: Path, instead: Instead) -> None:
    run = write(opera, [*opened(), happened.RunFinished()])
    instead(NOTES.format(str(opera)))
    async with pane_of(opera, "2") as (app, pilot):
        assert method_line(screen_text(app)).endswith("R go on: synthesis")
        await pilot.press("R")
        await done(app, pilot)
        assert isinstance(app.screen, SettingsForm)
        await pilot.press("ctrl+o")
        await done(app, pilot)
    assert f"--from synthesis --to group_planning --base={run.name}" in (opera / "asked.txt").read_text()


@pytest.mark.does("project.run")
async def test_the_first_run_is_started_from_any_pane(opera: Path) -> None:
    async with pane_of(opera, "4") as (app, pilot):
        assert method_line(screen_text(app)).endswith("R start a run")
        await pilot.press("R")
        await done(app, pilot)
        assert "New run" in screen_text(app)
