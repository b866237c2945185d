"""Titles with slips of the hand, for tests and benchmarks; loaded by runpy, as this folder is no package."""

from __future__ import annotations

import random
import re
from string import ascii_lowercase

SHORTEST = 8
"""Characters of a title that two typos leave recognisable; of Emo they leave ms."""


def misspelt(title: str, typos: int, draw: random.Random, *, numbers: bool = True) -> str:
    """The title with so many letters dropped, added, changed or swapped; `numbers` too, or not."""
    while True:
        text = title
        for _ in range(typos):
            text = _slip(text, draw)
        if numbers or re.findall(r"\d+", text) == re.findall(r"\d+", title):
            return text


def _slip(text: str, draw: random.Random) -> str:
    at, kind = draw.randrange(len(text)), draw.choice(("drop", "add", "change", "swap"))
    before, here, after = text[:at], text[at], text[at + 1 :]
    if kind == "drop" and len(text) > 1:
        return before + after
    if kind == "swap" and after:
        return before + after[0] + here + after[1:]
    return before + draw.choice(ascii_lowercase) + (after if kind == "change" else here + after)
