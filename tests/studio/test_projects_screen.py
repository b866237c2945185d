"""The list of projects, driven by keys: made, opened, copied, renamed and put out of sight."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from paned import done, until
from stories import alive, finished, project, screen_text, synthesis, trajectory, write
from textual.pilot import Pilot
from textual.widgets import Static

from autoact.events import Event, QuestionSolved, RunCancelled, RunFinished, RunOpened, StageFinished, StageStarted
from autoact.project.project import TEMPLATES, Project
from studio.app import StudioApp
from studio.runs.project_summary import SummaryReader
from studio.screens import confirm
from studio.screens.form import Form
from studio.screens.project import ProjectScreen
from studio.target import Target
from studio.widgets.lists.menu import Menu


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
        await pilot.press("escape", "escape")
        await done(app, pilot)
        assert "my-project" in screen_text(app)


async def test_the_second_choice_makes_a_project_of_ones_own(tmp_path: Path) -> None:
    async with projects_of(tmp_path / "none") as (app, pilot):
        await pilot.press("j", "enter", "enter")
        await done(app, pilot)
        assert "untitled" in (tmp_path / "none" / "my-project" / "project.toml").read_text("utf-8")


@pytest.mark.does("projects.new", "choice.take")
async def test_a_project_is_made_under_a_name_that_is_free(opera: Path) -> None:
    async with projects_of(opera.parent) as (app, pilot):
        await pilot.press("n")
        await done(app, pilot)
        assert "ctrl+o create   esc cancel" in screen_text(app)
        await pilot.press(*"opera", "enter")
        await done(app, pilot)
        assert "already exists" in screen_text(app), "what was typed took the place of the suggested name"
        await pilot.press(*"-2", "tab", *["right"] * TEMPLATES.index("blank"))
        await done(app, pilot)
        assert "[blank]" in screen_text(app)
        await pilot.press("enter")
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
        assert "no project here" in str(app.screen.query_one("#error", Static).content)
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
        await pilot.press("r", *"fidelio", "enter")
        await done(app, pilot)
        assert (opera.parent / "fidelio").is_dir()
        assert "fidelio" in screen_text(app)


@pytest.mark.does("projects.archive", "confirm.no")
async def test_archiving_asks_and_moves(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirm, "IGNORE_KEYS_S", 0.0)
    async with projects_of(opera.parent) as (app, pilot):
        await pilot.press("x", "n")
        await done(app, pilot)
        assert opera.is_dir()
        await pilot.press("x", "y")
        await done(app, pilot)
        assert (opera.parent / "archive" / "opera" / "project.toml").is_file()
        assert "No projects yet" in screen_text(app)
        assert "opera is archived; u moves it back" in screen_text(app)


async def test_after_one_project_went_the_cursor_is_on_the_next_else_on_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirm, "IGNORE_KEYS_S", 0.0)
    for name in ("aida", "carmen", "nabucco", "tosca"):
        project(tmp_path, name)
    async with projects_of(tmp_path) as (app, pilot):
        menu = app.screen.query_one("#projects", Menu)
        for key, left in (("down", "nabucco"), ("down", "nabucco")):
            await pilot.press(key, "x", "y")
            await done(app, pilot)
            assert menu.chosen is not None
            assert Path(menu.chosen).name == left


@pytest.mark.parametrize(
    ("size", "heads"),
    [
        ((30, 12), ("project",)), ((45, 15), ("project", "last run")), ((60, 15), ("project", "stage", "last run")),
        ((70, 15), ("project", "stage", "last run", "F1 group/meta")),
        ((80, 24), ("project", "task", "stage", "last run", "F1 group/meta")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("count", [2, 30])
async def test_a_project_has_one_line_however_narrow(
    tmp_path: Path, count: int, size: tuple[int, int], heads: tuple[str, ...]
) -> None:
    """Also beside a scroll bar; columns that do not fit are hidden."""
    for number in range(10, 10 + count):
        write(project(tmp_path, f"opera-{number}"), finished())
    async with projects_of(tmp_path, size) as (app, pilot):
        await until(pilot, lambda: "finished" in screen_text(app) or "last run" not in heads)
        lines = screen_text(app).splitlines()
        assert tuple(re.split(" {2,}", lines[1].strip())) == heads
        shown = lines[2 : 2 + min(count, size[1] - 4)]
        assert [line.split()[0] for line in shown] == [f"opera-{number}" for number in range(10, 10 + len(shown))]


@pytest.mark.does("projects.delete")
async def test_deleting_asks_and_leaves_nothing(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirm, "IGNORE_KEYS_S", 0.0)
    async with projects_of(opera.parent) as (app, pilot):
        await pilot.press("X")
        await done(app, pilot)
        assert "with 0 runs and all else in it? This cannot be undone" in " ".join(screen_text(app).split())
        await pilot.press("n")
        await done(app, pilot)
        assert opera.is_dir()
        await pilot.press("X", "y")
        await done(app, pilot)
        assert "opera is deleted" in screen_text(app)
    assert not opera.exists()


@pytest.mark.parametrize("key", ["x", "X"])
async def test_a_project_with_a_run_at_work_is_kept_without_a_question(opera: Path, key: str) -> None:
    with alive(write(opera, synthesis())):
        async with projects_of(opera.parent) as (app, pilot):
            await pilot.press(key)
            await done(app, pilot)
            assert "has a job; cancel it first." in screen_text(app)


@pytest.mark.does("projects.restore")
async def test_an_archived_project_moves_back(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirm, "IGNORE_KEYS_S", 0.0)
    async with projects_of(opera.parent) as (app, pilot):
        await pilot.press("u")
        await done(app, pilot)
        assert "No project is archived here." in screen_text(app)
        await pilot.press("x", "y")
        await done(app, pilot)
        await pilot.press("u")
        await done(app, pilot)
        assert "Archived projects" in screen_text(app)
        await pilot.press("enter")
        await done(app, pilot)
        assert "opera is back" in screen_text(app)
    assert (opera / "project.toml").is_file()


async def test_a_project_at_work_is_not_moved(opera: Path) -> None:
    with alive(write(opera, synthesis())):
        async with projects_of(opera.parent) as (app, pilot):
            await pilot.press("r", "end", *"2", "enter")
            await done(app, pilot)
            assert "has a live job" in screen_text(app)
            assert opera.is_dir()


async def test_the_model_and_the_jobs_are_shown(opera: Path) -> None:
    with alive(write(opera, synthesis(), 1)), alive(write(opera, synthesis(), 2)):
        async with projects_of(opera.parent, (160, 36)) as (app, _):
            assert "smollm2-135m-instruct" in screen_text(app)
            assert "running x2" in screen_text(app)


async def test_a_run_at_work_is_shown_before_a_newer_one_that_is_over(opera: Path) -> None:
    with alive(write(opera, synthesis(), 1)):
        write(opera, finished(), 2)
        async with projects_of(opera.parent, (120, 36)) as (app, pilot):
            row = next(row for row in screen_text(app).splitlines() if "opera" in row)
            assert "synthesis 37/120" in row
            assert "running" in row
            await pilot.press("enter")
            await done(app, pilot)
            assert "● running  synthesis 37/120" in screen_text(app).splitlines()[0]


async def test_scores_stay_when_a_later_run_has_none(opera: Path) -> None:
    write(opera, finished(), 1)
    write(opera, synthesis(), 2)
    async with projects_of(opera.parent, (120, 36)) as (app, _):
        row = next(row for row in screen_text(app).splitlines() if "opera" in row)
        assert "interrupted" in row
        assert "75.0 / 25.0" in row


async def test_leaving_the_list_names_every_run_that_goes_on(opera: Path) -> None:
    one, other = write(opera, synthesis(), 1), write(project(opera.parent, "maps", "Capitals"), synthesis(), 2)
    with alive(one), alive(other):
        async with projects_of(opera.parent) as (app, pilot):
            await pilot.press("q")
            assert app.return_value == f"{other.name}, {one.name} go on; `studio` shows them again."


def answers(casts: Sequence[str], f1: float, *, over: bool = True) -> list[Event]:
    """A run that answers one question by each method."""
    solved = [QuestionSolved(cast, trajectory(f"{cast}-1", cast=cast), f1, f1, scored=True) for cast in casts]
    end: list[Event] = [StageFinished("group_planning", 1, 1.0), RunFinished()] if over else [RunCancelled()]
    return [RunOpened(1, 77, "here"), StageStarted("group_planning", len(casts)), *solved, *end]


@pytest.mark.parametrize(
    ("casts", "settings", "over", "shown"),
    [
        (("direct",), {}, True, "75.0 / 25.0"),
        (("group",), {"group_planning": {"limit": 1}}, True, "75.0 / 25.0"),
        (("group",), {"run": {"data": "/hotpot.json"}}, True, "75.0 / 25.0"),
        (("group", "meta"), {}, False, "75.0 / 25.0"),
        (("group",), {"group_planning": {"compare": ["group"]}}, True, "11.0 / 25.0"),
        (("group", "meta"), {}, True, "11.0 / 11.0"),
    ],
)
def test_scores_are_those_of_the_newest_finished_run_with_the_most_questions(
    opera: Path, casts: tuple[str, ...], settings: dict[str, object], over: bool, shown: str
) -> None:
    write(opera, finished(), 1)
    write(opera, answers(casts, 0.11, over=over), 2, settings)
    reader = SummaryReader(Project.open(opera))
    assert [reader.read().scores for _ in range(2)] == [shown] * 2


async def test_projects_of_the_working_folder_are_listed_too(
    opera: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "work"
    made = project(here, "here", "Made where one stands")
    monkeypatch.chdir(here)
    async with projects_of(tmp_path, (120, 36)) as (app, pilot):
        text = screen_text(app)
        assert "Composers" in text
        assert "./here" in text
        await pilot.press("slash", *"stands", "enter", "enter")
        await done(app, pilot)
        assert isinstance(app.screen, ProjectScreen)
        assert app.screen.project == made
    monkeypatch.chdir(made)
    async with projects_of(tmp_path, (120, 36)) as (app, _):
        assert "Made where one stands" in screen_text(app), "the project that one stands in"


@pytest.mark.does("projects.show_all")
async def test_the_filter_is_left_by_escape(opera: Path) -> None:
    project(opera.parent, "maps", "Capitals")
    async with projects_of(opera.parent) as (app, pilot):
        await pilot.press("slash", *"maps", "enter")
        await done(app, pilot)
        text = screen_text(app)
        assert "Composers" not in text
        assert "esc show all" in text
        await pilot.press("escape")
        await done(app, pilot)
        text = screen_text(app)
        assert "Composers" in text
        assert "esc show all" not in text


async def test_a_settings_file_that_is_a_folder_is_a_line_of_its_own(opera: Path) -> None:
    (opera / "project.toml").unlink()
    (opera / "project.toml").mkdir()
    async with projects_of(opera.parent, (120, 36)) as (app, pilot):
        assert "cannot be read: Is a directory" in screen_text(app)
        await pilot.press("enter")
        await done(app, pilot)
        assert "cannot be read: Is a directory" in screen_text(app)
        await pilot.press("4", "S")
        await done(app, pilot)
        assert "cannot be read: Is a directory" in " ".join(screen_text(app).split())  # it may wrap
