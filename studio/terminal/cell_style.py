"""The style of a terminal cell: colours, attributes and a link, and the codes that change one into another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "8": "28", "9": "29"}
_ON_BLANKS = frozenset(["4", "7", "9", "21", "53"])
"""Attributes that are visible on a blank."""
_LINK = re.compile(r"(?:https?|file)://[\x21-\x7e]{1,2000}\Z")


class CellStyle(NamedTuple):
    """Colours are SGR parameters, empty for the terminal's own."""

    foreground: str = ""
    background: str = ""
    attributes: frozenset[str] = frozenset()
    link: str = ""


PLAIN = CellStyle()


@lru_cache(maxsize=4096)
def apply_sgr(style: CellStyle, parameters: str) -> CellStyle:
    """Returns the style after `ESC [ parameters m`."""
    foreground, background, attributes = style.foreground, style.background, set(style.attributes)
    codes = iter(parameters.split(";"))
    for code in codes:
        if code in ("", "0"):
            foreground, background, attributes = "", "", set()
        elif code in ("38", "48"):
            colour = _extended(code, codes)
            foreground, background = (colour, background) if code == "38" else (foreground, colour)
        elif code in ("39", "49"):
            foreground, background = ("", background) if code == "39" else (foreground, "")
        elif _is_colour(code, "3", "9"):
            foreground = code
        elif _is_colour(code, "4", "10"):
            background = code
        elif code in _OFF or code in _ON_BLANKS:
            attributes.add(code)
        else:
            attributes -= {attribute for attribute, off in _OFF.items() if off == code}
    return CellStyle(foreground, background, frozenset(attributes), style.link)


def with_link(style: CellStyle, link: str) -> CellStyle:
    """Returns the style with this link; without one if it is not a plain address."""
    return style._replace(link=link if _LINK.match(link) else "")


@lru_cache(maxsize=4096)
def blank_style(style: CellStyle) -> CellStyle:
    """Returns the part of the style that is visible on a blank."""
    return style if style.attributes & _ON_BLANKS else CellStyle("", style.background, frozenset(), style.link)


@lru_cache(maxsize=16_384)
def transition(old: CellStyle, new: CellStyle) -> str:
    """Returns the codes that change one style into the other; empty if they are equal."""
    codes = _sgr(old, new)
    return codes if old.link == new.link else f"{codes}\x1b]8;;{new.link}\x1b\\"


def _sgr(old: CellStyle, new: CellStyle) -> str:
    fresh = [*sorted(new.attributes), *filter(None, (new.foreground, new.background))]
    gone = old.attributes - new.attributes
    codes = sorted({_OFF.get(code, "0") for code in gone})
    if "0" in codes:
        return f"\x1b[{';'.join(['0', *fresh])}m"
    lost = {code for code, off in _OFF.items() if off in codes}  # one code switches off both bold and faint
    codes += sorted((new.attributes - old.attributes) | (new.attributes & lost))
    if old.foreground != new.foreground:
        codes.append(new.foreground or "39")
    if old.background != new.background:
        codes.append(new.background or "49")
    if not codes:
        return ""
    changed, whole = ";".join(codes), ";".join(["0", *fresh]) if fresh else ""
    return f"\x1b[{changed if len(changed) < len(whole) else whole}m"


def _extended(code: str, codes: Iterator[str]) -> str:
    """Reads the rest of 38;5;n or 38;2;r;g;b; returns an empty string, the terminal's own colour, for anything else."""
    parts = [code]
    for part in codes:
        parts.append(part)
        if len(parts) == {"5": 3, "2": 5}.get(parts[1], 2):
            break
    whole = len(parts) in (3, 5) and all(part.isdigit() and len(part) < 4 for part in parts)
    return ";".join(parts) if whole else ""


def _is_colour(code: str, usual: str, bright: str) -> bool:
    return code[:-1] in (usual, bright) and code[-1] in "01234567"
