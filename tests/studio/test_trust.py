"""A project from elsewhere is looked at; the studio asks once before anything of it runs."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from paned import Instead, done
from stories import finished, project, screen_text, write
from textual.pilot import Pilot

from autoact.security import trust
from studio.app import StudioApp
from studio.screens import confirm
from studio.screens.confirm import Confirm
from studio.target import find


@contextlib.asynccontextmanager
async def studio_of(where: Path) -> AsyncIterator[tuple[StudioApp, Pilot[str]]]:
    app = StudioApp(find(str(where)))
    async with app.run_test(size=(120, 30)) as pilot:
        yield app, pilot


async def settled(app: StudioApp, pilot: Pilot[str]) -> str:
    """The words on the screen once every worker is done."""
    await done(app, pilot)
    return " ".join(screen_text(app).split())


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two runs, of which the one that seems newer came in an archive."""
    monkeypatch.setattr(confirm, "IGNORE_KEYS_S", 0.0)
    root = project(tmp_path)
    write(root, finished(), 30)
    imported = write(root, finished(), 31)
    imported.path.rename(imported.path.with_name("2999-01-01T0000-quick-ffff"))
    for folder in (root, *(root / "runs").iterdir()):
        trust.revoke(folder)
    trust.mark_imported(root / "runs" / "2999-01-01T0000-quick-ffff", "gift.tar.gz")
    return root


async def test_yes_trusts_it_and_its_own_runs(foreign: Path) -> None:
    async with studio_of(foreign) as (app, pilot):
        assert "Trust this project" in await settled(app, pilot)
        await pilot.press("y")
        assert "Trust this project" not in await settled(app, pilot)
    assert trust.is_trusted(foreign)
    assert [run.name for run in trust.foreign_runs(foreign)] == ["2999-01-01T0000-quick-ffff"]


async def test_no_shows_it_all_the_same_and_does_not_ask_again(foreign: Path) -> None:
    async with studio_of(foreign.parent) as (app, pilot):
        await settled(app, pilot)
        await pilot.press("enter")
        assert "Until you trust it, no model, Python" in await settled(app, pilot)
        await pilot.press("n")
        assert "Not trusted" in await settled(app, pilot)
        await pilot.press("escape")
        await settled(app, pilot)
        await pilot.press("enter")
        await settled(app, pilot)
        assert not isinstance(app.screen, Confirm)
    assert not trust.is_trusted(foreign)


async def test_ones_own_project_is_not_asked_about(opera: Path) -> None:
    async with studio_of(opera) as (app, pilot):
        await settled(app, pilot)
        assert not isinstance(app.screen, Confirm)


@pytest.mark.does("project.run")
async def test_a_foreign_run_is_marked_not_followed_and_asked_about(foreign: Path, instead: Instead) -> None:
    instead("import sys; print(*sys.argv[1:])")
    trust.trust_project(foreign)
    async with studio_of(foreign) as (app, pilot):
        await settled(app, pilot)
        assert app.screen.follow.name.startswith("2026-11-22T1430")  # type: ignore[attr-defined]
        await pilot.press("7")
        assert "foreign" in await settled(app, pilot)
        await pilot.press("g", "R")
        shown = await settled(app, pilot)
        assert "Trust this run?" in shown
        assert "2999-01-01T0000-quick-ffff came from elsewhere" in shown
