"""The list of projects, driven by keys: made, opened, copied, renamed and put out of sight."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from paned import done
from stories import alive, project, screen_text, synthesis, write
from textual.pilot import Pilot
from textual.widgets import Static

from autoact.project import TEMPLATES
from studio.app import StudioApp
from studio.screens import confirm
from studio.screens.form import Form
from studio.screens.project import ProjectScreen
from studio.target import Target


@contextlib.asynccontextmanager
async def projects_of(folder: Path, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[StudioApp, Pilot[str]]]:
    app = StudioApp(Target(folder))
    async with app.run_test(size=size) as pilot:
        await done(app, pilot)
        yield app, pilot


async def test_the_first_start_has_three_choices_and_the_first_needs_nothing(tmp_path: Path) -> None:
    async with projects_of(tmp_path / "none") as (app, pilot):
        text = screen_text(app)
        for expected in ("try the starter", "a new project of your own", "open a project that is somewhere else"):
            assert expected in text
        await pilot.press("enter")
        await done(app, pilot)
        assert isinstance(app.screen, ProjectScreen)
        assert (tmp_path / "none" / "my-project" / "corpus" / "pages.jsonl").is_file()
        await pilot.press("escape")
        await done(app, pilot)
        assert "my-project" in screen_text(app)


async def test_the_second_choice_makes_a_project_of_ones_own(tmp_path: Path) -> None:
    async with projects_of(tmp_path / "none") as (app, pilot):
        await pilot.press("j", "enter", "enter")
        await done(app, pilot)
        assert "untitled" in (tmp_path / "none" / "my-project" / "project.toml").read_text("utf-8")


@pytest.mark.does("projects.new")
async def test_a_project_is_made_under_a_name_that_is_free(opera: Path) -> None:
    async with projects_of(opera.parent) as (app, pilot):
        await pilot.press("n", *["backspace"] * len("my-project"), *"opera", "enter")
        await done(app, pilot)
        assert "already exists" in screen_text(app)
        await pilot.press(*"-2", "tab", *["right"] * TEMPLATES.index("blank"), "ctrl+o")
        await done(app, pilot)
        assert isinstance(app.screen, ProjectScreen)
        assert "untitled" in (opera.parent / "opera-2" / "project.toml").read_text("utf-8")


@pytest.mark.does("projects.open_folder")
async def test_a_folder_anywhere_is_opened(opera: Path, tmp_path: Path) -> None:
    elsewhere = project(tmp_path / "far" / "away", "maps")
    async with projects_of(opera.parent) as (app, pilot):
        await pilot.press("o", *str(tmp_path), "enter")
        await done(app, pilot)
        assert isinstance(app.screen, Form)
        assert "no project here" in str(app.screen.query_one("#trouble", Static).content)
        await pilot.press(*"/far/away/maps", "enter")
        await done(app, pilot)
        assert isinstance(app.screen, ProjectScreen)
        assert app.screen.project == elsewhere


@pytest.mark.does("projects.duplicate", "projects.rename")
async def test_a_project_is_copied_and_renamed(opera: Path) -> None:
    async with projects_of(opera.parent) as (app, pilot):
        await pilot.press("d", "enter")
        await done(app, pilot)
        assert "opera-copy" in screen_text(app)
        await pilot.press("r", *"2", "enter")
        await done(app, pilot)
        assert (opera.parent / "opera2").is_dir()
        assert "opera2" in screen_text(app)


@pytest.mark.does("projects.archive", "confirm.no")
async def test_archiving_asks_and_moves(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirm, "DEAF_S", 0.0)
    async with projects_of(opera.parent) as (app, pilot):
        await pilot.press("x", "n")
        await done(app, pilot)
        assert opera.is_dir()
        await pilot.press("x", "y")
        await done(app, pilot)
        assert (opera.parent / "archive" / "opera" / "project.toml").is_file()
        assert "No projects yet" in screen_text(app)


async def test_a_project_at_work_is_not_moved(opera: Path) -> None:
    with alive(write(opera, synthesis())):
        async with projects_of(opera.parent) as (app, pilot):
            await pilot.press("r", *"2", "enter")
            await done(app, pilot)
            assert "is at work" in screen_text(app)
            assert opera.is_dir()


async def test_the_model_and_the_jobs_are_shown(opera: Path) -> None:
    with alive(write(opera, synthesis(), 1)), alive(write(opera, synthesis(), 2)):
        async with projects_of(opera.parent, (160, 36)) as (app, _):
            assert "smollm2-135m-instruct" in screen_text(app)
            assert "running x2" in screen_text(app)
