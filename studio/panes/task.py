"""The task pane: the task's description, its seed examples, and the practice questions of the followed run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.events import Paste
from textual.widgets import Static

from autoact.errors import AutoActError
from autoact.files import disk
from autoact.project.config import Task
from autoact.run.record.folder import RunFolder
from studio.actions import action_table, cli_command
from studio.files import examples_jsonl, project_toml
from studio.files.examples_jsonl import ExampleLine
from studio.files.practice_questions import PracticeQuestion, PracticeQuestions
from studio.panes.pane import Pane
from studio.panes.project_view import ProjectView
from studio.panes.rows.examples import EXAMPLES, PRACTICE, ExampleRows, PracticeRows, example_counts, mark_counts
from studio.runs.progress import stage_of
from studio.runs.run_list import ALIVE
from studio.screens.confirm import Confirm
from studio.screens.form import Field, Form, Values, non_empty
from studio.terminal import untrusted_text
from studio.widgets.lists.table import Table
from studio.widgets.stage_overview import StageOverview

MOST_UNDOS = 20
"""Changes of the examples that can be undone."""
ANSWERS = ("short", "choice")
MakeRows = Callable[[], list[ExampleLine]]
FileTimes = tuple[int, int]
"""Modification times in ns of examples.jsonl and project.toml when they were read."""


class TaskPane(Pane):
    """Edits project.toml and examples.jsonl directly; changes of the examples can be undone."""

    DEFAULT_CSS = """
    TaskPane #title, TaskPane #counts, TaskPane #marks { height: 1; padding: 0 1; }
    TaskPane #title, TaskPane #counts, TaskPane #marks { text-wrap: nowrap; text-overflow: ellipsis; }
    TaskPane #description { height: auto; max-height: 3; padding: 0 1; color: $quiet; }
    TaskPane #counts, TaskPane #marks { color: $quiet; }
    TaskPane #examples { height: 1fr; }
    TaskPane #practice { height: 1fr; display: none; }
    TaskPane #marks { display: none; }
    TaskPane.with-practice #practice, TaskPane.with-practice #marks { display: block; }
    """
    CONTEXTS = ("task",)
    BINDINGS = action_table.bindings("task")

    def __init__(self, view: ProjectView):
        super().__init__(view)
        self.file = self.project / "examples.jsonl"
        self.settings = Task()
        self.practice: PracticeQuestions | None = None
        self._examples, self._practice_rows = ExampleRows(), PracticeRows()
        self._undo: list[list[ExampleLine]] = []
        """The examples before each change, the newest last."""
        self._file_times: FileTimes | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        yield Static(id="description")
        yield Static(id="counts")
        yield Table(EXAMPLES, id="examples")
        yield Static(id="marks")
        yield Table(PRACTICE, id="practice")
        yield StageOverview(id="stages")

    def on_mount(self) -> None:
        self.table.show(self._examples)
        self.table.set_hint("No examples yet: a adds one, p pastes several, m imports a file. At least one is needed.")
        self.practice_table.show(self._practice_rows)

    def on_unmount(self) -> None:
        self._close()

    @property
    def rows(self) -> list[ExampleLine]:
        return self._examples.rows

    @property
    def table(self) -> Table:
        return self.query_one("#examples", Table)

    @property
    def practice_table(self) -> Table:
        return self.query_one("#practice", Table)

    # -- files and the run -----------------------------------------------------------------------------------------

    def update(self) -> None:
        """Reads the files if another program changed them, and the new practice questions of the run."""
        if self._file_times != self._current_times():
            self._read_files()
        self._read_run()
        self.query_one(StageOverview).refresh_lines(self.follow)

    def _current_times(self) -> FileTimes:
        files = (self.file, self.project / "project.toml")
        first, second = map(disk.file_time, files)
        return first, second

    def _read_files(self) -> None:
        self._file_times = self._current_times()
        try:
            self.settings = project_toml.read(self.project).task
            self._examples.rows = examples_jsonl.read(self.file)
        except AutoActError as error:  # the boundary of a command: shown, not raised
            self.set_text("description", untrusted_text.content(str(error).replace(f"{self.project}/", ""), "$error"))
            return
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

    def _show_marks(self) -> None:
        if self.practice is not None and self.practice.marks.read():
            self.practice_table.reload()
            self.set_text("marks", mark_counts(self.practice.marks))

    def _close(self) -> None:
        if self.practice is not None:
            self.practice.close()

    def _draw(self) -> None:
        answers = {"short": "short text", "choice": "the letter of an option"}[self.settings.answer]
        name = untrusted_text.content(self.settings.name, "bold")
        self.set_text("title", Content.assemble(name, (f"   answers: {answers}", "$quiet")))
        self.set_text("description", untrusted_text.content(self.settings.description))
        self.set_text("counts", example_counts(self.rows, self._examples.duplicates))
        self.table.reload()
        self.practice_table.reload()

    def _find_duplicates(self) -> None:
        rows = self.rows
        found = examples_jsonl.near_duplicates(rows)
        self.app.call_from_thread(self._show_duplicates, rows, found)

    def _show_duplicates(self, rows: list[ExampleLine], found: dict[int, int]) -> None:
        if rows is self.rows and found != self._examples.duplicates:
            self._examples.duplicates = found
            self._draw()

    # -- editing the task and the examples -------------------------------------------------------------------------

    def obstacle(self, action: str) -> str:
        on_practice = self.practice_table.has_focus
        match action:
            case "edit" | "delete" if (self._current_question if on_practice else self.table.chosen) is None:
                return "There is no example; a adds one."
            case "accept" | "mark" if not on_practice or self._current_question is None:
                return "Put the cursor on a practice question (tab goes there); i writes some."
            case "accept" if self._current_question and self._current_question.question in self._practice_rows.added:
                return "It is already an example."
            case "mark" if self.practice:
                return self.practice.marks.obstacle
            case "undo" if not self._undo:
                return "There is nothing to undo."
        return ""

    def main_actions(self) -> Sequence[str]:
        if self.practice_table.has_focus:
            return "task.accept", "task.mark", "task.edit", "task.delete"
        return ("task.add", "task.paste", "task.take_file", "task.words") if not self.rows else ()

    def action_words(self) -> None:
        fields = (
            Field("name", "name", self.settings.name),
            Field("description", "description, part of every prompt", self.settings.description, 4),
            Field("answer", "answers: short text, or the letter of an option", self.settings.answer, 1, ANSWERS),
        )
        self.app.push_screen(Form("Task", fields, self._save_task))

    async def _save_task(self, values: Values) -> str:
        if self._file_times != self._current_times():
            return self._reread()
        try:
            project_toml.save(self.project, "task", values)
        except (AutoActError, OSError) as error:  # the boundary of a command: shown, not raised
            return str(error)
        self._read_files()
        return ""

    def action_add(self) -> None:
        async def accept(values: Values) -> str:
            return self._append(lambda: [examples_jsonl.new_example(non_empty(values), self.rows)])

        self.app.push_screen(Form("New example", _fields(), accept, "add"))

    @action_table.check_obstacle
    def action_edit(self) -> None:
        if self.practice_table.has_focus:
            self._edit_practice()
        else:
            self._edit_example(self.table.cursor)

    @on(Table.Opened)
    def _row_opened(self) -> None:
        self.action_edit()

    def _edit_example(self, at: int) -> None:
        row, name, read_at = self.rows[at], Path(self.file.name), self._file_times

        async def accept(values: Values) -> str:
            def change() -> list[ExampleLine]:
                if "line" in values:
                    new = examples_jsonl.repair_line(values["line"], name, at + 1)
                else:
                    new = examples_jsonl.edit_example(row, values, name, at + 1)
                return [*self.rows[:at], new, *self.rows[at + 1 :]]

            return self._save(change, "Edited; u undoes it.", read_at)

        raw = (Field("line", row.error, row.line, 6),)
        fields = raw if row.error else _fields(row.question, row.answer, str(row.data.get("type", "")))
        self.app.push_screen(Form(f"Example {at + 1}", fields, accept))

    @action_table.check_obstacle
    def action_delete(self) -> None:
        """Deletes an example after a question; a practice question is only marked as dropped."""
        if self.practice_table.has_focus:
            self._drop_practice()
            return
        at = self.table.cursor
        question, read_at = self.rows[at].question or self.rows[at].line, self._file_times

        def on_answer(yes: bool | None) -> None:
            if yes:
                self._save_or_notice(lambda: [*self.rows[:at], *self.rows[at + 1 :]], "Deleted; u undoes it.", read_at)

        self.app.push_screen(Confirm(f"Delete the example `{question[:200]}`?"), on_answer)

    def action_drop_duplicates(self) -> None:
        unique, read_at = examples_jsonl.drop_duplicates(self.rows), self._file_times
        surplus = len(self.rows) - len(unique)
        if not surplus:
            self.notice("There are no duplicates.")
            return

        def on_answer(yes: bool | None) -> None:
            if yes:
                self._save_or_notice(lambda: unique, f"{surplus} deleted; u undoes it.", read_at)

        self.app.push_screen(Confirm(f"Delete {surplus} examples that repeat an earlier question?"), on_answer)

    def action_paste(self, text: str = "") -> None:
        async def accept(values: Values) -> str:
            return self._append(lambda: examples_jsonl.parse_text(values["text"], "pasted text", self.rows))

        label = "JSON, JSON lines, CSV, or columns separated by tabs: question, answer"
        self.app.push_screen(Form("Paste examples", (Field("text", label, text, 12),), accept, "add"))

    def on_paste(self, event: Paste) -> None:
        event.stop()
        self.action_paste(event.text)

    def action_take_file(self) -> None:
        async def accept(values: Values) -> str:
            file = disk.expand_user(values["file"].strip())
            return self._append(lambda: examples_jsonl.read_import(file, self.rows), f" from {file.name}")

        field = Field("file", "a .json, .jsonl, .csv or .tsv file")
        self.app.push_screen(Form("Import examples", (field,), accept, "import"))

    @action_table.check_obstacle
    def action_undo(self) -> None:
        before = self._undo[-1]
        if self._save_or_notice(lambda: before, "Undone."):
            del self._undo[-2:]

    def _append(self, make: MakeRows, source: str = "") -> str:
        """Adds the result of `make` to the examples, the cursor on the first; returns the error text if that fails."""
        before = len(self.rows)
        error = self._save(lambda: [*self.rows, *make()])
        if not error:
            count = len(self.rows) - before
            self.table.move_to(before)
            self.notice(f"{count} example{'s' * (count > 1)} added{source}; u undoes it.")
        return error

    def _save_or_notice(self, make: MakeRows, notice: str, read_at: FileTimes | None = None) -> bool:
        """Saves the result of `make` as the examples and shows the notice or the error; returns False for an error."""
        if error := self._save(make, notice, read_at):
            self.notice(error)
        return not error

    def _save(self, make: MakeRows, notice: str = "", read_at: FileTimes | None = None) -> str:
        """Saves the result of `make` as the examples and shows the notice; returns the error text if that fails, as it
        does when the files have changed since `read_at`, or else since they were last read."""
        try:
            with disk.lock_folder(self.file.resolve().parent):  # another studio saves before or after this
                if (read_at or self._file_times) != self._current_times():
                    return self._reread()
                examples_jsonl.save(self.file, make())
        except (AutoActError, OSError) as error:  # the boundary of a command: shown, not raised
            return str(error)
        self._undo = [*self._undo[1 - MOST_UNDOS :], self.rows]
        self._read_files()
        if notice:
            self.notice(notice)
        return ""

    def _reread(self) -> str:
        """Reads files that another program has changed; returns the notice about it."""
        self._read_files()
        return "The files were changed elsewhere and have been read again; check them and try again."

    # -- self-instruct ---------------------------------------------------------------------------------------------

    def action_instruct(self) -> None:
        field = Field("target", "questions to write", "20", suggested=True)
        self.app.push_screen(Form("Self-instruct: the meta-agent writes questions", (field,), self._instruct, "start"))

    async def _instruct(self, values: Values) -> str:
        target = values["target"].strip()
        if not target.isdecimal() or not int(target):
            return f"expected a number above 0, not `{target}`"
        options = ("--only", "self_instruct", "--set", f"self_instruct.target={target}", "--new", "--detach")
        result = await cli_command.autoact("run", str(self.project), options=options)
        if result.code:
            return result.reason
        self.view.follow_run(result.output.strip())
        self.notice("The questions arrive below; tab goes there, space adds one to the examples.")
        return ""

    @property
    def _current_question(self) -> PracticeQuestion | None:
        rows, at = self._practice_rows.rows, self.practice_table.cursor
        return rows[at] if at < len(rows) else None

    @action_table.check_obstacle
    def action_accept(self) -> None:
        """Adds the practice question under the cursor to the examples."""
        if (one := self._current_question) is not None:
            error = self._add_example(one.question, one.answer)
            if error:
                self.notice(error)
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

    def _edit_practice(self) -> None:
        question = self._current_question
        if question is None:
            return

        async def accept(values: Values) -> str:
            return self._add_example(values["question"], values["answer"], values["type"])

        fields = _fields(question.question, question.answer)
        self.app.push_screen(Form("Add this question to the examples", fields, accept, "add"))

    def _drop_practice(self) -> None:
        if (one := self._current_question) is not None:
            self._practice_rows.dropped ^= {one.unit}
            self.practice_table.reload()
            self.practice_table.move(1)

    def _add_example(self, question: str, answer: str, kind: str = "") -> str:
        values = non_empty({"question": question, "answer": answer, "type": kind})
        return self._append(lambda: [examples_jsonl.new_example(values, self.rows)])


def _fields(question: str = "", answer: str = "", kind: str = "") -> tuple[Field, ...]:
    lines = 5 if "\n" in question else 1
    return (
        Field("question", "question", question, lines),
        Field("answer", "answer", answer),
        Field("type", "type, such as two-hop or yes-no (optional)", kind),
    )
