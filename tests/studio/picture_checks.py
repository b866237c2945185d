"""What may not be on a screen: blank rows, stale text, cut words, and keys that do nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from textual.app import App
from textual.content import Content
from textual.dom import DOMNode
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.widget import Widget

from studio.actions import action_table
from studio.widgets.charts.plot import Plot
from studio.widgets.content_lines import ContentLines
from studio.widgets.footer import Footer, fit, footer_offers
from studio.widgets.lists.menu import Menu
from studio.widgets.lists.table import Table
from studio.widgets.tab_line import TabLine
from studio.widgets.transcripts.sides import SideBySide
from studio.widgets.transcripts.transcript import Transcript

SPEAKING = (Table, Transcript, Plot, Menu, ContentLines, TabLine, Footer)
"""Widgets that always have something to say."""
WORD = re.compile(r"[^\W\d_]{3,}")
"""Shorter ones could begin anything."""
SHORTENED = {
    "arg", "obs", "asked", "reflect", "instruct", "self", "diff", "tools", "group", "meta", "kept", "log",
    "quest", "traj", "adapt",
}  # fmt: skip
"""Words that stand for longer ones where there is little room."""


def blank(app: App[Any], rows: Sequence[str]) -> list[str]:
    """Widgets in sight whose place on the screen is empty, and entries of lists and texts whose row is."""
    return [
        find for widget in speaking(app) for find in blank_in(name_of(widget), text_of(widget, rows), entries(widget))
    ]


def blank_in(name: str, text: Sequence[str], entries: int) -> list[str]:
    """Finds in one widget: its rows on the screen, of which the first `entries` are not empty."""
    if not any(row.strip() for row in text):
        return [f"{name} is blank"]
    return [f"{name}: row {at} is blank" for at, row in enumerate(text[:entries]) if not row.strip()]


def undrawn(drawn: Sequence[str], meant: Sequence[str]) -> list[str]:
    """Rows of the terminal that are not what the widgets would draw now: blank, or left from before."""
    pairs = zip((row.rstrip() for row in drawn), (row.rstrip() for row in meant), strict=True)
    return [
        f"row {at} {'is blank' if not row else 'is stale'}: {row!r} instead of {wanted!r}"
        for at, (row, wanted) in enumerate(pairs)
        if row != wanted
    ]


def stale(rows: Iterable[str], over: Collection[str]) -> list[str]:
    """Rows with words of something that is no longer in sight: another pane, run or question."""
    return [f"{word!r} is still there: {row.strip()!r}" for row in rows for word in over if word in row]


def cut(rows: Sequence[str], whole: Collection[str]) -> list[str]:
    """Words that end before their end. `whole` has the words of the same screen with more room than it needs."""
    found = []
    for row, below in zip(rows, [*rows[1:], ""], strict=True):
        for match in WORD.finditer(row):
            word, after = match[0], row[match.end() : match.end() + 1]
            shortened = after == "…" or word in SHORTENED or word in whole
            ends = {longer.removeprefix(word) for longer in whole if longer.startswith(word)}
            broken = any(re.search(rf"\b{end}", below) for end in ends)  # its end is on the next row
            if not shortened and ends and not broken:
                found.append(f"{word!r} is cut: {row.strip()!r}")
    return found


def words(rows: Iterable[str]) -> set[str]:
    """All words of a screen."""
    return {match[0] for row in rows for match in WORD.finditer(row)}


def false_offers(footer: str, reachable: Sequence[action_table.Offer]) -> list[str]:
    """Keys of a footer that no action has, or whose action cannot be carried out now."""
    found = []
    for key, word in offers(footer):
        meant = [offer for offer in reachable if offer[0].key == key and action_table.footer_word(offer) == word]
        if not meant:
            found.append(f"{key} {word}: no such key here")
        elif why := action_table.obstacle(meant[0][1], meant[0][0].name):
            found.append(f"{key} {word}: {why}")
    return found


def unoffered(footer: str, focused: DOMNode) -> list[str]:
    """Keys that a footer has room for and leaves out, though their action can be carried out now."""
    possible = [(offer[0].key, word) for word, offer in footer_offers(focused)]
    parts = [Content(f"{key} {word}") for key, word in possible]
    chosen, _ = fit(parts, len(footer) - 2)
    named = list(offers(footer))
    return [f"{parts[at].plain}: not offered" for at in chosen if possible[at] not in named]


def offers(footer: str) -> Iterator[tuple[str, str]]:
    """Key and word of everything that a footer offers."""
    for part in re.split(r"\s{2,}", footer.strip()):
        key, _, word = part.partition(" ")
        yield key, word


def speaking(app: App[Any]) -> Iterator[Widget]:
    """The widgets of the screen in front that have something to say, and room to say it."""
    for widget in app.screen.query("*"):
        if isinstance(widget, SPEAKING) and widget.is_on_screen and widget.region.area and not unused(widget):
            yield widget


def unused(widget: Widget) -> bool:
    """Whether a text has its place while nothing is chosen yet: the list beside it says so."""
    return isinstance(widget, Transcript) and not len(widget.document) and not isinstance(widget.parent, SideBySide)


def entries(widget: Widget) -> int:
    """How many rows of a widget must have text."""
    match widget:
        case Table():
            return min(widget.size.height, 1 + max(1, len(widget._rows) - widget.top))
        case Transcript():
            return 1
        case Menu():
            return min(widget.size.height, len(widget.options))
    return 1


def text_of(widget: Widget, rows: Sequence[str]) -> list[str]:
    """What stands in a widget's place, its scroll bar left out."""
    region: Region = widget.region
    if isinstance(widget, ScrollView):
        region = Region(region.x, region.y, widget.scrollable_content_region.width, region.height)
    padded = [row.ljust(region.right) for row in rows]
    return [row[region.x : region.right] for row in padded[region.y : region.bottom]]


def name_of(widget: Widget) -> str:
    return f"{type(widget).__name__}#{widget.id or ''}"
