"""Every screen at three sizes in three themes, as it is kept in `snapshots`."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from paned import done
from showcase import AT_WORK, at_work, showcase, tools
from snapshot import FOLDER, Picture, Snapshot
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from autoact.run.record.folder import RunFolder
from studio.actions import cli_command
from studio.app import StudioApp
from studio.screens import project
from studio.screens.project import ProjectScreen
from studio.target import Target

SIZES = ((80, 24), (120, 36), (200, 60))
THEMES = ("studio-dark", "studio-light")
COLOURLESS = "no colour"
MOST = 150
"""Files in the folder."""


@dataclass(frozen=True, slots=True)
class Scene:
    """How one gets to a screen from the first one of a project."""

    name: str
    keys: tuple[str, ...] = ()
    where: str = "composers"
    """A project, or a folder of projects."""


SCENES = (
    Scene("first", where="none"),
    Scene("projects", where=""),
    Scene("task", ("1",)),
    Scene("tools", ("2",)),
    Scene("trajectories", ("7", "j", "enter", "3")),
    Scene("training", ("4",)),
    Scene("group", ("5",)),
    Scene("lab", ("6", "G")),
    Scene("runs", ("7",)),
    Scene("lessons", ("4", "o")),
    Scene("help", ("3", "question_mark")),
    Scene("palette", ("5", "colon")),
    Scene("form", ("1", "e")),
    Scene("settings", ("2", "comma")),
    Scene("confirm", ("1", "x")),
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of projects that the studio knows by a name that is the same everywhere."""
    root = showcase(tmp_path / "projects")
    (tmp_path / "instead.py").write_text(f"print({tools()!r})", encoding="utf-8")
    monkeypatch.setattr(cli_command, "PROGRAM", (sys.executable, str(tmp_path / "instead.py")))
    monkeypatch.setattr(project, "LOAD_S", 1e6)  # the load of a machine is never the same twice
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    with contextlib.ExitStack() as jobs:
        for name in AT_WORK:
            jobs.enter_context(at_work(RunFolder(root / "runs" / name)))
        yield Path("projects")
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_screen(scene: Scene, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In colours, then once more as NO_COLOR has it."""
    coloured = await pictures(scene, place, THEMES)
    monkeypatch.setenv("NO_COLOR", "1")
    colourless = await pictures(scene, place, (COLOURLESS,))
    for size in SIZES:
        Snapshot.of(f"{scene.name}-{size[0]}x{size[1]}", {**coloured[size], **colourless[size]}).check()


def test_no_file_is_left_over() -> None:
    expected = {f"{scene.name}-{width}x{height}.txt" for scene in SCENES for width, height in SIZES}
    assert {file.name for file in FOLDER.iterdir()} == expected
    assert len(expected) <= MOST


async def pictures(scene: Scene, place: Path, themes: tuple[str, ...]) -> dict[tuple[int, int], dict[str, Picture]]:
    """By size and theme."""
    target = Target(place / scene.where) if scene.where in ("", "none") else Target(place, place / scene.where)
    app, found = StudioApp(target), dict[tuple[int, int], dict[str, Picture]]()
    async with app.run_test(size=SIZES[0]) as pilot:
        await done(app, pilot)
        for key in scene.keys:
            await pilot.press(key)
            await done(app, pilot)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            found[size] = {theme: await drawn(app, pilot, theme) for theme in themes}
    return found


async def drawn(app: StudioApp, pilot: Pilot[str], theme: str) -> Picture:
    """The screen's rows once nothing moves any more."""
    if theme != COLOURLESS:
        app.theme = theme
    for field in app.screen.query("*"):
        if isinstance(field, Input | TextArea):
            field.cursor_blink = False
    for screen in app.screen_stack:
        if isinstance(screen, ProjectScreen):
            screen.follow.start()
    await done(app, pilot)
    return app.screen._compositor.render_strips()
