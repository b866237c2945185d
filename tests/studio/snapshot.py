"""A screen as plain text that a person can review: what it reads, and what each cell looks like in every theme."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from string import ascii_letters

from rich.cells import cell_len
from rich.color import Color
from rich.style import Style
from textual.strip import Strip

FOLDER = Path(__file__).with_name("snapshots")
WRITE = os.environ.get("AUTOACT_SNAPSHOTS") == "write"
"""Keep what is drawn now instead of comparing with it."""
HELP = "AUTOACT_SNAPSHOTS=write keeps what is drawn now"

Picture = Sequence[Strip]
"""The rows of a screen in one theme."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One screen at one size."""

    name: str
    text: str

    @property
    def file(self) -> Path:
        return FOLDER / f"{self.name}.txt"

    @classmethod
    def of(cls, name: str, pictures: Mapping[str, Picture]) -> Snapshot:
        """From the same screen in several themes. What it reads must be the same in all of them."""
        read = {theme: [strip.text.rstrip() for strip in picture] for theme, picture in pictures.items()}
        first, *others = read
        for other in others:
            assert read[other] == read[first], f"{name} reads otherwise in {other}:\n{diff(read[first], read[other])}"
        letters: dict[tuple[str, ...], str] = {}
        rows = [_spans(row, letters) for row in zip(*map(_looks, pictures.values()), strict=True)]
        legend = [f"{letter}  {'  |  '.join(looks)}" for looks, letter in letters.items()]
        head = f"-- letters: {'  |  '.join(pictures)}"
        return cls(
            name, "\n".join([*read[first], "-- cells and letters of each row", *_is_folded(rows), head, *legend, ""])
        )

    def check(self) -> None:
        """Compare with what is kept, or keep this."""
        if WRITE:
            FOLDER.mkdir(exist_ok=True)
            self.file.write_text(self.text, encoding="utf-8")
        kept = self.file.read_text("utf-8") if self.file.exists() else ""
        assert kept == self.text, (
            f"{self.name} is drawn otherwise; {HELP}\n{diff(kept.splitlines(), self.text.splitlines())}"
        )


def diff(before: Sequence[str], now: Sequence[str]) -> str:
    """Lines that went and came."""
    return "\n".join(difflib.unified_diff(before, now, "kept", "now", lineterm="", n=1))


def _looks(picture: Picture) -> list[list[str]]:
    """Of every cell: its colours and attributes in words."""
    return [
        [look for segment in strip for look in [_look(segment.style or Style())] * cell_len(segment.text)]
        for strip in picture
    ]


def _look(style: Style) -> str:
    attributes = [name for name in ("bold", "dim", "italic", "underline", "reverse", "strike") if getattr(style, name)]
    return " ".join([_colour(style.color), "on", _colour(style.bgcolor), *attributes])


def _colour(colour: Color | None) -> str:
    if colour is None or colour.is_default:
        return "default"
    return colour.triplet.hex if colour.triplet else colour.name


def _spans(row: tuple[list[str], ...], letters: dict[tuple[str, ...], str]) -> str:
    """A row's cells, runs of the same look as their count and a letter. Gives new looks the next letter."""
    names = [letters.setdefault(looks, _letter(len(letters))) for looks in zip(*row, strict=True)]
    return " ".join(f"{sum(1 for _ in run)}{name}" for name, run in groupby(names))


def _letter(number: int) -> str:
    return ascii_letters[number] if number < len(ascii_letters) else f"{ascii_letters[number % 52]}{number // 52}"


def _is_folded(rows: Sequence[str]) -> list[str]:
    """Rows that look like the one before share its line."""
    found, at = [], 1
    for spans, run in groupby(rows):
        count = sum(1 for _ in run)
        found.append(f"{at}-{at + count - 1}: {spans}" if count > 1 else f"{at}: {spans}")
        at += count
    return found
