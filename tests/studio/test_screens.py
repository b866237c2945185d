"""The screens, driven by keys and read as text."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from paned import Instead, done
from stories import alive, finished, opened, project, screen_text, step, synthesis, training, write
from textual.color import Color
from textual.pilot import Pilot
from textual.widgets import Input

import autoact.events as happened
from autoact.run.record.folder import latest_run
from autoact.run.record.log import LogWriter
from studio.app import StudioApp
from studio.screens.project import ProjectScreen
from studio.screens.projects import ProjectsScreen
from studio.target import Target, find

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
MAKE = """
import pathlib, sys, time
from datetime import datetime
from autoact.events import RunOpened
from autoact.run.record.folder import new_run
from autoact.run.record.log import LogWriter
assert sys.argv[1:6] == ["run", "--new", "--detach", "--preset", "quick"]
project = pathlib.Path(sys.argv[-1])
until = time.monotonic() + 60
while not (project / "go").exists() and time.monotonic() < until:
    time.sleep(0.01)
folder = new_run(project, "quick", {}, now=datetime(2026, 11, 23, 9, 5))
with LogWriter(folder) as log:
    log.append(RunOpened(1, 1, "here", "made by a key"))
print(folder.name)
"""


@contextlib.asynccontextmanager
async def studio_of(target: Target, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[StudioApp, Pilot[str]]]:
    app = StudioApp(target)
    async with app.run_test(size=size) as pilot:
        await settled(app, pilot)
        yield app, pilot


@contextlib.asynccontextmanager
async def run_of(root: Path, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[StudioApp, Pilot[str]]]:
    """The studio, opened on the newest run of a project."""
    async with studio_of(find(str(latest_run(root).path)), size) as (app, pilot):
        yield app, pilot


async def settled(app: StudioApp, pilot: Pilot[str]) -> str:
    """Every message and worker done with; what the screen then reads."""
    await pilot.pause()
    if isinstance(app.screen, ProjectScreen):
        app.screen.follow.start()
    await done(app, pilot)
    return screen_text(app)


@SIZES
async def test_a_finished_run(opera: Path, size: tuple[int, int]) -> None:
    write(opera, finished())
    async with run_of(opera, size) as (app, pilot):
        text = await settled(app, pilot)
        for expected in ("11-22 14:30", "SmolLM2-135M cpu  ✓ finished  group planning", "Who wrote the opera Fidelio?"):
            assert expected in text
        await pilot.press("G", "enter")
        assert "BingSearch[Woman in Gold]" in await settled(app, pilot)
        await pilot.press("6")
        text = await settled(app, pilot)
        rows = [row.split() for row in text.splitlines() if row.startswith(" 11-22")]
        assert [(row[3], row[4], row[5], row[7]) for row in rows] == [
            ("group", "4", "75.0", "75.0"),
            ("meta", "4", "25.0", "25.0"),
        ]
        for expected in ("13 made, 12 accepted", "37 tried, 13 kept", "reflect      39 examples, 60 steps"):
            assert expected in text


@SIZES
async def test_a_run_in_synthesis(opera: Path, size: tuple[int, int]) -> None:
    with alive(write(opera, synthesis())):
        async with run_of(opera, size) as (app, pilot):
            text = await settled(app, pilot)
            for expected in ("● running", "synthesis 37/120", "in flight", "q-0038.1", "W· observation A painting"):
                assert expected in text
            assert "by Klimt ␛[31m(1907)." in text
            assert "I should try BingSearch[Woman in Gold] first." in text
            await pilot.press("L")
            text = await settled(app, pilot)
            assert "q-0039.0" in text
            assert text.count("A painting") == 2
            await pilot.press("4")
            assert "No adapters yet: synthesis 37/120" in await settled(app, pilot)


@SIZES
async def test_a_run_in_training(opera: Path, size: tuple[int, int]) -> None:
    run = write(opera, training())
    with alive(run):
        async with run_of(opera, size) as (app, pilot):
            await pilot.press("4")
            text = await settled(app, pilot)
            for expected in ("differentiation 90/180", "30/60", "39 examples", "2.629"):
                assert expected in text
            assert ("60/60 trained" in text) == (size[0] == 120)
            assert ("waits its turn" in text) == (size[0] == 120)
            assert any("\u2801" <= letter <= "\u28ff" for letter in text)
            with LogWriter(run) as log:
                log.append(step("tool", 31, 60))
            assert "31/60" in await settled(app, pilot)


async def test_lines_that_did_not_change_are_not_drawn_again(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write(opera, training())
    with alive(run):
        async with run_of(opera) as (app, pilot):
            await pilot.press("4")
            await settled(app, pilot)
            drawn: list[int] = []
            gauges = app.screen.query_one("#gauges-tool")
            monkeypatch.setattr(gauges, "refresh", lambda *lines, **_: drawn.extend(line.y for line in lines))
            with LogWriter(run) as log:
                log.append(step("tool", 31, 60))
            await settled(app, pilot)
            assert 0 in drawn
            assert 1 not in drawn, "the number of examples is the same"


async def test_a_named_run_is_the_first(opera: Path) -> None:
    older = write(opera, finished(), 1)
    write(opera, synthesis(), 2)
    async with studio_of(find(str(older.path))) as (app, pilot):
        assert "finished  group planning" in await settled(app, pilot)
        assert isinstance(app.screen, ProjectScreen)
        assert app.screen.follow.name == older.name


@pytest.mark.does("runs.new")
async def test_a_run_is_started_and_shown(opera: Path, instead: Instead) -> None:
    instead(MAKE)
    async with studio_of(find(str(opera)), (120, 36)) as (app, pilot):
        await pilot.press("7")
        assert "No runs yet: R starts one." in await settled(app, pilot)
        await pilot.press("n", "ctrl+o")
        assert "New run" in screen_text(app)
        (opera / "go").touch()
        async with asyncio.timeout(60):
            while "made by a key" not in (text := await settled(app, pilot)):
                await asyncio.sleep(0.05)
        assert "11-23 09:05" in text.splitlines()[0]


async def test_the_form_says_why_no_run_started(opera: Path, instead: Instead) -> None:
    instead("raise SystemExit('autoact: the disk is full')")
    async with studio_of(find(str(opera))) as (app, pilot):
        await pilot.press("7", "n", "ctrl+o")
        text = await settled(app, pilot)
        assert "the disk is full" in text
        assert "New run" in text


@pytest.mark.does("project.run")
async def test_r_leaves_a_running_run_alone(opera: Path) -> None:
    run = write(opera, synthesis())
    with alive(run):
        async with studio_of(find(str(opera)), (120, 36)) as (app, pilot):
            await pilot.press("7", "R")
            assert f"{run.name} is running; n in the runs pane starts another." in await settled(app, pilot)
            await pilot.press("q")
            assert app.return_value == f"{run.name} goes on; `studio` shows it again."


async def test_leaving_names_every_run_that_goes_on(opera: Path) -> None:
    older, newer = write(opera, synthesis(), 1), write(opera, synthesis(), 2)
    with alive(older), alive(newer):
        async with run_of(opera, (120, 36)) as (app, pilot):
            await settled(app, pilot)
            await pilot.press("q")
            assert app.return_value == f"{newer.name}, {older.name} go on; `studio` shows them again."


@SIZES
@pytest.mark.does("projects.filter", "projects.open", "project.back")
async def test_projects(opera: Path, size: tuple[int, int]) -> None:
    project(opera.parent, "maps", "Capitals")
    broken = project(opera.parent, "broken")
    (broken / "project.toml").write_text("[task]\nnme = 1\n", encoding="utf-8")
    write(opera, finished())
    async with studio_of(find(None), size) as (app, pilot):
        text = await settled(app, pilot)
        for expected in ("Composers", "group planning", "✓ finished", "75.0 / 25.0", "Capitals", "no runs", "project."):
            assert expected in text
        await pilot.press("slash", *"cap")
        text = await settled(app, pilot)
        assert "maps" in text
        assert "Composers" not in text
        await pilot.press("enter", "enter")
        assert "no runs yet" in await settled(app, pilot)
        await pilot.press("escape", "escape")
        await pilot.pause()
        await pilot.press("escape")
        assert "Composers" in await settled(app, pilot)
        assert app.screen.query_one(Input).value == ""


async def test_a_second_escape_is_asked_for_no_longer_than_it_counts(
    opera: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.screens.project.PRESS_AGAIN_S", 0.3)
    async with studio_of(find(str(opera))) as (app, pilot):
        await pilot.press("escape")
        assert "esc again goes back to the projects" in screen_text(app)
        await pilot.pause(0.6)
        assert "esc again" not in screen_text(app)
        await pilot.press("escape")
        assert isinstance(app.screen, ProjectScreen)


@pytest.mark.does("project.back", "everywhere.leave")
async def test_escape_leads_to_the_projects(opera: Path) -> None:
    async with studio_of(find(str(opera))) as (app, pilot):
        await pilot.press("escape")
        assert "esc again goes back to the projects" in await settled(app, pilot)
        assert isinstance(app.screen, ProjectScreen)
        await pilot.press("escape")
        assert "Composers" in await settled(app, pilot)
        assert isinstance(app.screen, ProjectsScreen)
        await pilot.press("q")
        assert app.return_value is None


@pytest.mark.does("everywhere.help", "everywhere.theme")
async def test_help_and_themes(opera: Path) -> None:
    write(opera, finished())
    async with run_of(opera, (80, 70)) as (app, pilot):
        await pilot.press("question_mark")
        text = await settled(app, pilot)
        assert "keep it for training, whatever the filter says" in text
        assert "W· world" in text
        await pilot.press("escape")
        assert "finished  group planning" in await settled(app, pilot)
        before = app.screen.styles.background
        await pilot.press("t")
        assert "theme studio-light" in await settled(app, pilot)
        assert app.theme == "studio-light"
        assert app.screen.styles.background != before
        assert app.screen.styles.background == Color.parse("#fbfaf7")
    assert StudioApp(find(str(opera))).theme == "studio-light", "the next start has the theme chosen last"


@pytest.mark.parametrize("keys", ["4S", "4o"], ids=["settings", "lessons"])
async def test_a_modal_screen_has_the_keys_that_work_everywhere(opera: Path, keys: str) -> None:
    write(opera, finished())
    async with run_of(opera, (100, 40)) as (app, pilot):
        await pilot.press(*keys)
        text = await settled(app, pilot)
        assert "? help" in text.splitlines()[-1]
        await pilot.press("question_mark")
        assert "draw the whole screen again" in await settled(app, pilot)
        await pilot.press("escape", "t")
        await settled(app, pilot)
        assert app.theme == "studio-light"


async def test_hostile_names_are_shown_not_obeyed(tmp_path: Path) -> None:
    root = project(tmp_path, "[red]x[b] \x1b[31m", "[@click=app.quit]task[/]")
    unit, role = "\u202e[b]u", "[i]r"
    talk = happened.ModelAnswered(unit, 0, "d", role, "[/]p", "BingSearch[Woman in Gold]")
    run = write(root, [happened.RunOpened(1, 1, "h", "[/bold"), happened.StageStarted("[/s", 3), talk])
    with alive(run):
        async with studio_of(Target(tmp_path), (120, 36)) as (app, pilot):
            text = await settled(app, pilot)
            assert "[red]x[b] ␛[31m" in text
            assert "[@click=app.quit]task[/]" in text
            await pilot.press("enter", "3")
            text = await settled(app, pilot)
            for expected in ("BingSearch[Woman in Gold]", "<U+202E>[b", "[/]p", "[/bold", "[/s 0/3"):
                assert expected in text


async def test_bad_lines_and_no_colour(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(opera, opened())
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("LANG", "C")
    async with run_of(opera) as (app, pilot):
        text = await settled(app, pilot)
        assert app.animation_level == "none"
        assert app.theme == "ansi-dark"
        assert "! interrupted" in text
        assert "✓" not in text


@pytest.mark.parametrize("size", [(59, 20), (30, 10), (200, 60)])
async def test_any_size_draws(opera: Path, size: tuple[int, int]) -> None:
    write(opera, training())
    async with run_of(opera, size) as (app, pilot):
        assert "opera" in await settled(app, pilot)


@pytest.mark.does("project.next_pane", "project.previous_pane")
async def test_brackets_lead_through_the_panes(opera: Path) -> None:
    async with studio_of(find(str(opera))) as (app, pilot):
        for key, said in (("left", "stage"), ("right", "Who wrote Fidelio?"), ("right", "Retrieve")):
            await pilot.press(f"{key}_square_bracket")
            assert said in await settled(app, pilot)


@pytest.mark.does("project.zoom")
async def test_a_pane_alone(opera: Path) -> None:
    async with studio_of(find(str(opera))) as (app, pilot):
        for tabs in (0, 1):
            await pilot.press("plus")
            text = await settled(app, pilot)
            assert "Who wrote Fidelio?" in text
            assert text.count("7 Runs") == tabs


@pytest.mark.does("everywhere.repaint")
async def test_everything_is_sent_again(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with studio_of(find(str(opera))) as (app, pilot):
        sent: list[str] = []
        monkeypatch.setattr(app._driver, "repaint", lambda: sent.append("everything"), raising=False)
        await pilot.press("ctrl+l")
        assert sent == ["everything"]


@pytest.mark.does("everywhere.interrupt")
async def test_ctrl_c_pressed_twice_leaves(opera: Path) -> None:
    one, other = write(opera, synthesis(), 1), write(opera, synthesis(), 2)
    with alive(one), alive(other):
        async with studio_of(find(str(opera)), (120, 36)) as (app, pilot):
            await pilot.press("ctrl+c")
            assert "q leaves the studio, and so does ctrl+c pressed again" in await settled(app, pilot)
            assert app.is_running
            await pilot.press("ctrl+c")
            await pilot.pause()
        assert app.return_value == f"{other.name}, {one.name} go on; `studio` shows them again."


@pytest.mark.does("everywhere.suspend_process")
async def test_ctrl_z_suspends(opera: Path) -> None:
    """Here there is no terminal to give back; test_driver.py stops a real process."""
    async with studio_of(find(str(opera))) as (app, pilot):
        await pilot.press("ctrl+z")
        assert "Who wrote Fidelio?" in await settled(app, pilot)


@pytest.mark.does("confirm.close")
async def test_escape_closes_a_question(opera: Path) -> None:
    async with studio_of(find(str(opera))) as (app, pilot):
        await pilot.press("x")
        assert "esc cancel" in await settled(app, pilot)
        await pilot.press("escape")
        assert "Delete the example" not in await settled(app, pilot)


async def test_what_was_said_about_one_pane_is_gone_in_the_next(opera: Path) -> None:
    async with studio_of(find(str(opera))) as (app, pilot):
        await pilot.press("u")
        assert "There is nothing to undo." in await settled(app, pilot)
        await pilot.press("2")
        assert "There is nothing to undo." not in await settled(app, pilot)


@pytest.mark.parametrize("key", "1234567")
async def test_the_shown_pane_is_named_on_a_narrow_screen(opera: Path, key: str) -> None:
    async with studio_of(find(str(opera)), (45, 15)) as (app, pilot):
        await pilot.press(key)
        tabs = (await settled(app, pilot)).splitlines()[1]
        titles = ("Task", "Tools", "Trajectories", "Training", "Group", "Lab", "Runs")
        assert [title for title in titles if title in tabs.split()] == [titles[int(key) - 1]]
        assert all(number in tabs.split() for number in "1234567")


async def test_a_click_on_a_key_of_the_footer_presses_it(opera: Path) -> None:
    async with studio_of(find(str(opera))) as (app, pilot):
        footer = (await settled(app, pilot)).splitlines()[-1]
        await pilot.click("#footer", offset=(footer.index("a add") + 2, 0))
        assert "New example" in await settled(app, pilot)
        await pilot.press("escape")
        await settled(app, pilot)
        await pilot.click("#footer", offset=(footer.index("help") + 1, 0))
        assert "change the name, description and answer form" in await settled(app, pilot)


async def test_a_run_deleted_under_each_pane_gives_way_to_the_next(opera: Path) -> None:
    for minute, key in enumerate("1234567", 1):
        write(opera, finished(), 50)
        run = write(opera, synthesis(), 50 + minute)
        async with studio_of(find(str(opera)), (120, 36)) as (app, pilot):
            await pilot.press(key)
            assert "synthesis 37/120" in (await settled(app, pilot)).splitlines()[0]
            shutil.rmtree(run.path)
            for _ in range(2):
                app.screen.follow._list_due = 0.0  # type: ignore[attr-defined]
                text = await settled(app, pilot)
            assert "finished  group planning" in text.splitlines()[0]
        shutil.rmtree(opera / "runs")


async def test_a_project_whose_only_run_is_deleted_says_that_there_is_none(opera: Path) -> None:
    run = write(opera, finished())
    async with studio_of(find(str(opera)), (120, 36)) as (app, pilot):
        await pilot.press("3")
        assert "expected Beethoven" in await settled(app, pilot)
        shutil.rmtree(run.path)
        for _ in range(2):
            app.screen.follow._list_due = 0.0  # type: ignore[attr-defined]
            text = await settled(app, pilot)
        assert "no runs yet" in text.splitlines()[0]
        assert "expected Beethoven" not in text
        assert "No runs yet" in text
