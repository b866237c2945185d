"""What the studio shows again at its next start: project, pane, run, row, filter and order."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from paned import done, until
from stories import alive, finished, project, screen_text, synthesis, training, write
from textual.pilot import Pilot

from autoact.cli import main
from autoact.project.recent import recent_projects, remember_project
from studio.app import StudioApp
from studio.files.view_memory import memory_file, read_memory
from studio.screens.project import ProjectScreen
from studio.screens.projects import ProjectsScreen
from studio.target import Target, find
from studio.widgets.input_line import InputLine
from studio.widgets.lists.table import Table


@contextlib.asynccontextmanager
async def studio(*named: str) -> AsyncIterator[tuple[StudioApp, Pilot[str]]]:
    app = StudioApp(find(*named) if named else find(None))
    async with app.run_test(size=(120, 36)) as pilot:
        await done(app, pilot)
        yield app, pilot


async def leave(app: StudioApp, pilot: Pilot[str]) -> None:
    await pilot.press("q")
    await done(app, pilot)


def screen(app: StudioApp) -> ProjectScreen:
    assert isinstance(app.screen, ProjectScreen)
    return app.screen


async def test_pane_row_filter_and_order_are_as_they_were(opera: Path) -> None:
    write(opera, finished())
    async with studio(str(opera)) as (app, pilot):
        await pilot.press("3", "S", "/", *"state:kept", "enter", "j", "j", "j")
        await done(app, pilot)
        table = screen(app).query_one("#episodes", Table)
        chosen, text = table.chosen, screen_text(app)
        assert table.cursor == 3
        await leave(app, pilot)
    async with studio(str(opera)) as (app, pilot):
        await until(pilot, lambda: screen(app).query_one("#episodes", Table).chosen == chosen)
        await done(app, pilot)
        assert screen(app).query_one("#wanted", InputLine).value == "state:kept"
        assert screen_text(app).splitlines()[2:20] == text.splitlines()[2:20]
        assert app.focused is screen(app).query_one("#episodes", Table)


@pytest.mark.parametrize("known", [True, False])
async def test_who_answers_is_as_it_was_unless_that_is_no_choice_any_more(opera: Path, *, known: bool) -> None:
    async with studio(str(opera)) as (app, pilot):
        await pilot.press("5", "c", "j", "j", "enter")
        await done(app, pilot)
        assert "next: group + meta" in screen_text(app)
        await leave(app, pilot)
    if not known:
        memory_file().write_text(memory_file().read_text("utf-8").replace('"meta"', '"gone"'), encoding="utf-8")
    async with studio(str(opera)) as (app, pilot):
        assert ("next: group + meta" in screen_text(app)) is known
        assert "next: group" in screen_text(app)


async def test_an_unsorted_unfiltered_list_begins_at_its_top(opera: Path) -> None:
    write(opera, finished())
    async with studio(str(opera)) as (app, pilot):
        await pilot.press("3")
        await done(app, pilot)
        await leave(app, pilot)
    async with studio(str(opera)) as (app, pilot):
        assert not screen(app).query_one("#wanted", InputLine).has_class("shown")
        assert screen(app).query_one("#episodes", Table).cursor == 0


async def test_the_run_of_ones_choice_unless_only_another_is_alive(opera: Path) -> None:
    older, newer = write(opera, finished(), 1), write(opera, training(), 2)
    async with studio(str(opera)) as (app, pilot):
        assert screen(app).follow.name == newer.name
        screen(app).follow_run(older.name)
        await leave(app, pilot)
    async with studio(str(opera)) as (app, pilot):
        assert screen(app).follow.name == older.name
        await leave(app, pilot)
    with alive(newer):
        async with studio(str(opera)) as (app, pilot):
            assert screen(app).follow.name == newer.name


async def test_a_new_run_is_followed_when_none_was_chosen(opera: Path) -> None:
    write(opera, finished(), 1)
    async with studio(str(opera)) as (app, pilot):
        await leave(app, pilot)
    newer = write(opera, synthesis(), 2)
    async with studio(str(opera)) as (app, pilot):
        assert screen(app).follow.name == newer.name


async def test_a_run_or_a_cursor_that_is_gone_is_no_trouble(opera: Path) -> None:
    older = write(opera, finished(), 1)
    write(opera, training(), 2)
    async with studio(str(opera)) as (app, pilot):
        screen(app).follow_run(older.name)
        await pilot.press("3", "j")
        await leave(app, pilot)
    older.config.unlink()
    async with studio(str(opera)) as (app, pilot):
        assert screen(app).follow.name != older.name
        assert screen(app).query_one("#episodes", Table).cursor == 0


async def test_without_a_name_the_studio_opens_where_it_was_left(opera: Path) -> None:
    async with studio() as (app, pilot):
        assert isinstance(app.screen, ProjectsScreen)
        await pilot.press("enter", "7")
        await done(app, pilot)
        await leave(app, pilot)
    async with studio() as (app, pilot):
        assert screen(app).project == opera
        assert "No runs yet" in screen_text(app)
        await pilot.press("escape", "escape")
        await done(app, pilot)
        assert isinstance(app.screen, ProjectsScreen)
        await leave(app, pilot)
    async with studio() as (app, pilot):
        assert isinstance(app.screen, ProjectsScreen)


async def test_what_a_killed_studio_showed_is_saved_meanwhile(opera: Path) -> None:
    async with studio(str(opera)) as (app, pilot):
        await pilot.press("7")
        await done(app, pilot)
        screen(app).save_view()  # as the timer does
    assert read_memory()[0].projects[str(opera)].pane == "Runs"


@pytest.mark.parametrize("damage", [b"{", b'{"last": 7}', b"\xff\xfe"])
async def test_a_damaged_file_is_told_and_set_aside(opera: Path, damage: bytes) -> None:
    memory_file().parent.mkdir(parents=True)
    memory_file().write_bytes(damage)
    async with studio(str(opera)) as (app, pilot):
        await until(pilot, lambda: any("views.json is damaged" in note.message for note in app._notifications))
        await leave(app, pilot)
    assert memory_file().with_name("views.json.damaged1").read_bytes() == damage
    assert str(opera) in read_memory()[0].projects


# -- recent projects, and names ----------------------------------------------------------------------------------------


async def test_a_project_made_anywhere_is_in_the_list(opera: Path, tmp_path: Path) -> None:
    assert main(["new", str(tmp_path / "far" / "away" / "rivers")]) == 0
    async with studio() as (app, pilot):
        assert "rivers in away" in screen_text(app)
        assert "opera" in screen_text(app)
        await pilot.press("enter")
        await done(app, pilot)
        assert screen(app).project == tmp_path / "far" / "away" / "rivers", "the cursor is on the one used last"
    app = StudioApp(Target(tmp_path / "far"))
    async with app.run_test(size=(120, 36)) as pilot:
        await done(app, pilot)
        assert "opera" not in screen_text(app), "a folder that is named is listed alone"


def test_names_mean_projects(opera: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(opera, finished())
    remember_project(project(tmp_path / "elsewhere", "rivers"))
    assert main(["runs", "opera"]) == 0
    assert main(["runs", "rivers"]) == 0
    assert main(["stats", "opera"]) == 0
    assert find("rivers").project == tmp_path / "elsewhere" / "rivers"
    capsys.readouterr()
    assert main(["delete", "opera", "--yes"]) == 2, "a name means a project as its path does"
    assert "expected a run's folder, or a project with `--run NAME`" in capsys.readouterr().err
    assert main(["runs", "operetta"]) == 2
    assert "a project's name" in capsys.readouterr().err


def test_a_name_of_several_projects_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in ("east", "west"):
        remember_project(project(tmp_path / place, "rivers"))
    assert main(["runs", "rivers"]) == 2
    assert "`rivers` could be any of " in capsys.readouterr().err


def test_projects_that_are_gone_are_not_listed(tmp_path: Path) -> None:
    here, gone = project(tmp_path / "east", "rivers"), project(tmp_path / "west", "lakes")
    remember_project(gone)
    remember_project(here)
    (gone / "project.toml").unlink()
    assert recent_projects() == [here]
