"""The table of actions: what it names exists, and footer, help and bindings all come from it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from paned import until
from performed import CONTEXTS, said_in
from stories import screen_text
from textual.command import CommandPalette
from textual.keys import _character_to_key

from autoact.errors import BadInput
from studio.actions import action_table, keymap
from studio.app import StudioApp
from studio.screens.help import page, page_lines
from studio.target import find
from studio.terminal import user_files
from studio.terminal.glyphs import ASCII, UNICODE

RESERVED = {f"ctrl+{letter}" for letter in "mihjsqab"}


@pytest.mark.parametrize("action", action_table.ACTIONS, ids=lambda action: f"{action.context}-{action.name}")
def test_every_action_exists_and_is_told(action: action_table.Action) -> None:
    assert all(callable(getattr(kind, f"action_{action.name}", None)) for kind in CONTEXTS[action.context])
    assert action.help
    assert action.key not in RESERVED
    assert action.help in page([action.context], UNICODE).plain


def test_every_action_has_a_test_that_presses_its_key() -> None:
    assert said_in(Path(__file__).parent) == {action.id for action in action_table.ACTIONS}


@pytest.mark.parametrize(
    "places",
    [
        ("projects", "list"),
        ("table", "list"),
        ("transcript", "list"),
        ("plot",),
        ("trajectories", "table", "list"),
        ("trajectories", "transcript", "list"),
        ("runs", "table", "list"),
    ],
)
def test_no_key_twice_in_a_place(places: tuple[action_table.Context, ...]) -> None:
    counted = Counter(action.key for action in action_table.actions(*places, "everywhere"))
    assert max(counted.values()) == 1


def test_every_glyph_has_an_ascii_twin() -> None:
    for kind in ("roles", "verdicts"):
        ours, twins = getattr(UNICODE, kind), getattr(ASCII, kind)
        assert ours.keys() == twins.keys()
        assert "".join(twins.values()).isascii()
        assert kind == "verdicts" or len(set(twins.values())) == len(twins)


@pytest.mark.parametrize("width", [30, 54, 74])
def test_the_help_has_headings_and_fits_its_width(width: int) -> None:
    lines = page_lines(("group", "transcript"), UNICODE, width=width)
    assert [line.plain for line in lines if line.spans and line.plain.isalpha()] == [
        "Group",
        "Everywhere",
        "Transcript",
    ]
    assert max(line.cell_length for line in lines) <= width
    said = " ".join(" ".join(line.plain for line in lines).split())
    assert "let one more answer through on each side, then hold" in said or width < 74


@pytest.mark.does("everywhere.command_palette")
async def test_palette_footer_and_help_say_the_same(opera: Path) -> None:
    app = StudioApp(find(str(opera)))
    async with app.run_test(size=(120, 50)) as pilot:
        await pilot.press("colon", *"colour")
        await until(pilot, lambda: "remembered  [t]" in screen_text(app))
        assert "the next colour theme; it is remembered  [t]" in screen_text(app)
        before = app.theme
        await pilot.press("enter")
        await pilot.pause(0.2)
        assert app.theme != before


async def test_the_palette_finds_a_theme_by_its_name(opera: Path) -> None:
    app = StudioApp(find(str(opera)))
    async with app.run_test(size=(120, 50)) as pilot:
        await pilot.press("colon", *"amber")
        await until(pilot, lambda: "the colour theme amber" in screen_text(app))
        await pilot.press("enter")
        await pilot.pause(0.2)
        assert (app.theme, user_files.read_theme()) == ("amber", "amber")


@pytest.mark.does("everywhere.palette")
async def test_the_palette_opens_on_a_line_and_by_a_key_of_ones_own(opera: Path, tmp_path: Path) -> None:
    for key in ("ctrl+p", "ctrl+g"):
        app = StudioApp(find(str(opera)))
        async with app.run_test(size=(120, 50)) as pilot:
            await pilot.press("5", "a", key)
            await pilot.pause()
            assert CommandPalette.is_open(app)
        own_keys(tmp_path, '[everywhere]\npalette = "ctrl+g"\n')


async def test_an_own_keymap_changes_keys_footer_help_and_palette(opera: Path, tmp_path: Path) -> None:
    own_keys(tmp_path, '[project]\nback = "ctrl+g"\n[everywhere]\nleave = "Q"\ntheme = "_"\n')
    app = StudioApp(find(str(opera)))
    async with app.run_test(size=(150, 50)) as pilot:
        await pilot.pause()
        assert "ctrl+g projects" in screen_text(app).splitlines()[-1]
        assert "Q leave" in screen_text(app).splitlines()[-1]
        before = app.theme
        await pilot.press("t", "q")
        assert app.theme == before
        assert app.is_running
        await pilot.press("_")
        assert app.theme != before
        await pilot.press("question_mark")
        await pilot.pause()
        assert "ctrl+g  pressed twice: back to the projects" in screen_text(app)
        await pilot.press("escape", "Q")
        await pilot.pause()
    assert not app.is_running


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[runs", "not usable as a keymap"),
        ('[runs]\nfly = "f"\n', "runs.fly"),
        ("[runs]\nnew = 3\n", "expected a section with lines like"),
        ('[runs]\nnew = "q"\n', "one key for two actions"),
    ],
)
async def test_a_broken_keymap_is_told_and_left_out(opera: Path, tmp_path: Path, text: str, said: str) -> None:
    file = own_keys(tmp_path, text)
    with pytest.raises(BadInput, match=re.escape(said)):
        keymap.read(file)
    app = StudioApp(find(str(opera)))
    async with app.run_test(size=(120, 50)) as pilot:
        await pilot.pause()
        assert "keys.toml" in [*app._notifications][0].message
        assert app.actions == action_table.ACTIONS


def test_keys_of_removed_actions_are_ignored(tmp_path: Path) -> None:
    file = own_keys(tmp_path, '[run]\nstart = "s"\n[runs]\nwatch = "W"\nnew = "N"\n')
    assert keymap.overrides(keymap.read(file)) == {"runs.new": "N"}


def own_keys(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "personal" / "keys.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_keys_have_the_names_that_textual_gives_them() -> None:
    for key in "/?[]:+-_@!#=.\\":
        assert action_table.textual_key(key) == _character_to_key(key)


@pytest.mark.parametrize("text", ['[task]\nadd = "\\t"\n', None])
def test_a_keymap_that_cannot_be_used_is_told(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(text or "")
    if text is None:
        file.unlink()
        file.symlink_to("/proc/self/mem")  # a file that may not be read, even by root
    with pytest.raises(BadInput, match="expected the name of a key, such as tab" if text else "not usable as a keymap"):
        keymap.read(file)
