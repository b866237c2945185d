"""What a terminal's cell is drawn with: colours, attributes and a link, and the shortest way from one to another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "8": "28", "9": "29"}
_ON_BLANKS = frozenset(["4", "7", "9", "21", "53"])
"""Attributes that can be seen where there is no letter."""
_LINK = re.compile(r"(?:https?|file)://[\x21-\x7e]{1,2000}\Z")


class CellStyle(NamedTuple):
    """Colours as SGR parameters, empty for the terminal's own."""

    foreground: str = ""
    background: str = ""
    attributes: frozenset[str] = frozenset()
    link: str = ""


PLAIN = CellStyle()


@lru_cache(maxsize=4096)
def apply_sgr(pen: CellStyle, parameters: str) -> CellStyle:
    """The pen after `ESC [ parameters m`."""
    foreground, background, attributes = pen.foreground, pen.background, set(pen.attributes)
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
    return CellStyle(foreground, background, frozenset(attributes), pen.link)


def with_link(pen: CellStyle, link: str) -> CellStyle:
    """The pen with this link; with none when it is not a plain address."""
    return pen._replace(link=link if _LINK.match(link) else "")


@lru_cache(maxsize=4096)
def blank_style(pen: CellStyle) -> CellStyle:
    """All that can be seen of this pen where there is no letter."""
    seen = pen.attributes & _ON_BLANKS
    return pen if seen else CellStyle("", pen.background, frozenset(), pen.link)


@lru_cache(maxsize=16_384)
def transition(old: CellStyle, new: CellStyle) -> str:
    """What to send to go from one to the other."""
    said = _sgr(old, new)
    if old.link != new.link:
        said += f"\x1b]8;;{new.link}\x1b\\"
    return said


def _sgr(old: CellStyle, new: CellStyle) -> str:
    fresh = [*sorted(new.attributes), *filter(None, (new.foreground, new.background))]
    gone = old.attributes - new.attributes
    codes = sorted({_OFF.get(code, "0") for code in gone})
    if "0" in codes:
        return f"\x1b[{';'.join(['0', *fresh])}m"
    lost = {code for code, off in _OFF.items() if off in codes}  # bold and faint are switched off together
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
    """The rest of 38;5;n or 38;2;r;g;b; the terminal's own colour when it is neither."""
    parts = [code]
    for part in codes:
        parts.append(part)
        if len(parts) == {"5": 3, "2": 5}.get(parts[1], 2):
            break
    whole = len(parts) in (3, 5) and all(part.isdigit() and len(part) < 4 for part in parts)
    return ";".join(parts) if whole else ""


def _is_colour(code: str, usual: str, bright: str) -> bool:
    return code[:-1] in (usual, bright) and code[-1] in "01234567"
