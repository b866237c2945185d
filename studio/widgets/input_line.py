"""A line to type on, beside something else; esc leaves it."""

from __future__ import annotations

from textual.message import Message
from textual.widgets import Input

from studio.actions import action_table


class InputLine(Input):
    """Out of sight until it is asked for."""

    DEFAULT_CSS = """
    InputLine { height: 1; border: none; padding: 0 1; background: $surface; color: $foreground; display: none; }
    InputLine:focus { border: none; }
    InputLine.shown { display: block; }
    """
    CONTEXTS: tuple[action_table.Context, ...] = ("line",)
    BINDINGS = action_table.bindings("line")

    class Gone(Message):
        """The person is done with it."""

        def __init__(self, line: InputLine):
            self.line = line
            super().__init__()

        @property
        def control(self) -> InputLine:
            return self.line

    def __init__(self, placeholder: str, *, id: str, verb: str = "ok"):
        """`placeholder` is our own text; `verb` says in the footer what enter does."""
        super().__init__(placeholder=placeholder, id=id, select_on_focus=False)
        self.can_focus = False
        self._verb = verb

    def word(self, action: str) -> str:
        """Returns the footer's word for an action, where the table's is too general."""
        return self._verb if action == "submit" else ""

    def ask(self, text: str = "") -> None:
        """Come into sight with a text to change, the cursor behind it."""
        self.value = text
        self.cursor_position = len(text)
        self.can_focus = True
        self.add_class("shown")
        self.focus()

    def action_leave_line(self) -> None:
        self.value = ""
        self.can_focus = False
        self.remove_class("shown")
        self.post_message(self.Gone(self))
