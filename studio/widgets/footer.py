"""The keys of a screen in one line."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from studio import keys


class Footer(Static):
    """What can be pressed here; from the table of actions."""

    def __init__(self, *places: keys.Place):
        super().__init__(id="footer")
        self._places = places

    def on_mount(self) -> None:
        self.tell(*self._places)

    def tell(self, *places: keys.Place) -> None:
        """Keys of other places now: another pane has the focus."""
        self._places = places
        shown = keys.footer(*places, table=keys.of_app(self.app))
        parts = [Content.assemble((key, "bold $accent"), f" {word}") for key, word in shown]
        self.update(Content.assemble(" ", Content("   ").join(parts)))
