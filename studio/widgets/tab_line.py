"""The tab line: the panes' titles, the shown one marked."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget


class TabLine(Widget):
    """Shows `1 Task | 2 Tools | ...`; a click on a title posts `Picked`."""

    class Picked(Message):
        """Posted for a click on the title at `index`."""

        def __init__(self, index: int):
            self.index = index
            super().__init__()

    def __init__(self, titles: Sequence[str], shown: int, *, id: str):
        super().__init__(id=id)
        self._titles, self._at = titles, shown
        self._ends: list[int] = []

    def show(self, index: int) -> None:
        """Marks a title as the shown pane's."""
        if index != self._at:
            self._at = index
            self.refresh()

    def render(self) -> Content:
        """Returns the line; where it does not fit, the other panes are shown by their numbers."""
        cells = [Content(f" {number} {title} ") for number, title in enumerate(self._titles, 1)]
        if sum(cell.cell_length + 1 for cell in cells) - 1 > self.size.width:
            cells = [cell if at == self._at else Content(f" {at + 1} ") for at, cell in enumerate(cells)]
        ends, x = [], 0
        for cell in cells:
            x += cell.cell_length + 1
            ends.append(x)
        self._ends = ends
        shown = [cell.stylize("bold reverse") if at == self._at else cell for at, cell in enumerate(cells)]
        return Content("|").join(shown)

    def on_click(self, event: Click) -> None:
        for index, end in enumerate(self._ends):
            if event.x < end:
                self.post_message(self.Picked(index))
                return
