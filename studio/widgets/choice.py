"""A form field that offers a few words, chosen with the arrow keys."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from studio.actions import action_table
from studio.terminal import untrusted_text


class Choice(Widget, can_focus=True):
    """Shows all the words, the chosen one in brackets."""

    DEFAULT_CSS = """
    Choice { height: auto; color: $quiet; background: $surface; padding: 0 1; }
    Choice:focus { background: $background; }
    """
    BINDINGS = action_table.bindings("choice")
    CONTEXTS: tuple[action_table.Context, ...] = ("choice",)

    class Submitted(Message):
        """Posted for enter: the form is to be saved."""

    def __init__(self, words: Sequence[str], value: str = "", *, id: str | None = None):
        super().__init__(id=id)
        self.words = tuple(words)
        self.value = value if value in self.words else self.words[0]

    def render(self) -> Content:
        shown = (
            Content.styled(f"[{untrusted_text.line(word)}]" if word == self.value else f" {untrusted_text.line(word)} ",
                           "bold $accent" if word == self.value else "")
            for word in self.words
        )  # fmt: skip
        return Content(" ").join(shown)

    def action_next_word(self) -> None:
        self._step(1)

    def action_previous_word(self) -> None:
        self._step(-1)

    def action_take(self) -> None:
        self.post_message(self.Submitted())

    def _step(self, steps: int) -> None:
        self.value = self.words[(self.words.index(self.value) + steps) % len(self.words)]
        self.refresh()
