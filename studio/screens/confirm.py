"""A question before something is lost or let run: yes or no; or why it is not asked."""

from __future__ import annotations

import time

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from studio.actions import action_table
from studio.terminal import untrusted_text

IGNORE_KEYS_S = 0.4
"""Keys that were meant for what was there before are ignored for this long."""


class Confirm(ModalScreen[bool]):
    """Gives True for yes. One that only tells why there is nothing to confirm takes the same keys and gives False:
    whoever typed the answer ahead must not have it act on the pane."""

    DEFAULT_CSS = """
    Confirm { align: center middle; }
    Confirm > Vertical {
        width: 64; max-width: 96%; height: auto; padding: 1 2; background: $panel; color: $foreground;
    }
    Confirm Static { height: auto; margin-bottom: 1; }
    Confirm #keys { margin-bottom: 0; }
    """
    BINDINGS = action_table.bindings("confirm")
    CONTEXTS: tuple[action_table.Context, ...] = ("confirm",)

    def __init__(self, question: str, *reasons: str, tells: bool = False):
        """`question`, and the paragraphs that are shown before it, may hold foreign text."""
        super().__init__()
        self._paragraphs, self._tells = (*reasons, question), tells
        self._since = time.monotonic()

    def compose(self) -> ComposeResult:
        with Vertical():
            for paragraph in self._paragraphs:
                yield Static(untrusted_text.content(paragraph))
            yield Static("esc close" if self._tells else "y yes    n no    esc cancel", id="keys")

    def on_mount(self) -> None:
        self._since = time.monotonic()

    def action_yes(self) -> None:
        if time.monotonic() - self._since >= IGNORE_KEYS_S:
            self.dismiss(not self._tells)

    def action_no(self) -> None:
        self.dismiss(False)

    def action_close(self) -> None:
        self.dismiss(False)
