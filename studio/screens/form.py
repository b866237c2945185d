"""A few fields to fill in. What was typed stays until it is good, and the screen says why it is not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from studio.actions import action_table
from studio.terminal import untrusted_text
from studio.widgets.choice import Choice
from studio.widgets.footer import Footer

Values = Mapping[str, str]
Take = Callable[[Values], Awaitable[str]]
"""Takes what was typed; gives the reason when it will not, else nothing."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in."""

    name: str
    label: str
    value: str = ""
    lines: int = 1
    """Lines of text it holds; more than one may be pasted into it."""
    words: tuple[str, ...] = ()
    """Where only these will do."""
    suggested: bool = False
    """The value is a suggestion: what is typed replaces it."""


class Form(ModalScreen[bool]):
    """Gives True when what was typed was taken."""

    DEFAULT_CSS = """
    Form { align: center middle; }
    Form > Vertical { width: 76; max-width: 100%; height: auto; max-height: 100%; background: $panel; padding: 0 1; }
    Form VerticalScroll { height: auto; max-height: 18; background: $panel; }
    Form .title { text-style: bold; color: $primary; height: auto; }
    Form .label { color: $quiet; height: 1; }
    Form Input, Form TextArea { border: none; padding: 0 1; background: $surface; color: $foreground; }
    Form Input { height: 1; }
    Form Input:focus, Form TextArea:focus { border: none; background: $background; }
    Form #trouble { color: $error; height: auto; max-height: 4; }
    Form #footer { height: 1; background: $panel; }
    """
    BINDINGS = action_table.bindings("form")
    CONTEXTS: tuple[action_table.Context, ...] = ("form",)

    def __init__(self, title: str, fields: Sequence[Field], take: Take, verb: str = "save"):
        """`verb` says in the footer what becomes of the fields."""
        super().__init__()
        self._title, self._fields, self._take, self._verb = title, fields, take, verb

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(untrusted_text.content(self._title), classes="title")
            with VerticalScroll(can_focus=False):
                for field in self._fields:
                    yield Static(untrusted_text.content(field.label), classes="label")
                    yield _widget(field)
            yield Static(id="trouble")
            yield Footer()

    def on_mount(self) -> None:
        self.query_one(f"#field-{self._fields[0].name}").focus()

    def word(self, action: str) -> str:
        """Returns the footer's word for an action, where the table's is too general."""
        return self._verb if action == "save" else ""

    @property
    def values(self) -> dict[str, str]:
        """What is in the fields; text that was made safe to show and left alone is as it came."""
        found = {}
        for field in self._fields:
            typed = _typed(self.query_one(f"#field-{field.name}"))
            found[field.name] = field.value if typed == untrusted_text.editable(field.value) else typed
        return found

    @on(Input.Submitted)
    @on(Choice.Taken)
    def action_save(self) -> None:
        self.run_worker(self._save(), exclusive=True)

    def action_cancel(self) -> None:
        self.dismiss(False)

    async def _save(self) -> None:
        self._say("…")
        trouble = await self._take(self.values)
        if trouble:
            self._say(trouble)
        else:
            self.dismiss(True)

    def _say(self, text: str) -> None:
        self.query_one("#trouble", Static).update(untrusted_text.content(text))


def _widget(field: Field) -> Widget:
    name = f"field-{field.name}"
    if field.words:
        return Choice(field.words, field.value, id=name)
    if field.lines > 1:
        from textual.widgets import TextArea  # takes a while to import, and not every form has one

        area = TextArea(untrusted_text.editable(field.value), id=name, tab_behavior="focus", soft_wrap=True)
        area.styles.height = field.lines
        area.move_cursor(area.document.end)  # where a person goes on writing
        return area
    return Input(untrusted_text.editable(field.value), id=name, select_on_focus=field.suggested)


def _typed(widget: Widget) -> str:
    if isinstance(widget, Input | Choice):
        return widget.value
    from textual.widgets import TextArea

    assert isinstance(widget, TextArea)
    return widget.text
