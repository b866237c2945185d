"""The keys of a screen in one line."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from studio import keys


class Footer(Static):
    """What can be pressed here; from the table of actions."""

    def __init__(self, place: keys.Place):
        parts = [Content.assemble((key, "bold $accent"), f" {word}") for key, word in keys.footer(place)]
        super().__init__(Content.assemble(" ", Content("   ").join(parts)), id="footer")
