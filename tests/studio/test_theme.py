"""Themes: each loads, is short, and can be read."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import msgspec
import pytest
from textual.color import Color

from autoact.errors import BadInput
from studio import theme

PALETTES = theme.palettes()


def luminance(colour: str) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in Color.parse(colour).normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
def test_text_can_be_read(palette: theme.Palette) -> None:
    colours = msgspec.structs.asdict(palette.colours)
    grounds = [colours.pop(name) for name in ("background", "surface", "panel")]
    texts = {**colours, **msgspec.structs.asdict(palette.roles)}
    poor = {name: round(contrast(texts[name], ground), 2) for name, ground in product(texts, grounds)
            if contrast(texts[name], ground) < 4.5}  # fmt: skip
    assert poor == {}


def test_two_themes_of_less_than_forty_lines() -> None:
    assert {palette.name for palette in PALETTES} >= {theme.DEFAULT, "studio-light"}
    assert {palette.dark for palette in PALETTES} == {True, False}
    for file in theme.folder().iterdir():
        assert len(file.read_text("utf-8").splitlines()) < 40, file.name


def test_a_broken_theme_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.toml").write_text('name = "mine"\ndark = true\ncolour = 1\n', encoding="utf-8")
    monkeypatch.setattr(theme, "folder", lambda: tmp_path)
    with pytest.raises(BadInput, match="mine.toml"):
        theme.palettes()
