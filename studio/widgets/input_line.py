"""A line to type into, shown inside a pane; esc closes it."""

from __future__ import annotations

from textual.message import Message
from textual.widgets import Input

from studio.actions import action_table


class InputLine(Input):
    """Hidden until `open` is called."""

    DEFAULT_CSS = """
    InputLine { height: 1; border: none; padding: 0 1; background: $surface; color: $foreground; display: none; }
    InputLine:focus { border: none; }
    InputLine.shown { display: block; }
    """
    CONTEXTS: tuple[action_table.Context, ...] = ("line",)
    BINDINGS = action_table.bindings("line")

    class Closed(Message):
        """Posted when the line is hidden again."""

        def __init__(self, line: InputLine):
            self.line = line
            super().__init__()

        @property
        def control(self) -> InputLine:
            return self.line

    def __init__(self, placeholder: str, *, id: str, verb: str = "ok"):
        """`placeholder` is markup, so never untrusted text; `verb` is the footer's label of the enter key."""
        super().__init__(placeholder=placeholder, id=id, select_on_focus=False)
        self.can_focus = False
        self.left = ""
        """The text that was in the line when its key left it, until it is opened again."""
        self._verb = verb

    def footer_word(self, action: str) -> str:
        """Returns the footer's label for an action; empty for the table's own."""
        return self._verb if action == "submit" else ""

    @property
    def is_filter(self) -> bool:
        """Whether the line filters a list; what is typed into other lines is not remembered."""
        return self._verb == "filter"

    def restore(self, text: str) -> None:
        """Shows the line with a text, without giving it the focus."""
        self.value = text
        self.can_focus = True
        self.add_class("shown")

    def open(self, text: str = "", *, selected: bool = False) -> None:
        """Shows the line with a text to edit, the cursor at its end, and gives it the focus.

        If the text is selected, as that of a filter always is, typing replaces it.
        """
        self.value, self.left = text, ""
        self.cursor_position = len(text)
        if selected or self.is_filter:
            self.action_select_all()
        self.can_focus = True
        self.add_class("shown")
        self.focus()

    def action_leave_line(self) -> None:
        self.left = self.value
        self.close()

    def close(self) -> None:
        """Empties and hides the line."""
        self.value = ""
        self.can_focus = False
        self.remove_class("shown")
        self.post_message(self.Closed(self))
