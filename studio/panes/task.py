"""The task: its words, its examples, and the questions that self-instruct would add to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.events import Paste
from textual.widgets import Static

from autoact import disk
from autoact.config import Task
from autoact.errors import AutoActError
from autoact.run.folder import RunFolder
from studio import errand, examples, foreign, keys, settings_file
from studio.drafts import Draft, Drafts
from studio.examples import Row
from studio.follow import Follow
from studio.panes.pane import Pane
from studio.screens.confirm import Confirm
from studio.screens.form import Field, Form, Values
from studio.widgets.table import Column, Table

EXAMPLES = (
    Column("", 3),
    Column("question"),
    Column("answer", 18),
    Column("kind", 8, least=60),
    Column("steps", 6, right=True),
)
DRAFTS = (Column("", 3), Column("self-made question"), Column("answer", 18), Column("refused because", 24, least=60))
UNDOABLE = 20
"""Edits that can be taken back."""
ANSWERS = ("short", "choice")


class ExampleRows:
    """The examples as a table's rows."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.alike: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> Sequence[str | Content]:
        row = self.rows[index]
        if row.trouble:
            return Content.styled("!", "$error"), foreign.content(row.trouble, "$error"), row.answer, "", ""
        sign = Content.styled("~", "$warning") if index in self.alike else Content("")
        return sign, row.question, row.answer, examples.kind(row.answer), str(row.steps or "")

    def key(self, index: int) -> str:
        return str(index)


class DraftRows:
    """The self-made questions as a table's rows; what a person did with one stands before it."""

    def __init__(self) -> None:
        self.rows: list[Draft] = []
        self.taken: set[str] = set()
        """Questions that are among the examples."""
        self.dropped: set[str] = set()

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> Sequence[str | Content]:
        draft = self.rows[index]
        done = "+" if draft.question in self.taken else "-" if draft.unit in self.dropped else ""
        quiet = "$quiet" if draft.refused or done == "-" else ""
        question, answer = foreign.content(draft.question, quiet), foreign.content(draft.answer, quiet)
        return Content.styled(done, "$accent"), question, answer, foreign.content(draft.refused, "$warning")

    def key(self, index: int) -> str:
        return self.rows[index].unit


