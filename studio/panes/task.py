"""The task: its description, its examples, and the questions that self-instruct would add to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.events import Paste
from textual.widgets import Static

from autoact import disk
from autoact.config import Task
from autoact.errors import AutoActError
from autoact.run.record.folder import RunFolder
from studio.actions import action_table, cli_command
from studio.files import examples_jsonl, project_toml
from studio.files.examples_jsonl import ExampleLine
from studio.files.practice_questions import PracticeQuestion, PracticeQuestions
from studio.panes.example_rows import DRAFTS, EXAMPLES, DraftRows, ExampleRows, example_counts
from studio.panes.pane import Pane
from studio.panes.project_view import ProjectView
from studio.runs.progress import stage_of
from studio.runs.run_list import ALIVE
from studio.screens.confirm import Confirm
from studio.screens.form import Field, Form, Values
from studio.terminal import untrusted_text
from studio.widgets.lists.table import Table

UNDOABLE = 20
"""Edits that can be undone."""
ANSWERS = ("short", "choice")


class TaskPane(Pane):
    """What is typed goes into project.toml and examples.jsonl at once; `u` undoes it."""

    DEFAULT_CSS = """
    TaskPane #words, TaskPane #counts { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    TaskPane #said { height: auto; max-height: 3; padding: 0 1; color: $quiet; }
    TaskPane #counts { color: $quiet; }
    TaskPane #examples { height: 1fr; }
    TaskPane #drafts { height: 1fr; display: none; }
    TaskPane.made #drafts { display: block; }
    """
    CONTEXTS = ("task",)
    BINDINGS = action_table.bindings("task")

    def __init__(self, view: ProjectView):
        super().__init__(view)
        self.file = self.project / "examples.jsonl"
        self.words = Task()
        self.drafts: PracticeQuestions | None = None
        self._examples, self._drafts = ExampleRows(), DraftRows()
        self._undo: list[list[ExampleLine]] = []
        self._stamps: tuple[int, int] | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="words")
        yield Static(id="said")
        yield Static(id="counts")
        yield Table(EXAMPLES, id="examples")
        yield Table(DRAFTS, id="drafts")

    def on_mount(self) -> None:
        self.table.show(self._examples)
        self.table.suggest("No examples yet: a adds one, p pastes several, m imports a file. At least one is needed.")
        self.drafts_table.show(self._drafts)

    def on_unmount(self) -> None:
        self._close()

    @property
    def rows(self) -> list[ExampleLine]:
        return self._examples.rows

    @property
    def table(self) -> Table:
        return self.query_one("#examples", Table)

    @property
    def drafts_table(self) -> Table:
        return self.query_one("#drafts", Table)

    # -- what is there ---------------------------------------------------------------------------------------------

    def update(self) -> None:
        """Read anew what changed: the files may be edited elsewhere, and the run goes on."""
        if self._stamps != self._stamps_now():
            self._read_files()
        self._read_run()

    def _stamps_now(self) -> tuple[int, int]:
        files = (self.file, self.project / "project.toml")
        first, second = (file.stat().st_mtime_ns if file.exists() else 0 for file in files)
        return first, second

    def _read_files(self) -> None:
        self._stamps = self._stamps_now()
        try:
            self.words = project_toml.read(self.project).task
            self._examples.rows = examples_jsonl.read(self.file)
        except AutoActError as error:  # the boundary of a command: said, not raised
            self.set_text("said", untrusted_text.content(str(error).replace(f"{self.project}/", ""), "$error"))
            return
        self._drafts.taken = {row.question for row in self.rows}
        self._draw()
        self.run_worker(self._compare, thread=True, exclusive=True, group="compare")

    def _read_run(self) -> None:
        name = self.follow.name
        if name and (self.drafts is None or self.drafts.name != name):
            self._close()
            self.drafts = PracticeQuestions(RunFolder(self.project / "runs" / name))
            self._drafts.rows = self.drafts.rows
            self._drafts.dropped = set()
            self.drafts.look()
            self.drafts_table.show(self._drafts)
        elif self.drafts is not None and self.drafts.look():
            self.drafts_table.grow()
        writing = self.follow.state.stage == "self_instruct" and self.follow.verdict in ALIVE
        self.set_class(bool(self._drafts.rows) or writing, "made")
        self.drafts_table.suggest(f"The meta-agent is writing questions: {stage_of(self.follow.state)}")

    def _close(self) -> None:
        if self.drafts is not None:
            self.drafts.close()

    def _draw(self) -> None:
        answers = {"short": "short text", "choice": "the letter of an option"}[self.words.answer]
        name = untrusted_text.content(self.words.name, "bold")
        self.set_text("words", Content.assemble(name, (f"   answers: {answers}", "$quiet")))
        self.set_text("said", untrusted_text.content(self.words.description))
        self.set_text("counts", example_counts(self.rows, self._examples.alike))
        self.table.renew()
        self.drafts_table.renew()

    def _compare(self) -> None:
        rows = self.rows
        found = examples_jsonl.near_duplicates(rows)
        self.app.call_from_thread(self._compared, rows, found)

    def _compared(self, rows: list[ExampleLine], found: dict[int, int]) -> None:
        if rows is self.rows and found != self._examples.alike:
            self._examples.alike = found
            self._draw()

    # -- the words and the examples --------------------------------------------------------------------------------

    def obstacle(self, action: str) -> str:
        drafting = self.drafts_table.has_focus
        match action:
            case "edit" | "delete" if (self._draft if drafting else self.table.chosen) is None:
                return "There is no example; a adds one."
            case "accept" if not drafting or self._draft is None:
                return "Put the cursor on a self-made question (tab goes there); i writes some."
            case "accept" if self._draft and self._draft.question in self._drafts.taken:
                return "It is among the examples already."
            case "undo" if not self._undo:
                return "There is nothing to undo."
        return ""

    def action_words(self) -> None:
        fields = (
            Field("name", "name", self.words.name),
            Field("description", "description, part of every prompt", self.words.description, 4),
            Field("answer", "answers: short text, or the letter of an option", self.words.answer, 1, ANSWERS),
        )
        self.app.push_screen(Form("Task", fields, self._reword))

    async def _reword(self, values: Values) -> str:
        if self._stamps != self._stamps_now():
            return self._elsewhere()
        try:
            project_toml.save(self.project, "task", values)
        except (AutoActError, OSError) as error:  # the boundary of a command: said, not raised
            return str(error)
        self._read_files()
        return ""

    def action_add(self) -> None:
        async def take(values: Values) -> str:
            return self._append(lambda: [examples_jsonl.new_example(_said(values), self.rows)])

        self.app.push_screen(Form("New example", _fields(), take, "add"))

    @action_table.check_obstacle
    def action_edit(self) -> None:
        if self.drafts_table.has_focus:
            self._edit_draft()
        else:
            self._edit_example(self.table.cursor)

    @on(Table.Opened)
    def _opened(self) -> None:
        self.action_edit()

    def _edit_example(self, at: int) -> None:
        row, name = self.rows[at], Path(self.file.name)

        async def take(values: Values) -> str:
            def put() -> list[ExampleLine]:
                if "line" in values:
                    new = examples_jsonl.repair_line(values["line"], name, at + 1)
                else:
                    new = examples_jsonl.edit_example(row, values, name, at + 1)
                return [*self.rows[:at], new, *self.rows[at + 1 :]]

            return self._put(put, "Edited; u undoes it.")

        raw = (Field("line", row.trouble, row.line, 6),)
        fields = raw if row.trouble else _fields(row.question, row.answer, str(row.data.get("type", "")))
        self.app.push_screen(Form(f"Example {at + 1}", fields, take))

    @action_table.check_obstacle
    def action_delete(self) -> None:
        """An example is deleted when the person says yes; a self-made question is only marked."""
        if self.drafts_table.has_focus:
            self._drop_draft()
            return
        at = self.table.cursor
        question = self.rows[at].question or self.rows[at].line

        def told(yes: bool | None) -> None:
            if yes:
                self._try(lambda: [*self.rows[:at], *self.rows[at + 1 :]], "Deleted; u undoes it.")

        self.app.push_screen(Confirm(f"Delete the example `{question[:200]}`?"), told)

    def action_drop_duplicates(self) -> None:
        kept = examples_jsonl.drop_duplicates(self.rows)
        surplus = len(self.rows) - len(kept)
        if not surplus:
            self.notice("There are no duplicates.")
            return

        def told(yes: bool | None) -> None:
            if yes:
                self._try(lambda: kept, f"{surplus} deleted; u undoes it.")

        self.app.push_screen(Confirm(f"Delete {surplus} examples that ask what an earlier one asks?"), told)

    def action_paste(self, text: str = "") -> None:
        async def take(values: Values) -> str:
            return self._append(lambda: examples_jsonl.parse_text(values["text"], "pasted text", self.rows))

        label = "JSON, JSON lines, CSV, or columns separated by tabs: question, answer"
        self.app.push_screen(Form("Paste examples", (Field("text", label, text, 12),), take, "add"))

    def on_paste(self, event: Paste) -> None:
        event.stop()
        self.action_paste(event.text)

    def action_take_file(self) -> None:
        async def take(values: Values) -> str:
            file = Path(values["file"].strip()).expanduser()
            return self._append(lambda: examples_jsonl.read_import(file, self.rows), f" from {file.name}")

        field = Field("file", "a .json, .jsonl, .csv or .tsv file")
        self.app.push_screen(Form("Import examples", (field,), take, "import"))

    @action_table.check_obstacle
    def action_undo(self) -> None:
        before = self._undo[-1]
        if self._try(lambda: before, "Undone."):
            del self._undo[-2:]

    def _append(self, make: Callable[[], list[ExampleLine]], source: str = "") -> str:
        """Save the examples that `make` gives behind the others, the cursor on the first of them."""
        before = len(self.rows)
        trouble = self._put(lambda: [*self.rows, *make()])
        if not trouble:
            count = len(self.rows) - before
            self.table.point(before)
            self.notice(f"{count} example{'s' * (count > 1)} added{source}; u undoes it.")
        return trouble

    def _try(self, make: Callable[[], list[ExampleLine]], said: str) -> bool:
        """Save what `make` gives in place of the examples, and say so or why not; whether it was saved."""
        trouble = self._put(make, said)
        if trouble:
            self.notice(trouble)
        return not trouble

    def _put(self, make: Callable[[], list[ExampleLine]], said: str = "") -> str:
        """Save what `make` gives in place of the examples, and say so; why not, when it cannot be done."""
        try:
            with disk.locked(self.file.resolve().parent):  # another studio saves before the look at the files, or after
                if self._stamps != self._stamps_now():
                    return self._elsewhere()
                examples_jsonl.save(self.file, make())
        except (AutoActError, OSError) as error:  # the boundary of a command: said, not raised
            return str(error)
        self._undo = [*self._undo[1 - UNDOABLE :], self.rows]
        self._read_files()
        if said:
            self.notice(said)
        return ""

    def _elsewhere(self) -> str:
        self._read_files()
        return "The files were changed elsewhere and have been read again; look, and try again."

    # -- self-instruct ---------------------------------------------------------------------------------------------

    def action_instruct(self) -> None:
        field = Field("target", "questions to write", "20", suggested=True)
        self.app.push_screen(Form("Self-instruct: the meta-agent writes questions", (field,), self._instruct, "start"))

    async def _instruct(self, values: Values) -> str:
        target = values["target"].strip()
        if not target.isdecimal() or not int(target):
            return f"expected a number above 0, not `{target}`"
        options = ("--only", "self_instruct", "--set", f"self_instruct.target={target}", "--new", "--detach")
        outcome = await cli_command.autoact("run", str(self.project), options=options)
        if outcome.code:
            return outcome.why
        self.view.follow_run(outcome.told.strip())
        self.notice("The questions arrive below; tab goes there, space adds one to the examples.")
        return ""

    @property
    def _draft(self) -> PracticeQuestion | None:
        rows, at = self._drafts.rows, self.drafts_table.cursor
        return rows[at] if at < len(rows) else None

    @action_table.check_obstacle
    def action_accept(self) -> None:
        """The self-made question under the cursor becomes an example."""
        if draft := self._draft:
            trouble = self._take(draft.question, draft.answer)
            if trouble:
                self.notice(trouble)
            self.drafts_table.move(1)

    def _edit_draft(self) -> None:
        draft = self._draft
        if draft is None:
            return

        async def take(values: Values) -> str:
            return self._take(values["question"], values["answer"], values["type"])

        fields = _fields(draft.question, draft.answer)
        self.app.push_screen(Form("Add this question to the examples", fields, take, "add"))

    def _drop_draft(self) -> None:
        if draft := self._draft:
            self._drafts.dropped ^= {draft.unit}
            self.drafts_table.renew()
            self.drafts_table.move(1)

    def _take(self, question: str, answer: str, sort: str = "") -> str:
        said = _said({"question": question, "answer": answer, "type": sort})
        return self._append(lambda: [examples_jsonl.new_example(said, self.rows)])


def _fields(question: str = "", answer: str = "", sort: str = "") -> tuple[Field, ...]:
    lines = 5 if "\n" in question else 1
    return (
        Field("question", "question", question, lines),
        Field("answer", "answer", answer),
        Field("type", "type, such as two-hop or yes-no (optional)", sort),
    )


def _said(values: Values) -> dict[str, str]:
    """The fields that something was typed into."""
    return {key: value.strip() for key, value in values.items() if value.strip()}
