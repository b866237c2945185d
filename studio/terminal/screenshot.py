"""Screenshots: the screen as SVG without fonts or links of its own, and as PNG by a converter that is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

from rich.cells import cell_len
from rich.color import Color
from rich.style import Style
from textual.strip import Strip

from autoact.files import disk
from autoact.security.child_process import FOLDER

WIDE, HIGH, EDGE = 8.4, 18, 12
"""Width and height of a cell, and width of the frame, in pixels at a font size of 14."""
FONT = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
DOTS = [(x, y / 8) for x, y in ((0.25, 1), (0.25, 3), (0.25, 5), (0.75, 1), (0.75, 3), (0.75, 5), (0.25, 7), (0.75, 7))]
"""The place in a cell of each bit of a braille letter."""
CONVERTERS = (
    ("rsvg-convert", "--zoom=2", "--output={png}", "{svg}"), ("resvg", "--zoom=2", "{svg}", "{png}"),
    ("inkscape", "--export-filename={png}", "{svg}"),
)  # fmt: skip
"""Commands that make a PNG of an SVG file; the first that is installed is used."""
TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class _Piece:
    """Neighbouring cells with the same style."""

    at: int
    text: str
    ink: str
    ground: str
    style: Style

    @property
    def cells(self) -> int:
        return cell_len(self.text)


def save_screenshot(rows: Sequence[Strip], ground: str, file: Path) -> list[Path]:
    """Writes the screen as SVG, and beside it as PNG where a converter is installed; returns the files.

    Raises OSError for the SVG; a PNG that fails is left out.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    disk.rewrite(file, draw_svg(rows, ground).encode())
    png = file.with_suffix(".png")
    return [file, *([png] if convert(file, png) else [])]


def convert(svg: Path, png: Path) -> bool:
    """Makes a PNG of an SVG file; returns whether there is one."""
    command = next((one for one in CONVERTERS if shutil.which(one[0])), None)
    if command is None:
        return False
    words = [word.format(svg=svg.absolute(), png=png.absolute()) for word in command]
    try:
        done = subprocess.run(words, check=False, timeout=TIMEOUT_S, capture_output=True, cwd=FOLDER)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and png.exists()


def draw_svg(rows: Sequence[Strip], ground: str) -> str:
    """Returns a screen as SVG that needs no font of its own, as every piece of text has its width.

    `ground` is the background colour, as `#rrggbb`.
    """
    width, height = rows[0].cell_length * WIDE + 2 * EDGE, len(rows) * HIGH + 2 * EDGE
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" font-family="{FONT}" '
        f'font-size="14" xml:space="preserve"><rect width="{width:g}" height="{height:g}" rx="8" fill="{ground}"/>'
    )
    found = [part for y, row in enumerate(rows) for part in _draw_row(y, row, ground)]
    return "\n".join([head, *found, "</svg>", ""])


def _draw_row(y: int, row: Strip, ground: str) -> Iterator[str]:
    pieces = list(_pieces(row, ground))
    for colour, run in groupby(pieces, key=lambda piece: piece.ground):
        same = list(run)
        if colour != ground:
            cells = sum(piece.cells for piece in same)
            x, top = EDGE + same[0].at * WIDE, EDGE + y * HIGH
            yield f'<rect x="{x:g}" y="{top}" width="{cells * WIDE:.1f}" height="{HIGH}" fill="{colour}"/>'
    for piece in pieces:
        yield from _draw_dots(y, piece)
        for word in re.finditer(r"[^\s\u2800-\u28ff]+(?: [^\s\u2800-\u28ff]+)*", piece.text):
            x, cells = EDGE + (piece.at + cell_len(piece.text[: word.start()])) * WIDE, cell_len(word[0])
            place = f'x="{x:.1f}" y="{EDGE + y * HIGH + 13}" textLength="{cells * WIDE:.1f}"'
            look = f'lengthAdjust="spacingAndGlyphs" fill="{piece.ink}"{_marks(piece.style)}'
            yield f"<text {place} {look}>{escape(word[0])}</text>"


def _draw_dots(y: int, piece: _Piece) -> Iterator[str]:
    """Yields the braille letters as dots, which no font draws as wide as its cells."""
    dots = [
        f"M{EDGE + (piece.at + at + DOTS[bit][0]) * WIDE:.1f} {EDGE + (y + DOTS[bit][1]) * HIGH:.1f}h0"
        for at, letter in enumerate(piece.text)
        if "\u2800" <= letter <= "\u28ff"
        for bit in range(8)
        if ord(letter) >> bit & 1
    ]
    if dots:
        yield f'<path d="{"".join(dots)}" stroke="{piece.ink}" stroke-width="2.4" stroke-linecap="round"/>'


def _pieces(row: Strip, ground: str) -> Iterator[_Piece]:
    at = 0
    for segment in row:
        style = segment.style or Style()
        ink, back = _colour(style.color, "#e4e6eb"), _colour(style.bgcolor, ground)
        if style.reverse:
            ink, back = back, ink
        piece = _Piece(at, segment.text, ink, back, style)
        at += piece.cells
        yield piece


def _colour(colour: Color | None, otherwise: str) -> str:
    return colour.triplet.hex if colour is not None and colour.triplet is not None else otherwise


def _marks(style: Style) -> str:
    bold = ' font-weight="bold"' if style.bold else ""
    return bold + (' text-decoration="underline"' if style.underline else "")
