"""The task pane: the task's description, its seed examples, and the practice questions of the followed run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import DescendantFocus, Paste
from textual.widgets import Static

from autoact.errors import AutoActError
from autoact.files import disk
from autoact.lab.tally import count_examples
from autoact.run.record.folder import RunFolder
from studio.actions import action_table
from studio.files import examples_jsonl
from studio.files.examples_jsonl import ExampleLine
from studio.files.practice_questions import PracticeQuestion, PracticeQuestions
from studio.files.task_files import FileTimes, MakeRows, TaskFiles
from studio.panes.forms import task as forms
from studio.panes.held_out import HeldOutList
from studio.panes.pane import Pane
from studio.panes.project_view import ProjectView
from studio.panes.rows.examples import EXAMPLES, PRACTICE, ExampleRows, PracticeRows, example_counts, mark_counts
from studio.panes.rows.question_details import example_detail, practice_detail
from studio.runs.progress import stage_of
from studio.runs.run_list import ALIVE
from studio.screens.confirm import Confirm
from studio.screens.form import Values
from studio.terminal import untrusted_text
from studio.widgets.lists.search_table import SearchTable
from studio.widgets.lists.table import Table
from studio.widgets.stage_overview import StageOverview


class TaskPane(Pane):
    """Edits project.toml and examples.jsonl directly; changes of the examples can be undone."""

    DEFAULT_CSS = """
    TaskPane #title, TaskPane #counts, TaskPane #marks { height: 1; padding: 0 1; }
    TaskPane #title, TaskPane #counts, TaskPane #marks { text-wrap: nowrap; text-overflow: ellipsis; }
    TaskPane #description { height: auto; max-height: 3; padding: 0 1; color: $quiet; }
    TaskPane #counts, TaskPane #marks { color: $quiet; }
    TaskPane #sides { height: 1fr; layout: vertical; }
    TaskPane #lists, TaskPane Table { height: 1fr; }
    TaskPane #practice, TaskPane #marks, TaskPane HeldOutList { display: none; }
    TaskPane.with-practice #practice, TaskPane.with-practice #marks, TaskPane.held-out HeldOutList { display: block; }
    TaskPane.held-out #sides, TaskPane.held-out #counts { display: none; }
    TaskPane #side { display: none; padding: 0 1; background: $surface; }
    TaskPane #detail { height: auto; }
    """
    CONTEXTS = ("task",)
    BINDINGS = action_table.bindings("task")

    def __init__(self, view: ProjectView):
        super().__init__(view)
        self.files = TaskFiles(self.project)
        self.practice: PracticeQuestions | None = None
        self._examples, self._practice_rows = ExampleRows(), PracticeRows()

    def compose(self) -> ComposeResult:
        yield from (Static(id=name) for name in ("title", "description", "counts"))
        with Horizontal(id="sides"):
            with Vertical(id="lists"):
                yield SearchTable(EXAMPLES, id="examples")
                yield Static(id="marks")
                yield SearchTable(PRACTICE, id="practice")
            with VerticalScroll(id="side", can_focus=False):
                yield Static(id="detail")
        yield StageOverview(id="stages")

    def on_mount(self) -> None:
        self.table.show(self._examples)
        self.table.set_hint("No examples yet: a adds one, p pastes several, m imports a file. At least one is needed.")
        self.practice_table.show(self._practice_rows)

    def on_unmount(self) -> None:
        self._close()

    @property
    def rows(self) -> Sequence[ExampleLine]:
        return self.files.rows

    @property
    def table(self) -> Table:
        return self.query_one("#examples", Table)

    @property
    def practice_table(self) -> Table:
        return self.query_one("#practice", Table)

    # -- files and the run -----------------------------------------------------------------------------------------

    def update(self) -> None:
        """Reads the files if another program changed them, and the new practice questions of the run."""
        if not self.files.is_current:
            self._read_files()
        self._read_run()
        self.query_one(StageOverview).refresh_lines(self.follow)

    def _read_files(self) -> None:
        with suppress(AutoActError):  # the boundary of a command: shown, not raised
            self.files.read()
        self._show_files()

    def _show_files(self) -> None:
        """Shows what was read, or why it could not; near-duplicates are marked as soon as a thread has found them."""
        if self.files.problem:
            problem = self.files.problem.replace(f"{self.project}/", "")
            self.set_text("description", untrusted_text.content(problem, "$error"))
            return
        self._examples.rows = self.rows
        self._practice_rows.added = {row.question for row in self.rows}
        self._draw()
        self.run_worker(self._find_duplicates, thread=True, exclusive=True, group="duplicates")

    def _read_run(self) -> None:
        name = self.follow.name
        if name and (self.practice is None or self.practice.name != name):
            self._close()
            self.practice = PracticeQuestions(RunFolder(self.project / "runs" / name))
            self._practice_rows.rows, self._practice_rows.marks = self.practice.rows, self.practice.marks
            self._practice_rows.dropped = set()
            self.practice.read()
            self.practice_table.show(self._practice_rows)
        elif self.practice is not None and self.practice.read():
            self.practice_table.grow()
        self._show_marks()
        writing = self.follow.state.stage == "self_instruct" and self.follow.verdict in ALIVE
        self.set_class(bool(self._practice_rows.rows) or writing, "with-practice")
        self.practice_table.set_hint(f"The meta-agent is writing questions: {stage_of(self.follow.state)}")
        self._show_detail()

    def _show_marks(self) -> None:
        if self.practice is not None and self.practice.marks.read():
            self.practice_table.reload()
            self.set_text("marks", mark_counts(self.practice.marks))

    def _close(self) -> None:
        if self.practice is not None:
            self.practice.close()

    def _draw(self) -> None:
        task = self.files.task
        answers = {"short": "short text", "choice": "the letter of an option"}[task.answer]
        name = untrusted_text.content(task.name, "bold")
        self.set_text("title", Content.assemble(name, (f"   answers: {answers}", "$quiet")))
        self.set_text("description", untrusted_text.content(task.description))
        self.set_text("counts", example_counts(self.rows, self._examples.duplicates))
        self.table.reload()
        self.practice_table.reload()
        self._show_detail()

    def _find_duplicates(self) -> None:
        rows = self.rows
        found = examples_jsonl.near_duplicates(rows)
        self.app.call_from_thread(self._show_duplicates, rows, found)

    def _show_duplicates(self, rows: Sequence[ExampleLine], found: dict[int, int]) -> None:
        if rows is self.rows and found != self._examples.duplicates:
            self._examples.duplicates = found
            self._draw()

    # -- the row under the cursor in full, and the held-out questions ----------------------------------------------

    @on(Table.CursorMoved, "#examples")
    @on(Table.CursorMoved, "#practice")
    def _show_detail(self) -> None:
        """Shows the row under the cursor of the list in use in full, where there is space."""
        if not self.query_one("#side").display:
            return
        lines: list[Content] = []
        if self.practice_table.has_focus:
            lines = practice_detail(question) if (question := self._current_question) else []
        elif self.table.cursor < len(self.rows):
            lines = example_detail(self.rows[self.table.cursor])
        self.set_text("detail", Content("\n").join(lines))

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_detail)  # there may be space for it now

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        self._show_detail()

    async def action_held_out(self) -> None:
        """Shows the held-out questions in place of the examples, or the examples again."""
        self.toggle_class("held-out")
        if self.has_class("held-out"):
            if not self.query(HeldOutList):
                await self.mount(HeldOutList(self.project), before="#stages")
            self.query_one(HeldOutList).open()
        else:
            self.table.focus()
        self.view.update_footer()

    async def action_up(self) -> None:
        """Returns to the examples, else leaves the project."""
        if self.has_class("held-out"):
            await self.action_held_out()
        else:
            self.view.action_back()

    # -- editing the task and the examples -------------------------------------------------------------------------

    def obstacle(self, action: str) -> str:
        on_practice = self.practice_table.has_focus
        match action:
            case "edit" | "delete" | "undo" | "accept" | "mark" if self.has_class("held-out"):
                return "h returns to the examples; the held-out questions are only shown."
            case "up" if not self.has_class("held-out"):
                return "This is the list of examples."
            case "edit" | "delete" if (self._current_question if on_practice else self.table.chosen) is None:
                return "There is no example; a adds one."
            case "accept" | "mark" if not on_practice or self._current_question is None:
                return "Put the cursor on a practice question (tab goes there); i writes some."
            case "accept" if self._current_question and self._current_question.question in self._practice_rows.added:
                return "It is already an example."
            case "mark" if self.practice:
                return self.practice.marks.obstacle
            case "undo" if not self.files.can_undo:
                return "There is nothing to undo."
        return ""

    def main_actions(self) -> Sequence[str]:
        if self.has_class("held-out"):
            return ("task.up",)
        if self.practice_table.has_focus:
            return "task.accept", "task.mark", "task.edit", "task.delete"
        return ("task.add", "task.paste", "task.take_file", "task.words") if not self.rows else ()

    def footer_word(self, action: str) -> str:
        """Returns the footer's label for an action whose effect depends on the state."""
        return "examples" if action == "held_out" and self.has_class("held-out") else ""

    def action_words(self) -> None:
        self.app.push_screen(forms.task_form(self.files.task, self._save_task))

    def _save_task(self, values: Values) -> str:
        return self._try(partial(self.files.save_task, values))

    def action_add(self) -> None:
        self.app.push_screen(forms.example_form("New example", self._add_example))

    @action_table.check_obstacle
    def action_edit(self) -> None:
        """Edits an example; a practice question is added to the examples after it was edited."""
        if not self.practice_table.has_focus:
            self._edit_example(self.table.cursor)
        elif (one := self._current_question) is not None:
            row = ExampleLine("", {"question": one.question, "answer": one.answer})
            self.app.push_screen(forms.example_form("Add this question to the examples", self._add_example, row))

    @on(Table.Opened)
    def _row_opened(self) -> None:
        self.action_edit()

    def _edit_example(self, at: int) -> None:
        row, name, read_at = self.rows[at], Path("examples.jsonl"), self.files.read_at

        def save(values: Values) -> str:
            def change() -> list[ExampleLine]:
                if row.error:
                    new = examples_jsonl.repair_line(values["line"], name, at + 1)
                else:
                    new = examples_jsonl.edit_example(row, values, name, at + 1)
                return [*self.rows[:at], new, *self.rows[at + 1 :]]

            return self._save(change, "Edited; u undoes it.", read_at)

        self.app.push_screen(forms.example_form(f"Example {at + 1}", save, row, "save"))

    @action_table.check_obstacle
    def action_delete(self) -> None:
        """Deletes an example after a question; a practice question is only marked as dropped."""
        if self.practice_table.has_focus:
            self._drop_practice()
            return
        at = self.table.cursor
        question, read_at = self.rows[at].question or self.rows[at].line, self.files.read_at

        def on_answer(yes: bool | None) -> None:
            if yes:
                self._save_or_notice(lambda: [*self.rows[:at], *self.rows[at + 1 :]], "Deleted; u undoes it.", read_at)

        self.app.push_screen(Confirm(f"Delete the example `{question[:200]}`?"), on_answer)

    def action_drop_duplicates(self) -> None:
        unique, read_at = examples_jsonl.drop_duplicates(self.rows), self.files.read_at
        surplus = len(self.rows) - len(unique)
        if not surplus:
            self.notice("There are no duplicates.")
            return

        def on_answer(yes: bool | None) -> None:
            if yes:
                self._save_or_notice(lambda: unique, f"{surplus} deleted; u undoes it.", read_at)

        self.app.push_screen(Confirm(f"Delete {count_examples(surplus)} with an earlier question?"), on_answer)

    def action_paste(self, text: str = "") -> None:
        def save(values: Values) -> str:
            return self._append(lambda: examples_jsonl.parse_text(values["text"], "pasted text", self.rows))

        self.app.push_screen(forms.paste_form(text, save))

    def on_paste(self, event: Paste) -> None:
        event.stop()
        self.action_paste(event.text)

    def action_take_file(self) -> None:
        def save(values: Values) -> str:
            file = disk.expand_user(values["file"].strip())
            return self._append(lambda: examples_jsonl.read_import(file, self.rows), f" from {file.name}")

        self.app.push_screen(forms.import_form(save))

    @action_table.check_obstacle
    def action_undo(self) -> None:
        self.notice(self._try(self.files.undo) or "Undone.")

    def _add_example(self, values: Values) -> str:
        """Adds the example of a form."""
        return self._append(lambda: [examples_jsonl.new_example(examples_jsonl.example_data(values), self.rows)])

    def _append(self, make: MakeRows, source: str = "") -> str:
        """Adds the result of `make` to the examples, the cursor on the first; returns the error text if that fails."""
        before = len(self.rows)
        error = self._save(lambda: [*self.rows, *make()])
        if not error:
            count = len(self.rows) - before
            self.table.move_to(before)
            self.notice(f"{count} example{'s' * (count > 1)} added{source}; u undoes it.")
        return error

    def _save_or_notice(self, make: MakeRows, notice: str, read_at: FileTimes | None) -> None:
        """Saves the result of `make` as the examples and shows the notice or the error."""
        if error := self._save(make, notice, read_at):
            self.notice(error)

    def _save(self, make: MakeRows, notice: str = "", read_at: FileTimes | None = None) -> str:
        """Saves the result of `make` as the examples and shows the notice; returns the error text if that fails."""
        error = self._try(partial(self.files.save_examples, make, read_at))
        if notice and not error:
            self.notice(notice)
        return error

    def _try(self, save: Callable[[], None]) -> str:
        """Saves, and shows the files; returns the error text if that fails."""
        try:
            save()
        except (AutoActError, OSError) as error:  # the boundary of a command: shown, not raised
            return str(error)
        finally:
            self._show_files()
        return ""

    # -- self-instruct ---------------------------------------------------------------------------------------------

    def action_instruct(self) -> None:
        def started(run: str) -> None:
            self.view.follow_run(run)
            self.notice("The questions arrive below; tab goes there, space adds one to the examples.")

        self.app.push_screen(forms.self_instruct_form(self.project, started))

    @property
    def _current_question(self) -> PracticeQuestion | None:
        rows, at = self._practice_rows.rows, self.practice_table.cursor
        return rows[at] if at < len(rows) else None

    @action_table.check_obstacle
    def action_accept(self) -> None:
        """Adds the practice question under the cursor to the examples."""
        if (one := self._current_question) is not None:
            if error := self._add_example({"question": one.question, "answer": one.answer}):
                self.notice(error)
            else:
                self.practice_table.move(1)

    @action_table.check_obstacle
    def action_mark(self) -> None:
        """Marks the practice question under the cursor as right, then as wrong, then not at all."""
        if (one := self._current_question) is not None and self.practice is not None:
            try:
                self.practice.marks.change(one.key)
            except (AutoActError, OSError) as error:  # the boundary of a command: shown, not raised
                self.notice(str(error))
            self._show_marks()

    def _drop_practice(self) -> None:
        if (one := self._current_question) is not None:
            self._practice_rows.dropped ^= {one.unit}
            self.practice_table.reload()
            self.practice_table.move(1)
