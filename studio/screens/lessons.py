"""A dialog with the training examples of a sub-agent; the text with loss is underlined."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from autoact import scratchpad
from autoact.script import Lesson
from studio.actions import action_table
from studio.terminal import untrusted_text
from studio.terminal.theme import role_colour
from studio.widgets.footer import Footer
from studio.widgets.lists.search_table import SearchTable
from studio.widgets.lists.table import Column, Table

COLUMNS = (
    Column("", 5, right=True),
    Column("question"),
    Column("steps", 6, right=True),
    Column("trained on", 22),
)


class LessonRows:
    """The training examples as rows of the table."""

    def __init__(self, lessons: Sequence[Lesson]):
        self.lessons = lessons

    def __len__(self) -> int:
        return len(self.lessons)

    def row(self, index: int) -> Sequence[str | Content]:
        lesson = self.lessons[index]
        return (
            str(index + 1),
            lesson.trajectory.question.text,
            str(len(lesson.trajectory.steps)),
            ", ".join(lesson.parts),
        )

    def key(self, index: int) -> str:
        return str(index)


class LessonsScreen(ModalScreen[None]):
    """Lists the examples, and shows the chosen one as the sub-agent reads it."""

    DEFAULT_CSS = """
    LessonsScreen { background: $background; color: $foreground; }
    LessonsScreen #title { height: 1; background: $panel; padding: 0 1; }
    LessonsScreen Table { height: 1fr; }
    LessonsScreen VerticalScroll { height: 2fr; padding: 0 1; background: $surface; }
    LessonsScreen #lesson { height: auto; }
    LessonsScreen #footer { height: 1; background: $panel; color: $foreground; }
    """
    CONTEXTS: tuple[action_table.Context, ...] = ("lessons",)
    BINDINGS = action_table.modal_bindings("lessons")

    def __init__(self, role: str, lessons: Sequence[Lesson]):
        super().__init__()
        self.role, self.lessons = role, lessons

    def compose(self) -> ComposeResult:
        title = f"{len(self.lessons)} training examples of the {self.role}-agent; underlined: trained on"
        yield Static(Content(title), id="title")
        yield SearchTable(COLUMNS, LessonRows(self.lessons))
        with VerticalScroll():
            yield Static(id="lesson")
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(Table).reload()
        self._show(0)

    def update_footer(self) -> None:
        """Updates the keys in the footer."""
        self.query_one(Footer).refresh_keys()

    def on_descendant_focus(self) -> None:
        self.update_footer()

    def on_table_cursor_moved(self, message: Table.CursorMoved) -> None:
        self._show(message.index)

    def action_close(self) -> None:
        self.dismiss()

    def _show(self, index: int) -> None:
        if index < len(self.lessons):
            self.query_one("#lesson", Static).update(lesson_text(self.role, self.lessons[index]))


def lesson_text(role: str, lesson: Lesson) -> Content:
    """Returns an example as the sub-agent reads it; the text with loss is underlined in the role's colour."""
    with_loss = f"underline bold {role_colour(role)}"
    question = scratchpad.render_question(lesson.trajectory.question, failed=lesson.failed)
    parts = [(untrusted_text.clean(question) + "\n", "$quiet")]
    for piece in scratchpad.pieces(lesson.trajectory.steps):
        has_loss = lesson.has_loss(piece.part, piece.tool)
        text = untrusted_text.clean(piece.text)
        parts.append((text, with_loss if has_loss and text.strip() else "" if has_loss else "$quiet"))
    shown = Content.assemble(*parts)
    if lesson.against is None:
        return shown
    return Content.assemble(
        shown, ("\nFailed try, to become less likely:\n", "bold"), lesson_text(role, lesson.against)
    )
