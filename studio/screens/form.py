"""A dialog with fields to fill in. It stays open, with the error, until the values are accepted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from autoact.errors import BadInput
from studio.actions import action_table
from studio.terminal import untrusted_text
from studio.widgets.choice import Choice
from studio.widgets.footer import Footer

Values = Mapping[str, str]
Accept = Callable[[Values], Awaitable[str]]
"""Handles the values; returns an error text if it refuses them, else an empty string."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form."""

    name: str
    label: str
    value: str = ""
    lines: int = 1
    """Height of the text field; with more than 1 it takes text of several lines."""
    words: tuple[str, ...] = ()
    """The only values allowed; empty for any text."""
    suggested: bool = False
    """Whether the value is selected at first, so that typing replaces it."""


class Form(ModalScreen[bool]):
    """Returns True if the values were accepted, False if it was cancelled."""

    DEFAULT_CSS = """
    Form { align: center middle; }
    Form > Vertical { width: 76; max-width: 100%; height: auto; max-height: 100%; background: $panel; padding: 0 1; }
    Form VerticalScroll { height: auto; max-height: 65vh; background: $panel; }
    Form .title { text-style: bold; color: $primary; height: auto; }
    Form .label { color: $quiet; height: auto; }
    Form Input, Form TextArea { border: none; padding: 0 1; background: $surface; color: $foreground; }
    Form Input { height: 1; }
    Form Input:focus, Form TextArea:focus { border: none; background: $background; }
    Form #error { color: $error; height: auto; max-height: 4; }
    Form #footer { height: 1; background: $panel; }
    """
    BINDINGS = action_table.bindings("form")
    CONTEXTS: tuple[action_table.Context, ...] = ("form",)

    def __init__(self, title: str, fields: Sequence[Field], accept: Accept, verb: str = "save"):
        """`verb` is the footer's label of the key that saves."""
        super().__init__()
        self._title, self._fields, self._accept, self._verb = title, fields, accept, verb
        self._saving = False
        self._closable: list[Values] = []
        """The values with which the form closes unasked: those at first, or those it has warned of."""

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(untrusted_text.content(self._title), classes="title")
            with VerticalScroll(can_focus=False):
                for field in self._fields:
                    yield Static(untrusted_text.content(field.label), classes="label")
                    yield _widget(field)
            yield Static(id="error")
            yield Footer()

    def on_mount(self) -> None:
        self.query_one(f"#field-{self._fields[0].name}").focus()
        self._closable = [self.values]
        # A text of several lines scrolls to its cursor, and its label out of sight.
        self.call_after_refresh(self.query_one(VerticalScroll).scroll_home, animate=False)

    def footer_word(self, action: str) -> str:
        """Returns the footer's label for an action; empty for the table's own."""
        return self._verb if action == "save" else ""

    @property
    def values(self) -> dict[str, str]:
        """The current values. A value that was not edited is returned unchanged, not in its safe form."""
        values = {}
        for field in self._fields:
            shown = _value(self.query_one(f"#field-{field.name}"))
            values[field.name] = field.value if shown == untrusted_text.clean_for_editing(field.value) else shown
        return values

    @on(Input.Submitted)
    @on(Choice.Submitted)
    def action_save(self) -> None:
        if not self._saving:  # a second enter would end the command of the first half-way
            self._saving = True
            self.run_worker(self._save())

    def action_cancel(self) -> None:
        """Closes the form; where something was typed, only at the second key."""
        if self.values in self._closable:
            self.dismiss(False)
        else:
            self._closable.append(self.values)
            self._show_error("Unsaved changes: esc again discards them.")

    async def _save(self) -> None:
        self._show_error("working ...")
        try:
            error = await self._accept(self.values)
        except BadInput as bad:  # the boundary of a command: shown, not raised
            error = str(bad)
        finally:
            self._saving = False
        if error:
            self._show_error(error)
        else:
            self.dismiss(True)

    def _show_error(self, text: str) -> None:
        self.query_one("#error", Static).update(untrusted_text.content(text))


def _widget(field: Field) -> Widget:
    name = f"field-{field.name}"
    if field.words:
        return Choice(field.words, field.value, id=name)
    if field.lines > 1:
        from textual.widgets import TextArea  # slow to import, and few forms have one

        area = TextArea(untrusted_text.clean_for_editing(field.value), id=name, tab_behavior="focus", soft_wrap=True)
        area.styles.height = field.lines
        area.move_cursor(area.document.end)  # at the end, where a person goes on writing
        return area
    return Input(untrusted_text.clean_for_editing(field.value), id=name, select_on_focus=field.suggested)


def _value(widget: Widget) -> str:
    if isinstance(widget, Input | Choice):
        return widget.value
    from textual.widgets import TextArea

    assert isinstance(widget, TextArea)
    return widget.text
