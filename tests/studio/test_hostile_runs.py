"""Runs that no job wrote: every pane shows something of each of them, and the studio goes on."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hostile_runs import LOGS, NOTES, SETTINGS, at
from paned import Instead, done
from stories import project, screen_text

from autoact.run.record.folder import RunFolder, new_run
from studio.app import StudioApp
from studio.screens.project import ProjectScreen
from studio.target import find


def hostile_runs(root: Path) -> list[RunFolder]:
    """One run for each log, each settings, and each note that is odd."""
    made = []
    for kind, cases in (("log", LOGS), ("settings", SETTINGS), ("note", NOTES)):
        for content in cases.values():
            folder = new_run(root, kind, {"run": {"stages": ["synthesis"]}}, now=datetime(2026, 11, 22, 14, 30))
            folder.events.write_bytes(content if kind == "log" else at(1.0))
            notes = (folder.exit, folder.heartbeat, folder.lock, folder.keeper) if kind == "note" else ()
            for file in (folder.config,) if kind == "settings" else notes:
                file.write_bytes(content)
            made.append(folder)
    return made


@pytest.mark.parametrize("pane", "1234567")
async def test_a_pane_survives_each_of_them(tmp_path: Path, instead: Instead, pane: str) -> None:
    instead("print('[]')")
    root = project(tmp_path)
    runs = hostile_runs(root)
    app = StudioApp(find(str(root)))
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.press(pane)
        await done(app, pilot)
        for run in (run for run in runs if "-log-" in run.name):
            assert isinstance(app.screen, ProjectScreen)
            app.screen.follow_run(run.name)
            await done(app, pilot)
            await pilot.press("j", "k")
            assert "opera" in screen_text(app), run.name
    assert not app.return_code
