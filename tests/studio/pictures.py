"""Pictures of a project's panes, as SVG. By hand: python tests/studio/pictures.py PROJECT/runs/RUN [FOLDER]."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

from rich.cells import cell_len
from rich.color import Color
from rich.style import Style
from textual.pilot import Pilot
from textual.strip import Strip

from studio.app import StudioApp
from studio.screens.project import ProjectScreen
from studio.target import Target, find

FOLDER = Path(__file__).resolve().parents[2] / "studio" / "pictures"
SIZE = (120, 36)
WIDE, HIGH, EDGE = 8.4, 18, 12
"""Of a cell and of the frame, in pixels at a letter's height of 14."""
FONT = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
DOTS = [(x, y / 8) for x, y in ((0.25, 1), (0.25, 3), (0.25, 5), (0.75, 1), (0.75, 3), (0.75, 5), (0.25, 7), (0.75, 7))]
"""Where in a cell each bit of a braille letter is."""
LATER = 1.0
"""Seconds after which what comes from a thread or a command is there."""
SHOWN: dict[str, tuple[str, ...]] = {
    "task": ("1",),
    "tools": ("2", "wait", "wait", "c", "enter", "wait", "escape"),
    "trajectories": ("3", "G", *"k" * 28, "tab", "g"),
    "training": ("4", *"mmnmmnmm"),
    "group": ("5", "wait"),
    "lab": ("6", "wait", *"jjj"),
    "runs": ("7", "wait", "G", "d"),
}
"""By pane: the keys before its picture."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Cells of one look."""

    at: int
    text: str
    ink: str
    ground: str
    style: Style

    @property
    def cells(self) -> int:
        return cell_len(self.text)


async def main(run: str, folder: Path) -> None:
    """One app, one pane after the other."""
    target = find(run)
    folder.mkdir(parents=True, exist_ok=True)
    app = StudioApp(Target(target.folder, target.project))
    async with app.run_test(size=SIZE) as pilot:
        await settled(app, pilot)
        screen = app.screen
        assert isinstance(screen, ProjectScreen)
        screen.follow_run(target.run)
        while screen.follow.verdict == "reading":
            await settled(app, pilot)
        for name, keys in SHOWN.items():
            for key in keys:
                await (settled(app, pilot) if key == "wait" else pilot.press(key))
            await settled(app, pilot)
            screen.notice("")
            await pilot.pause()
            ground = screen.styles.background.hex6.lower()
            (folder / f"{name}.svg").write_text(drawn(screen._compositor.render_strips(), ground), encoding="utf-8")


async def settled(app: StudioApp, pilot: Pilot[str]) -> None:
    await pilot.pause(LATER)
    await app.workers.wait_for_complete()
    await pilot.pause()


def drawn(rows: Sequence[Strip], ground: str) -> str:
    """A screen as an SVG that needs no font of its own: every piece of text is told how wide it is."""
    width, height = rows[0].cell_length * WIDE + 2 * EDGE, len(rows) * HIGH + 2 * EDGE
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" font-family="{FONT}" '
        f'font-size="14" xml:space="preserve"><rect width="{width:g}" height="{height:g}" rx="8" fill="{ground}"/>'
    )
    found = [part for y, row in enumerate(rows) for part in _row(y, row, ground)]
    return "\n".join([head, *found, "</svg>", ""])


def _row(y: int, row: Strip, ground: str) -> Iterator[str]:
    pieces = list(_pieces(row, ground))
    for colour, run in groupby(pieces, key=lambda piece: piece.ground):
        same = list(run)
        if colour != ground:
            cells = sum(piece.cells for piece in same)
            x, top = EDGE + same[0].at * WIDE, EDGE + y * HIGH
            yield f'<rect x="{x:g}" y="{top}" width="{cells * WIDE:.1f}" height="{HIGH}" fill="{colour}"/>'
    for piece in pieces:
        yield from _dotted(y, piece)
        for word in re.finditer(r"[^\s\u2800-\u28ff]+(?: [^\s\u2800-\u28ff]+)*", piece.text):
            x, cells = EDGE + (piece.at + cell_len(piece.text[: word.start()])) * WIDE, cell_len(word[0])
            place = f'x="{x:.1f}" y="{EDGE + y * HIGH + 13}" textLength="{cells * WIDE:.1f}"'
            look = f'lengthAdjust="spacingAndGlyphs" fill="{piece.ink}"{_marks(piece.style)}'
            yield f"<text {place} {look}>{escape(word[0])}</text>"


def _dotted(y: int, piece: Piece) -> Iterator[str]:
    """Braille as dots, which no font draws as wide as its cells."""
    dots = [
        f"M{EDGE + (piece.at + at + DOTS[bit][0]) * WIDE:.1f} {EDGE + (y + DOTS[bit][1]) * HIGH:.1f}h0"
        for at, letter in enumerate(piece.text)
        if "\u2800" <= letter <= "\u28ff"
        for bit in range(8)
        if ord(letter) >> bit & 1
    ]
    if dots:
        yield f'<path d="{"".join(dots)}" stroke="{piece.ink}" stroke-width="2.4" stroke-linecap="round"/>'


def _pieces(row: Strip, ground: str) -> Iterator[Piece]:
    at = 0
    for segment in row:
        style = segment.style or Style()
        ink, back = _colour(style.color, "#e4e6eb"), _colour(style.bgcolor, ground)
        if style.reverse:
            ink, back = back, ink
        piece = Piece(at, segment.text, ink, back, style)
        at += piece.cells
        yield piece


def _colour(colour: Color | None, otherwise: str) -> str:
    return colour.triplet.hex if colour is not None and colour.triplet is not None else otherwise


def _marks(style: Style) -> str:
    bold = ' font-weight="bold"' if style.bold else ""
    return bold + (' text-decoration="underline"' if style.underline else "")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else FOLDER))
