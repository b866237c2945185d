"""Screenshots and the pictures of the panes: every letter in its cell, curves as dots."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from paned import done, pane_of, until
from rich.segment import Segment
from rich.style import Style
from stories import screen_text
from textual.strip import Strip

from studio.terminal import screenshot
from studio.terminal.screenshot import EDGE, WIDE, convert, draw_svg

SVG = "{http://www.w3.org/2000/svg}"


def test_letters_are_where_their_cells_are() -> None:
    style = Style.parse("bold #ff0000 on #00ff00")
    row = Strip([Segment("東京 "), Segment("  a<b  [c]", style), Segment("\u2801\u2880", Style.parse("#0000ff"))])
    tree = ElementTree.fromstring(draw_svg([row], "#000000"))
    words = {found.text: found for found in tree.iter(f"{SVG}text")}
    assert list(words) == ["東京", "a<b", "[c]"]
    assert float(words["a<b"].attrib["x"]) == round(EDGE + 7 * WIDE, 1)
    assert words["[c]"].attrib["fill"] == "#ff0000"
    grounds = [found.attrib["fill"] for found in tree.iter(f"{SVG}rect")]
    assert grounds == ["#000000", "#00ff00"]
    (dots,) = tree.iter(f"{SVG}path")
    assert dots.attrib["d"].count("h0") == 2


@pytest.mark.does("everywhere.screenshot")
async def test_a_screenshot_is_saved_in_the_projects_exports(opera: Path) -> None:
    async with pane_of(opera, "1", (200, 24)) as (app, pilot):
        await pilot.press("f8")
        await until(pilot, lambda: "saved " in screen_text(app))
    (file,) = (opera / "exports").glob("studio-*.svg")
    text = file.read_text("utf-8")
    assert "Who wrote Fidelio?" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", ""), "it loads nothing"
    if any(shutil.which(one[0]) for one in screenshot.CONVERTERS):
        assert file.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


async def test_a_screenshot_from_the_palette_is_of_what_is_below_it(opera: Path) -> None:
    async with pane_of(opera, "1", (120, 24)) as (app, pilot):
        await pilot.press(":", *"screenshot")
        await done(app, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: bool(list((opera / "exports").glob("*.svg"))))
        await until(pilot, lambda: "saved" in screen_text(app))
    (file,) = (opera / "exports").glob("*.svg")
    assert "Who wrote Fidelio?" in file.read_text("utf-8")


async def test_a_screenshot_that_cannot_be_saved_says_so(opera: Path) -> None:
    (opera / "exports").write_text("in the way")
    async with pane_of(opera, "1", (200, 24)) as (app, pilot):
        await pilot.press("f8")
        await until(pilot, lambda: "not saved: " in screen_text(app))


@pytest.mark.parametrize("code", [0, 1])
def test_without_a_converter_or_when_it_fails_there_is_no_png(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not convert(tmp_path / "a.svg", tmp_path / "a.png")
    program = tmp_path / "resvg"
    program.write_text(f"#!/bin/sh\nexit {code}\n")
    program.chmod(0o755)
    assert not convert(tmp_path / "a.svg", tmp_path / "a.png")
