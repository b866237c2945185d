"""A dialog with a question to answer yes or no, or with the reason why nothing can be confirmed."""

from __future__ import annotations

import time

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from studio.actions import action_table
from studio.terminal import untrusted_text

IGNORE_KEYS_S = 0.4
"""Seconds for which `yes` is ignored: the key may have been typed before the question was shown."""


class Confirm(ModalScreen[bool]):
    """Returns True for yes. With `tells` it only gives a reason, takes the same keys and returns False, so that an
    answer typed ahead does not reach the pane."""

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
        """`question` and `reasons`, the paragraphs above it, may be untrusted."""
        super().__init__()
        self._paragraphs, self._tells = (*reasons, question), tells
        self._since = time.monotonic()

    def compose(self) -> ComposeResult:
        with Vertical():
            for paragraph in self._paragraphs:
                yield Static(untrusted_text.content(paragraph))
            own = action_table.actions("confirm", table=action_table.app_actions(self.app))
            keys = {action.name: untrusted_text.line(action.key) for action in own}
            choice = f"{keys['yes']} yes    {keys['no']} no    {keys['close']} cancel"
            yield Static(Content(f"{keys['close']} close" if self._tells else choice), id="keys")

    def on_mount(self) -> None:
        self._since = time.monotonic()

    def action_yes(self) -> None:
        if time.monotonic() - self._since >= IGNORE_KEYS_S:
            self.dismiss(not self._tells)

    def action_no(self) -> None:
        self.dismiss(False)

    def action_close(self) -> None:
        self.dismiss(False)
