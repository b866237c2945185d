"""The form of all settings: what a person sees of each, and what a run is started with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from paned import Instead, done, pane_of
from stories import screen_text

from studio.screens.settings import SettingsForm
from studio.widgets.lists.table import Table

NOTES = """
import json, sys, pathlib
pathlib.Path({folder!r}, "asked.txt").write_text(" ".join(sys.argv[1:]))
print({answer!r})
"""
GB = 1e9
PLAN = {
    "model": "smollm2-135m-instruct", "devices": {"memory": [8 * GB]}, "chosen": {"precision": "bfloat16"},
    "options": [
        {"precision": "bfloat16", "answering": 1.5 * GB, "training": 2.4 * GB, "lanes": 24, "cards": 1},
        {"precision": "float32", "answering": 9 * GB, "training": 12 * GB, "lanes": 0, "cards": 2},
    ],
}  # fmt: skip
SIZES = pytest.mark.parametrize("size", [(60, 15), (80, 24), (160, 48)])


@pytest.fixture
def planned(opera: Path, instead: Instead) -> Path:
    """A project whose commands answer with a memory plan, and note what they were asked."""
    instead(NOTES.format(folder=str(opera), answer=json.dumps(PLAN)))
    return opera


def flowing(text: str) -> str:
    return " ".join(text.split())


@SIZES
@pytest.mark.does("settings.filter", "settings.up")
async def test_a_setting_is_found_by_its_help_and_changed(planned: Path, size: tuple[int, int]) -> None:
    async with pane_of(planned, "7", size) as (app, pilot):
        await pilot.press("n")
        await done(app, pilot)
        assert "quick" in screen_text(app)
        await pilot.press("slash", *"at the same time lanes", "enter")
        await done(app, pilot)
        text = flowing(screen_text(app))
        assert "lanes 24" in text
        assert "model.lanes whole number from 1, in episodes default: 24" in text
        await pilot.press("enter", "ctrl+u", *"0", "enter")
        await done(app, pilot)
        assert "model.lanes: expected a whole number from 1, found 0" in flowing(screen_text(app))
        await pilot.press("ctrl+u", *"4", "enter")
        await done(app, pilot)
        assert "this run" in screen_text(app)
        await pilot.press("escape")
        await done(app, pilot)
        assert "precision" in screen_text(app), "all settings are shown again"
        await pilot.press("ctrl+o")
        await done(app, pilot)
    assert "--set=model.lanes=4" in (planned / "asked.txt").read_text()


@pytest.mark.does("settings.next_word", "settings.previous_word", "settings.reset")
async def test_the_preset_names_itself_as_the_origin_and_changes_are_taken_back(planned: Path) -> None:
    async with pane_of(planned, "7", (120, 40)) as (app, pilot):
        await pilot.press("n")
        await done(app, pilot)
        assert "preset quick" in screen_text(app)
        await pilot.press("right")
        await done(app, pilot)
        assert "preset full" in screen_text(app)
        assert "preset quick" not in screen_text(app)
        await pilot.press("left")
        await done(app, pilot)
        assert "preset quick" in screen_text(app)
        await pilot.press("slash", *"model.precision", "enter", "right")
        await done(app, pilot)
        assert "this run" in screen_text(app)
        await pilot.press("x")
        await done(app, pilot)
        assert "this run" not in screen_text(app)


async def test_the_memory_plan_follows_the_precision(planned: Path) -> None:
    async with pane_of(planned, "7", (120, 40)) as (app, pilot):
        await pilot.press("n")
        await done(app, pilot)
        assert "bfloat16 needs 1.5 GB to answer with 24 lanes and 2.4 GB to train, of 8.0 GB" in screen_text(app)
        await pilot.press("slash", *"model.precision", "enter", "right", "right")
        await done(app, pilot)
        assert "does not fit" in screen_text(app)


@pytest.mark.does("settings.store")
async def test_a_change_is_written_into_the_project(planned: Path) -> None:
    (planned / "project.toml").write_text('# mine\n[task]\nname = "Opera"\n', encoding="utf-8")
    async with pane_of(planned, "7") as (app, pilot):
        await pilot.press("n")
        await done(app, pilot)
        await pilot.press("slash", *"model.id", "enter", "enter", "ctrl+u", *"mine", "enter", "w")
        await done(app, pilot)
        assert "project" in screen_text(app)
    assert (planned / "project.toml").read_text() == '# mine\n[task]\nname = "Opera"\n\n[model]\nid = "mine"\n'


async def test_changes_are_left_only_by_a_second_escape(planned: Path) -> None:
    async with pane_of(planned, "7") as (app, pilot):
        await pilot.press(
            "comma", "slash", *"model.lanes", "enter", "enter", "ctrl+u", "4", "enter", "escape", "escape"
        )
        await done(app, pilot)
        assert "Unsaved changes: esc again discards them." in screen_text(app)
        await pilot.press("x", "escape")
        assert not isinstance(app.screen, SettingsForm), "the change was taken back"
        await pilot.press("comma", "slash", *"model.lanes", "enter", "enter", "4", "enter", *["escape"] * 3)
        assert not isinstance(app.screen, SettingsForm)


async def test_the_run_form_asks_too_and_q_asks_before_it_leaves(planned: Path) -> None:
    async with pane_of(planned, "7") as (app, pilot):
        await pilot.press("n")
        await done(app, pilot)
        await pilot.press("right", "q")
        assert "Unsaved changes: q again discards them." in screen_text(app)
        await pilot.press("left", "escape")
        assert not isinstance(app.screen, SettingsForm), "the preset is as before"
        await pilot.press("n", "right", "q")
        await done(app, pilot)
        assert app.is_running
        await pilot.press("q")
        await pilot.pause()
        assert not app.is_running


async def test_typing_replaces_the_value_and_the_filter(planned: Path) -> None:
    async with pane_of(planned, "7") as (app, pilot):
        await pilot.press("comma", "slash", *"alpha", "enter", "slash", *"model.lanes", "enter", "enter", "7", "enter")
        await done(app, pilot)
        assert "lanes 7 " in flowing(screen_text(app))


async def test_a_filter_that_hides_the_chosen_setting_chooses_the_first_match(planned: Path) -> None:
    async with pane_of(planned, "7") as (app, pilot):
        await pilot.press("comma", "end", "slash", *"model.", "enter")
        await done(app, pilot)
        assert isinstance(app.screen, SettingsForm)
        assert app.screen.query_one(Table).cursor == 0


@pytest.mark.does("settings.undo")
async def test_what_was_saved_is_undone_unless_the_file_was_changed_elsewhere(planned: Path) -> None:
    file = planned / "project.toml"
    before = '# mine\n[task]\nname = "Opera"\n'
    file.write_text(before, encoding="utf-8")
    async with pane_of(planned, "7") as (app, pilot):
        await pilot.press("comma", "u")
        await done(app, pilot)
        assert "Nothing was saved from here yet." in screen_text(app)
        for setting, text in (("model.lanes", "4"), ("synthesis.samples", "3")):
            await pilot.press("slash", *setting, "enter", "enter", "ctrl+u", *text, "enter", "escape")
            await done(app, pilot)
        await pilot.press("ctrl+o")
        await done(app, pilot)
        assert "Saved in project.toml, for the next run; u in its form (S) undoes it." in screen_text(app)
        assert file.read_text() == f"{before}\n[model]\nlanes = 4\n\n[synthesis]\nsamples = 3\n"
        await pilot.press("comma", "slash", *"model.lanes", "enter")
        await done(app, pilot)
        assert "u undo" in screen_text(app)
        await pilot.press("u")
        await done(app, pilot)
        assert file.read_text() == before, "both settings were one change"
        assert "Undone: project.toml is as it was before the last save." in screen_text(app)
        assert "lanes 24" in flowing(screen_text(app))
        await pilot.press("u")
        assert "Nothing was saved from here yet." in screen_text(app)
        await pilot.press("enter", "ctrl+u", *"5", "enter", "escape", "ctrl+o")
        await done(app, pilot)
        file.write_text(changed := f"{file.read_text()}# elsewhere\n", encoding="utf-8")
        await pilot.press("comma", "u")
        await done(app, pilot)
        assert "project.toml was changed elsewhere meanwhile; nothing is undone." in screen_text(app)
    assert file.read_text() == changed


@pytest.mark.does("project.settings")
async def test_your_defaults_are_named(planned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "defaults.toml").write_text("[model]\nlanes = 6\n")
    monkeypatch.setenv("AUTOACT_DEFAULTS", str(tmp_path / "defaults.toml"))
    async with pane_of(planned, "2") as (app, pilot):
        await pilot.press("comma")
        await done(app, pilot)
        row = next(line for line in screen_text(app).splitlines() if " lanes " in line)
        assert row.split()[:3] == ["lanes", "6", "your"]
