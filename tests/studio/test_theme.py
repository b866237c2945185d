"""Themes: each loads, is short, and can be read."""

from __future__ import annotations

import math
import os
from itertools import combinations, product
from pathlib import Path

import msgspec
import pytest
from textual.color import Color, rgb_to_lab

from autoact.errors import BadInput
from studio.app import StudioApp
from studio.target import find
from studio.terminal import theme

PALETTES = theme.palettes()


def luminance(colour: str) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in Color.parse(colour).normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


XTERM = {
    "default": "#000000", "black": "#000000", "blue": "#0000ee", "white": "#e5e5e5", "bright_red": "#ff0000",
    "bright_green": "#00ff00", "bright_yellow": "#ffff00", "bright_cyan": "#00ffff", "bright_white": "#ffffff",
    "bright_magenta": "#ff00ff",
}  # fmt: skip
"""What xterm makes of the sixteen colours where no one says otherwise."""
OPERA = """
name = "mine"
dark = true
[colours]
foreground = "#ffffff"
quiet = "#eeeeee"
background = "#000000"
surface = "#000000"
panel = "#111111"
primary = "#ffffff"
accent = "#ffffff"
success = "#ffffff"
warning = "#ffffff"
error = "#ffffff"
[roles]
meta = "#ffffff"
plan = "#ffffff"
tool = "#ffffff"
reflect = "#ffffff"
world = "#ffffff"
"""


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
def test_text_can_be_read(palette: theme.Palette) -> None:
    colours = {name: shown(colour) for name, colour in msgspec.structs.asdict(palette.colours).items()}
    roles = {name: shown(colour) for name, colour in msgspec.structs.asdict(palette.roles).items()}
    grounds = {name: colours.pop(name) for name in ("background", "surface", "panel")}
    texts = {**colours, **roles}
    poor = {(name, ground): round(contrast(texts[name], grounds[ground]), 2) for name, ground in product(texts, grounds)
            if contrast(texts[name], grounds[ground]) < 4.5}  # fmt: skip
    texts = {f"other {number}": shown(colour) for number, colour in enumerate(palette.others)}
    poor |= {(name, "background"): contrast(colour, grounds["background"]) for name, colour in texts.items()
             if contrast(colour, grounds["background"]) < 4.5}  # fmt: skip
    if palette.ansi:  # none of the sixteen is a red that can be read on the only ground for a cursor
        poor.pop(("error", "panel"), None)
    assert poor == {}


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
def test_a_curve_of_another_run_has_no_colour_of_an_agent(palette: theme.Palette) -> None:
    others = [lab(colour) for colour in palette.curve_colours().values()]
    agents = [lab(colour) for colour in (palette.roles.plan, palette.roles.tool, palette.roles.reflect)]
    assert min(math.dist(one, agent) for one, agent in product(others, agents)) > 20
    assert min(math.dist(*pair) for pair in combinations(others, 2)) > 8


def lab(colour: str) -> tuple[float, float, float]:
    """A colour where distances are as an eye sees them."""
    found = rgb_to_lab(Color.parse(shown(colour)))
    return found.L, found.a, found.b


def shown(colour: str) -> str:
    return XTERM[colour.removeprefix("ansi_")] if colour.startswith("ansi_") else colour


def test_themes_of_less_than_forty_lines() -> None:
    assert {palette.name for palette in PALETTES} >= {
        theme.DEFAULT, "studio-light", "high-contrast", "colour-blind", "sixteen", "opera",
    }  # fmt: skip
    assert len(PALETTES) >= 6
    assert {palette.dark for palette in PALETTES} == {True, False}
    for file in theme.folder().iterdir():
        assert len(file.read_text("utf-8").splitlines()) < 40, file.name


def test_a_broken_theme_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.toml").write_text('name = "mine"\ndark = true\ncolour = 1\n', encoding="utf-8")
    monkeypatch.setattr(theme, "folder", lambda: tmp_path)
    with pytest.raises(BadInput, match="mine.toml"):
        theme.palettes()


def test_own_files_are_read_when_they_change(tmp_path: Path) -> None:
    own = tmp_path / "themes"
    themes = theme.Themes(own)
    assert len(themes.palettes) == len(PALETTES)
    own.mkdir()
    (own / "mine.toml").write_text(OPERA, encoding="utf-8")
    assert themes.reload()
    assert not themes.reload()
    assert themes.palettes[-1].name == "mine"
    (own / "mine.toml").write_text(OPERA.replace("#111111", "no colour"), encoding="utf-8")
    os.utime(own / "mine.toml", ns=(1, 1))
    assert themes.reload()
    assert "mine.toml" in themes.errors[0]
    assert len(themes.palettes) == len(PALETTES)


async def test_a_saved_file_shows_at_once(tmp_path: Path) -> None:
    own = tmp_path / "personal" / "themes"
    own.mkdir(parents=True)
    app = StudioApp(find(None))
    async with app.run_test(size=(80, 24)) as pilot:
        (own / "dark.toml").write_text(OPERA.replace('"mine"', f'"{theme.DEFAULT}"'), encoding="utf-8")
        app.reload_themes()
        await pilot.pause()
        assert app.screen.styles.background == Color.parse("#000000")


async def test_every_theme_draws_every_screen(opera: Path) -> None:
    app = StudioApp(find(str(opera)))
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in PALETTES:
            await pilot.press("t")
            await pilot.pause()
            assert app.export_screenshot()
        assert app.theme == theme.DEFAULT
        assert len(PALETTES) >= 6
