"""The training pane over runs as a job writes them; its commands reach a job's socket."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest
from paned import Instead, done, pane_of
from stories import alive, finished, screen_text, step, training, write

import autoact.events as happened
from autoact.run.command import Command, Reply
from autoact.run.control import ControlServer
from studio import earlier
from studio.screens.lessons import LessonsScreen
from studio.widgets.plot import Plot

PAIR = pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])


@PAIR
@pytest.mark.does("project.training")
async def test_the_agent_that_is_trained_is_in_sight(opera: Path, size: tuple[int, int]) -> None:
    write(opera, finished(), minute=10)
    run = write(opera, training())
    with alive(run):
        async with pane_of(opera, "4", size) as (app, _):
            text = screen_text(app)
            assert "T⚙ tool  30/60, 6 s left" in text
            assert "lr 0.001" in text
            assert ("P› plan  60/60 trained" in text) == (size[0] > 110)
            assert [len(curve.earlier) for curve in app.screen.query_one("#plot-tool", Plot).curves] == [1]


async def test_a_run_that_is_over_holds_no_memory(opera: Path) -> None:
    other, over = write(opera, training(), minute=10), write(opera, finished())
    with alive(over):
        pass  # leaves a pulse behind
    with alive(other):
        async with pane_of(opera, "4") as (app, _):
            text = screen_text(app)
            assert "s a step" in text
            assert "GB" not in text


@pytest.mark.does("training.next_agent")
async def test_the_next_agent(opera: Path) -> None:
    write(opera, finished())
    async with pane_of(opera, "4") as (app, pilot):
        assert "P› plan  60/60 trained" in screen_text(app)
        await pilot.press("n", "n")
        await done(app, pilot)
        assert "R↺ reflect" in screen_text(app)
        assert "P› plan" not in screen_text(app)


@pytest.mark.does("training.hold", "training.finish")
async def test_pause_resume_and_finish_reach_the_job(opera: Path) -> None:
    run, got = write(opera, training()), list[Command]()

    def submit(command: Command) -> Future[Reply]:
        got.append(command)
        reply: Future[Reply] = Future()
        reply.set_result(Reply(command.id, 7))
        return reply

    with alive(run), ControlServer(run, submit):
        async with pane_of(opera, "4") as (app, pilot):
            await pilot.press("space")
            await done(app, pilot)
            assert "pause train-tool: accepted" in screen_text(app)
            await pilot.press("F")
            await pilot.pause(0.5)
            await pilot.press("y")
            await done(app, pilot)
    assert [(command.do, command.unit) for command in got] == [("pause", "train-tool"), ("finish", "train-tool")]


@pytest.mark.does("training.train")
async def test_a_training_is_started_on_what_a_run_kept(opera: Path, instead: Instead) -> None:
    run = write(opera, finished())
    instead("import sys, json; print(json.dumps(sys.argv[1:]))")
    async with pane_of(opera, "4", (200, 24)) as (app, pilot):
        await pilot.press("r")
        await done(app, pilot)
        text = screen_text(app)
        for word in ("run", "--from", "differentiation", f"--base={run.name}", "--detach"):
            assert word in text


@pytest.mark.does("training.examples", "lessons.close")
async def test_what_an_agent_learned_from_with_the_words_that_count(opera: Path) -> None:
    write(opera, finished())
    async with pane_of(opera, "4") as (app, pilot):
        await pilot.press("o")
        await done(app, pilot)
        assert isinstance(app.screen, LessonsScreen)
        assert app.screen.role == "plan"
        text = screen_text(app)
        assert "13 lessons of the plan-agent" in text
        assert "Thought: look" in text
        await pilot.press("escape")
        await done(app, pilot)
        assert not isinstance(app.screen, LessonsScreen)


@pytest.mark.does("training.settings")
async def test_settings_of_the_next_run_are_written_beside_the_comments(opera: Path) -> None:
    write(opera, finished())
    (opera / "project.toml").write_text('# mine\n[task]\nname = "Composers"\n', encoding="utf-8")
    async with pane_of(opera, "4") as (app, pilot):
        await pilot.press("S")
        await done(app, pilot)
        await pilot.press("end", "backspace", *"many", "ctrl+o")
        await done(app, pilot)
        assert "expected `int`, got `str`" in screen_text(app)
        await pilot.press(*["backspace"] * 4, *"16", "ctrl+o")
        await done(app, pilot)
        assert "project.toml says so now" in screen_text(app)
    text = (opera / "project.toml").read_text("utf-8")
    assert text == '# mine\n[task]\nname = "Composers"\n\n[differentiation]\nrank = 16\n'


async def test_settings_of_a_broken_project_are_not_offered(opera: Path) -> None:
    write(opera, finished())
    async with pane_of(opera, "4") as (app, pilot):
        (opera / "project.toml").write_text("[differentiation]\nrnk = 1\n", encoding="utf-8")
        await pilot.press("S")
        await done(app, pilot)
        assert "did you mean `rank`?" in screen_text(app)


async def test_a_run_without_a_training_says_so(opera: Path) -> None:
    write(opera, [happened.RunOpened(1, 1, "here")])
    async with pane_of(opera, "4") as (app, pilot):
        assert "Nothing is trained in this run yet" in screen_text(app)
        for key, said in (("space", "no training is going on"), ("o", "no trajectories were kept")):
            await pilot.press(key)
            await done(app, pilot)
            assert said in screen_text(app)


def test_curves_are_found_without_reading_the_rest(opera: Path) -> None:
    run = write(opera, [*training(), step("tool", 3, 60)])
    found = earlier.of_run(run)
    assert {role: len(series) for role, series in found.items()} == {"plan": 60, "tool": 30}
    assert earlier.curves([run, run])["plan"][1].last == found["plan"].last
