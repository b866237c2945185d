"""The keys of a screen in one line."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget

from studio import keys

GAPS = ("   ", "  ")
"""Between two keys, where there is room and where there is not."""


class Footer(Widget):
    """What can be pressed here; from the table of actions. The key of the help, where all are told, is always there."""

    def __init__(self, *places: keys.Place):
        super().__init__(id="footer")
        self._places = places

    def tell(self, *places: keys.Place) -> None:
        """Keys of other places now: another pane has the focus."""
        if places != self._places:
            self._places = places
            self.refresh()

    def render(self) -> Content:
        shown = keys.footer(*self._places, table=keys.of_app(self.app))
        parts = [Content.assemble((key, "bold $accent"), f" {word}") for key, word in shown]
        return Content.assemble(" ", fitted(parts, self.size.width - 2))


def fitted(parts: Sequence[Content], width: int) -> Content:
    """As many of the parts as fit, the first ones first, and the last one always."""
    for gap in GAPS:
        line = Content(gap).join(parts)
        if line.cell_length <= width:
            return line
    *others, last = parts
    while others and Content(GAPS[-1]).join([*others, last]).cell_length > width:
        others.pop()
    return Content(GAPS[-1]).join([*others, last])