class TaskPane(Pane):
    """What is typed goes into project.toml and examples.jsonl at once; `u` takes it back."""

    DEFAULT_CSS = """
    TaskPane #words, TaskPane #counts { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    TaskPane #said { height: auto; max-height: 3; padding: 0 1; color: $quiet; }
    TaskPane #counts { color: $quiet; }
    TaskPane #examples { height: 1fr; }
    TaskPane #drafts { height: 1fr; display: none; }
    TaskPane.made #drafts { display: block; }
    """
    PLACES = ("task",)
    BINDINGS = keys.bindings("task")

    def __init__(self, project: Path, follow: Follow):
        super().__init__(project, follow)
        self.file = project / "examples.jsonl"
        self.words = Task()
        self.drafts: Drafts | None = None
        self._examples, self._drafts = ExampleRows(), DraftRows()
        self._undo: list[list[Row]] = []
        self._stamps: tuple[int, int] | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="words")
        yield Static(id="said")
        yield Static(id="counts")
        yield Table(EXAMPLES, id="examples")
        yield Table(DRAFTS, id="drafts")

    def on_mount(self) -> None:
        self.table.show(self._examples)
        self.drafts_table.show(self._drafts)

    def on_unmount(self) -> None:
        self._close()

    @property
    def rows(self) -> list[Row]:
        return self._examples.rows

    @property
    def table(self) -> Table:
        return self.query_one("#examples", Table)

    @property
    def drafts_table(self) -> Table:
        return self.query_one("#drafts", Table)

    # -- what is there ---------------------------------------------------------------------------------------------

    def tell(self) -> None:
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
            self.words = settings_file.read(self.project).task
            self._examples.rows = examples.read(self.file)
        except AutoActError as error:  # the boundary of a command: said, not raised
            self.query_one("#said", Static).update(foreign.content(str(error), "$error"))
            return
        self._drafts.taken = {row.question for row in self.rows}
        self._draw()
        self.run_worker(self._compare, thread=True, exclusive=True, group="compare")

    def _read_run(self) -> None:
        name = self.follow.name
        if name and (self.drafts is None or self.drafts.name != name):
            self._close()
            self.drafts = Drafts(RunFolder(self.project / "runs" / name))
            self._drafts.rows = self.drafts.rows
            self._drafts.dropped = set()
            self.drafts.look()
            self.drafts_table.show(self._drafts)
        elif self.drafts is not None and self.drafts.look():
            self.drafts_table.grow()
        self.set_class(bool(self._drafts.rows), "made")

    def _close(self) -> None:
        if self.drafts is not None:
            self.drafts.close()

    def _draw(self) -> None:
        answers = {"short": "a few words", "choice": "the letter of an option"}[self.words.answer]
        name = foreign.content(self.words.name, "bold")
        self.query_one("#words", Static).update(Content.assemble(name, (f"   answers are {answers}", "$quiet")))
        self.query_one("#said", Static).update(foreign.content(self.words.description))
        self.query_one("#counts", Static).update(counted(self.rows, self._examples.alike))
        self.table.renew()
        self.drafts_table.renew()

    def _compare(self) -> None:
        rows = self.rows
        found = examples.nearly_alike(rows)
        self.app.call_from_thread(self._compared, rows, found)

    def _compared(self, rows: list[Row], found: dict[int, int]) -> None:
        if rows is self.rows and found != self._examples.alike:
            self._examples.alike = found
            self._draw()

    # -- the words and the examples --------------------------------------------------------------------------------

    def action_words(self) -> None:
        fields = (
            Field("name", "name", self.words.name),
            Field("description", "what is asked of the agents; it goes into every prompt", self.words.description, 4),
            Field("answer", "answers: a few words, or the letter of an option", self.words.answer, 1, ANSWERS),
        )
        self.app.push_screen(Form("The task", fields, self._reword))

    async def _reword(self, values: Values) -> str:
        if self._stamps != self._stamps_now():
            return self._elsewhere()
        try:
            settings_file.save(self.project, "task", values)
        except (AutoActError, OSError) as error:  # the boundary of a command: said, not raised
            return str(error)
        self._read_files()
        return ""

    def action_add(self) -> None:
        async def take(values: Values) -> str:
            return self._put(lambda: [*self.rows, examples.made(_said(values), self.rows)])

        self.app.push_screen(Form("A new example", _fields(), take))

    def action_edit(self) -> None:
        if self.drafts_table.has_focus:
            self._edit_draft()
        elif self.table.chosen is not None:
            self._edit_example(self.table.cursor)

    @on(Table.Opened)
    def _opened(self) -> None:
        self.action_edit()

    def _edit_example(self, at: int) -> None:
        row, name = self.rows[at], Path(self.file.name)

        async def take(values: Values) -> str:
            def put() -> list[Row]:
                if "line" in values:
                    new = examples.mended(values["line"], name, at + 1)
                else:
                    new = examples.changed(row, values, name, at + 1)
                return [*self.rows[:at], new, *self.rows[at + 1 :]]

            return self._put(put)

        raw = (Field("line", row.trouble, row.line, 6),)
        fields = raw if row.trouble else _fields(row.question, row.answer, str(row.data.get("type", "")))
        self.app.push_screen(Form(f"Example {at + 1}", fields, take))

    def action_delete(self) -> None:
        """An example goes when the person says yes; a self-made question is only marked."""
        if self.drafts_table.has_focus:
            self._drop_draft()
        elif self.table.chosen is not None:
            at = self.table.cursor
            question = self.rows[at].question or self.rows[at].line

            def told(yes: bool | None) -> None:
                if yes:
                    self.notice(
                        self._put(lambda: [*self.rows[:at], *self.rows[at + 1 :]]) or "deleted; u takes it back"
                    )

            self.app.push_screen(Confirm(f"Delete the example `{question[:200]}`?"), told)

    def action_drop_duplicates(self) -> None:
        kept = examples.once(self.rows)
        if surplus := len(self.rows) - len(kept):

            def told(yes: bool | None) -> None:
                if yes:
                    self.notice(self._put(lambda: kept) or f"{surplus} dropped; u takes it back")

            self.app.push_screen(Confirm(f"Drop {surplus} examples that ask what an earlier one asks?"), told)
        else:
            self.notice("no question is there twice")

    def action_paste(self, text: str = "") -> None:
        async def take(values: Values) -> str:
            return self._put(lambda: [*self.rows, *examples.pasted(values["text"], "pasted text", self.rows)])

        label = "JSON, JSON lines, CSV, or columns separated by tabs: question, answer"
        self.app.push_screen(Form("Several examples", (Field("text", label, text, 12),), take))

    def on_paste(self, event: Paste) -> None:
        event.stop()
        self.action_paste(event.text)

    def action_take_file(self) -> None:
        async def take(values: Values) -> str:
            file = Path(values["file"].strip()).expanduser()
            return self._put(lambda: [*self.rows, *examples.of_file(file, self.rows)])

        self.app.push_screen(Form("Examples from a file", (Field("file", "a .json, .jsonl, .csv or .tsv file"),), take))

    def action_undo(self) -> None:
        if not self._undo:
            self.notice("nothing to take back")
            return
        before = self._undo[-1]
        trouble = self._put(lambda: before)
        if not trouble:
            del self._undo[-2:]
        self.notice(trouble or "taken back")

    def _put(self, make: Callable[[], list[Row]]) -> str:
        """Save what `make` gives in place of the examples; why not, when it cannot be done."""
        try:
            with disk.locked(self.file.resolve().parent):  # another studio saves before the look at the files, or after
                if self._stamps != self._stamps_now():
                    return self._elsewhere()
                examples.save(self.file, make())
        except (AutoActError, OSError) as error:  # the boundary of a command: said, not raised
            return str(error)
        self._undo = [*self._undo[1 - UNDOABLE :], self.rows]
        self._read_files()
        return ""

    def _elsewhere(self) -> str:
        self._read_files()
        return "the files were changed elsewhere and are read anew; look, and try again"

    # -- self-instruct ---------------------------------------------------------------------------------------------

    def action_instruct(self) -> None:
        fields = (Field("target", "how many more questions the meta-agent is to write", "20"),)
        self.app.push_screen(Form("Self-instruct", fields, self._instruct))

    async def _instruct(self, values: Values) -> str:
        target = values["target"].strip()
        if not target.isdecimal() or not int(target):
            return f"expected a number above 0, not `{target}`"
        options = ("--only", "self_instruct", "--set", f"self_instruct.target={target}", "--new", "--detach")
        outcome = await errand.autoact("run", str(self.project), options=options)
        if outcome.code:
            return outcome.why
        self.desk.follow_run(outcome.told.strip())
        self.notice("the questions arrive below; space takes one into the examples")
        return ""

    @property
    def _draft(self) -> Draft | None:
        rows, at = self._drafts.rows, self.drafts_table.cursor
        return rows[at] if at < len(rows) else None

    def action_accept(self) -> None:
        """The self-made question under the cursor becomes an example."""
        draft = self._draft
        if draft is None:
            self.notice("no question here; i has the meta-agent write some")
        elif draft.question in self._drafts.taken:
            self.notice("it is among the examples already")
        else:
            self.notice(self._take(draft.question, draft.answer) or "taken into the examples; u takes it back")
            self.drafts_table.move(1)

    def _edit_draft(self) -> None:
        draft = self._draft
        if draft is None:
            return

        async def take(values: Values) -> str:
            return self._take(values["question"], values["answer"], values["type"])

        fields = _fields(draft.question, draft.answer)
        self.app.push_screen(Form("Take this question into the examples", fields, take))

    def _drop_draft(self) -> None:
        if draft := self._draft:
            self._drafts.dropped ^= {draft.unit}
            self.drafts_table.renew()
            self.drafts_table.move(1)

    def _take(self, question: str, answer: str, sort: str = "") -> str:
        said = _said({"question": question, "answer": answer, "type": sort})
        return self._put(lambda: [*self.rows, examples.made(said, self.rows)])


def counted(rows: Sequence[Row], alike: Mapping[int, int]) -> Content:
    """How many examples there are, by the sort of their answer, and what is wrong with them."""
    kinds = examples.kinds(rows)
    parts = [Content("  ".join([f"{len(rows)} examples", *(f"{count} {kind}" for kind, count in kinds.items())]))]
    if wrong := sum(1 for row in rows if row.trouble):
        parts.append(Content.styled(f"! {wrong} cannot be used", "$error"))
    if alike:
        parts.append(Content.styled(f"~ {len(alike)} nearly as another", "$warning"))
    return Content("   ").join(parts)


def _fields(question: str = "", answer: str = "", sort: str = "") -> tuple[Field, ...]:
    lines = 5 if "\n" in question else 1
    return (
        Field("question", "question", question, lines),
        Field("answer", "answer", answer),
        Field("type", "type, such as two-hop or yes-no; may stay empty", sort),
    )


def _said(values: Values) -> dict[str, str]:
    """The fields that something was typed into."""
    return {key: value.strip() for key, value in values.items() if value.strip()}
