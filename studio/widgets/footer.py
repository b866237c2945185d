"""The footer: the keys whose action is possible now, in one line."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.dom import DOMNode
from textual.events import Click
from textual.widget import Widget

from studio.actions import action_table

GAPS = ("   ", "  ")
"""Blanks between two keys: the usual, and the one for narrow screens."""
HELP = "everywhere.help"


class Footer(Widget):
    """Shows keys from the table of actions; a click runs the action. The key of the help is always shown."""

    DEFAULT_CSS = "Footer { height: 1; background: $panel; color: $foreground; }"

    def __init__(self) -> None:
        super().__init__(id="footer")
        self._offers: list[tuple[str, action_table.Offer]] = []
        """Label and action of each key."""
        self._placed: list[tuple[int, int, action_table.Offer]] = []
        """First cell, cell after the last, and the action of each key on the screen."""

    def on_mount(self) -> None:
        self.refresh_keys()

    def refresh_keys(self) -> None:
        """Redraws the footer if other actions are possible now."""
        offers = footer_offers(self.screen.focused or self.screen)
        if offers != self._offers:
            self._offers = offers
            self.refresh()

    def render(self) -> Content:
        parts = [Content.assemble((action.key, "bold $accent"), f" {word}") for word, (action, _) in self._offers]
        chosen, gap = fit(parts, self.size.width - 2)
        x, self._placed = 1, []
        for index in chosen:
            end = x + parts[index].cell_length
            self._placed.append((x, end, self._offers[index][1]))
            x = end + len(gap)
        return Content.assemble(" ", Content(gap).join(parts[index] for index in chosen))

    async def on_click(self, event: Click) -> None:
        for first, end, (action, node) in self._placed:
            if first <= event.x < end:
                await self.app.run_action(action.name, default_namespace=node)
                self.refresh_keys()


def footer_offers(focused: DOMNode) -> list[tuple[str, action_table.Offer]]:
    """Returns the possible actions with their labels, the most useful ones first and the help last; actions without a
    label are left out."""
    offers = [
        (word, offer) for offer in action_table.available_actions(focused) if (word := action_table.footer_word(offer))
    ]
    first = action_table.main_actions(focused)

    def place(offer: tuple[str, action_table.Offer]) -> tuple[bool, bool, int]:
        _, (action, node) = offer
        minor = action.id in getattr(node, "minor_actions", ())
        return action.id == HELP, minor, first.index(action.id) if action.id in first else len(first)

    return sorted(offers, key=place)


def fit(parts: Sequence[Content], width: int) -> tuple[list[int], str]:
    """Returns the indices of the parts that fit into `width` cells, always with the last one, and the gap to use."""
    every = list(range(len(parts)))
    for gap in GAPS:
        if not parts or _length(parts, gap) <= width:
            return every, gap
    *others, last = every
    while others and _length([parts[index] for index in (*others, last)], GAPS[-1]) > width:
        others.pop()
    return [*others, last], GAPS[-1]


def _length(parts: Sequence[Content], gap: str) -> int:
    return sum(part.cell_length for part in parts) + len(gap) * max(0, len(parts) - 1)
