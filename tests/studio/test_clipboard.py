"""Copying: what is under the cursor goes to a file, and from there as far as it can."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from paned import done, pane_of
from stories import HOSTILE, finished, screen_text, synthesis, write
from textual.pilot import Pilot

from studio.app import StudioApp
from studio.target import Target
from studio.terminal import clipboard, user_files

TMUX = """#!/bin/sh
echo "$@" > {0}/words
cat > {0}/taken
exit {1}
"""


def tmux(folder: Path, patch: pytest.MonkeyPatch, *, code: int) -> None:
    """A tmux that notes what it is given."""
    program = folder / "tmux"
    program.write_text(TMUX.format(folder, code), encoding="utf-8")
    program.chmod(0o755)
    patch.setenv("PATH", str(folder), prepend=os.pathsep)
    patch.setenv("TMUX", "socket,1,0")


async def copied(app: StudioApp, pilot: Pilot[str]) -> str:
    """Presses the key; the file that it makes."""
    await pilot.press("y")
    for _ in range(200):
        await done(app, pilot)
        if "saved in" in screen_text(app):
            return user_files.clipboard_file().read_text("utf-8")
        await pilot.pause(0.05)
    raise AssertionError(screen_text(app))


@pytest.mark.does("list.copy")
@pytest.mark.parametrize("code", [0, 1])
async def test_an_answer_goes_through_tmux_else_by_the_terminal(
    opera: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    tmux(tmp_path, monkeypatch, code=code)
    write(opera, synthesis())
    async with pane_of(opera, "3", (200, 24)) as (app, pilot):
        await pilot.press("enter", "g")
        assert await copied(app, pilot) == (tmp_path / "taken").read_text("utf-8") == f"I should try {HOSTILE} first."
        assert ("copied through tmux; saved in" in screen_text(app)) == (code == 0)
        assert app.clipboard == ("" if code == 0 else f"I should try {HOSTILE} first.")
    assert (tmp_path / "words").read_text("utf-8") == "load-buffer -w -\n"
    assert stat.S_IMODE(user_files.clipboard_file().stat().st_mode) == 0o600


@pytest.mark.does("list.copy")
async def test_a_row_has_tabs_between_its_cells(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    write(opera, finished())
    async with pane_of(opera, "1", (200, 24)) as (app, pilot):
        assert "\tWho wrote Fidelio?\tBeethoven\t" in await copied(app, pilot)
        assert "copied if the terminal allows it" in screen_text(app)


@pytest.mark.does("list.copy")
async def test_a_project_is_copied_from_the_list(opera: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    app = StudioApp(Target(opera.parent))
    async with app.run_test(size=(200, 24)) as pilot:
        await done(app, pilot)
        assert (await copied(app, pilot)).startswith("opera")


async def test_nothing_is_said_to_be_nothing(opera: Path) -> None:
    async with pane_of(opera, "7") as (app, pilot):
        await pilot.press("y")
        await done(app, pilot)
        assert "There is nothing to copy here." in screen_text(app)
    assert not user_files.clipboard_file().exists()


def test_a_terminal_is_not_given_more_than_it_takes() -> None:
    written: list[str] = []
    assert clipboard.copy_by_terminal("é" * 30_000, written.append) == "too long for a terminal's clipboard"
    assert clipboard.copy_by_terminal("é" * 20_000, written.append) == "copied if the terminal allows it"
    assert written == ["é" * 20_000]


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "not saved in" in clipboard.save("x", tmp_path / "file" / "clipboard.txt")
