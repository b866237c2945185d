"""The list of projects in a folder, each with its last run and its scores."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static

from autoact.errors import AutoActError
from autoact.files import disk
from autoact.project import folders
from autoact.project.project import TEMPLATES, Project, create, list_projects, projects_folder
from autoact.project.recent import recent_projects
from autoact.run.record.folder import list_runs
from studio.actions import action_table
from studio.runs.project_summary import ProjectSummary, SummaryReader
from studio.screens.confirm import Confirm
from studio.screens.form import Field, Form, Values
from studio.terminal import untrusted_text
from studio.terminal.glyphs import app_glyphs
from studio.widgets.footer import Footer
from studio.widgets.input_line import InputLine
from studio.widgets.lists.menu import Menu
from studio.widgets.lists.project_line import column_widths, heads_line, project_line
from studio.widgets.notice import Notice

REFRESH_S = 2.0
"""Seconds between two readings of the projects."""
FIRST = """\
No projects yet in {folder}

From a shell: autoact new my-project, then autoact run my-project. Or choose:"""
CHOICES = (
    ("starter", "try the starter: an encyclopedia with questions, ready to learn"),
    ("new", "a new project of your own"),
    ("folder", "open a project that is somewhere else"),
)
"""Choices while there are no projects."""


class ProjectsScreen(Screen[None]):
    """Lists the projects at once and fills in the columns as a thread reads the logs."""

    CSS_PATH = "projects.tcss"
    BINDINGS = action_table.bindings("projects")
    CONTEXTS: tuple[action_table.Context, ...] = ("projects",)

    class Opened(Message):
        """Posted to show a project."""

        def __init__(self, root: Path):
            self.root = root
            super().__init__()

    def __init__(self, folder: Path | None = None):
        """Without `folder` the user's own is listed, and projects in the working folder too."""
        super().__init__()
        self.folder = folder or projects_folder()
        self._own = self.folder.resolve()
        self._here = working_folder() if folder in (None, projects_folder()) else None
        self._readers: dict[str, SummaryReader] = {}
        self._gone: list[SummaryReader] = []
        """Readers of projects that are not listed any more, to be closed."""
        self._summaries: dict[str, ProjectSummary] = {}
        self._first_chosen = next(map(str, recent_projects()), None)
        """The project under the cursor when the list is first drawn: the one used last."""

    def compose(self) -> ComposeResult:
        yield Static(Content.assemble(("AutoAct Studio", "bold $primary"), "  ", self._folder_text()), id="title")
        yield InputLine("letters of a name or task", id="filter", verb="filter")
        yield Static(id="heads")
        yield Menu(id="projects")
        yield Static(Content(FIRST.format(folder=untrusted_text.line(str(self.folder)))), id="first")
        yield Menu(id="choices")
        yield Notice()
        yield Footer()

    def on_mount(self) -> None:
        self.query_one("#choices", Menu).set_lines([(name, Content(text)) for name, text in CHOICES])
        self.query_one("#projects", Menu).focus()
        self.refresh_list()
        self.set_interval(REFRESH_S, self.refresh_list)

    def on_screen_resume(self) -> None:
        self.refresh_list()

    def on_unmount(self) -> None:
        for reader in self._readers.values():
            reader.close()

    def on_resize(self, event: Resize) -> None:
        self._draw()

    @property
    def roots(self) -> list[Path]:
        """The projects of whose runs the person is told."""
        return [summary.project.root for summary in self._summaries.values()]

    @property
    def live_runs(self) -> list[str]:
        """Names of the runs that go on when the studio is left."""
        return [name for summary in self._summaries.values() for name in summary.alive]

    def refresh_list(self) -> None:
        """Lists the projects and reads their logs in a thread, unless another screen is in front."""
        if self.is_current:
            self._list()

    def _list(self) -> None:
        listed = [*list_projects(self.folder), *self._in_working_folder(), *self._elsewhere()]
        found = {str(project.root): project for project in listed}
        self._gone += [self._readers.pop(gone) for gone in self._readers.keys() - found.keys()]
        for key in found.keys() - self._readers.keys():
            self._readers[key] = SummaryReader(found[key])
        before, self._summaries = (
            self._summaries,
            {key: self._summaries.get(key, ProjectSummary(p)) for key, p in found.items()},
        )
        if not before or list(before) != list(self._summaries):
            self._draw()
        if not any(worker.is_running for worker in self.workers if worker.node is self):
            readers = dict(self._readers)
            self.run_worker(lambda: self._read_summaries(readers), thread=True, exit_on_error=True)

    def _in_working_folder(self) -> list[Project]:
        """Returns the projects in the working folder, and the working folder itself if it is one."""
        if self._here is None:
            return []
        own = [Project(self._here)] if (self._here / "project.toml").is_file() else []
        return [*own, *list_projects(self._here)]

    def _elsewhere(self) -> list[Project]:
        """Returns the recent projects, wherever they are; none when one folder was named."""
        return [] if self._here is None else sorted(map(Project, recent_projects()), key=lambda found: found.name)

    @action_table.check_obstacle
    def action_open(self) -> None:
        if (root := self._chosen) is not None:
            self.post_message(self.Opened(root))

    @action_table.check_obstacle
    def action_filter(self) -> None:
        self._filter.open(self._filter.value)

    def action_new(self, template: str = "starter") -> None:
        name = Field("name", "name", self._free().name, suggested=True)
        fields = (name, Field("template", "template", template, 1, TEMPLATES))

        async def accept(values: Values) -> str:
            typed = disk.expand_user(values["name"].strip())
            if not values["name"].strip():
                return "expected a name"
            return await self._create(lambda: create((self.folder / typed).absolute(), values["template"]).root)

        self.app.push_screen(Form("New project", fields, accept, "create"))

    def _free(self) -> Path:
        names = ("my-project", *(f"my-project-{number}" for number in range(2, 1000)))
        return next(self.folder / name for name in names if not (self.folder / name).exists())

    def action_open_folder(self) -> None:
        async def accept(values: Values) -> str:
            return await self._create(lambda: Project.open(values["path"].strip()).root)

        self.app.push_screen(Form("Open a project", (Field("path", "its folder"),), accept, "open"))

    @action_table.check_obstacle
    def action_duplicate(self) -> None:
        self._ask_name("Copy the project, without its runs", "copy", "-copy", folders.duplicate)

    @action_table.check_obstacle
    def action_rename(self) -> None:
        self._ask_name("Rename the project", "rename", "", folders.rename)

    def _ask_name(self, title: str, verb: str, ending: str, change: Callable[[Path, str], Project]) -> None:
        if (root := self._chosen) is None:
            return

        async def accept(values: Values) -> str:
            return await self._run_in_thread(lambda: change(root, values["name"].strip()).root)

        name = Field("name", "name", f"{root.name}{ending}", suggested=True)
        self.app.push_screen(Form(title, (name,), accept, verb))

    @action_table.check_obstacle
    def action_archive(self) -> None:
        if (root := self._chosen) is None:
            return

        async def archive() -> None:
            self.notice(
                await self._run_in_thread(lambda: folders.archive(root)) or f"{root.name} is archived; u moves it back"
            )

        def on_answer(yes: bool | None) -> None:
            if yes:
                self.run_worker(archive(), group="archive")

        self.app.push_screen(
            Confirm(f"Move `{root.name}` and its runs into the folder `{folders.ARCHIVE}`?"), on_answer
        )

    @action_table.check_obstacle
    def action_delete(self) -> None:
        """Deletes a project with its runs after a question."""
        if (root := self._chosen) is None:
            return

        async def delete() -> None:
            self.notice(await self._run_in_thread(lambda: folders.delete(root)) or f"{root.name} is deleted")

        def on_answer(yes: bool | None) -> None:
            if yes:
                self.run_worker(delete(), group="archive")

        runs = len(list_runs(root))
        inside = f"{runs} run{'s' * (runs != 1)} and all else in it"
        question = f"Delete the folder `{root}` with {inside}? This cannot be undone; x archives it instead."
        self.app.push_screen(Confirm(question), on_answer)

    @action_table.check_obstacle
    def action_restore(self) -> None:
        """Lists the archived projects; the picked one moves back."""
        from studio.screens.pick import Pick
        from studio.widgets.lists.table import Column

        rows = [(str(one.root), (one.name,)) for one in folders.archived(self.folder)]

        async def restore(root: Path) -> None:
            error = await self._run_in_thread(lambda: folders.restore(root))
            self.notice(error or f"{root.name} is back")

        def on_choice(key: str | None) -> None:
            if key:
                self.run_worker(restore(Path(key)), group="archive")

        self.app.push_screen(Pick("Archived projects: enter moves one back", (Column("project"),), rows, ""), on_choice)

    @property
    def _chosen(self) -> Path | None:
        chosen = self.query_one("#projects", Menu).chosen
        return Path(chosen) if chosen is not None else None

    async def _create(self, make: Callable[[], Path]) -> str:
        """Makes a project in a thread and opens it; returns the error text if that fails."""
        roots: list[Path] = []
        error = await self._run_in_thread(lambda: roots.append(make()))
        if not error:
            self.post_message(self.Opened(roots[0]))
        return error

    async def _run_in_thread(self, work: Callable[[], object]) -> str:
        """Runs something slow, then lists the projects again; returns the error text if it fails."""
        try:
            await asyncio.to_thread(work)
        except (AutoActError, OSError) as error:  # the boundary of a command: shown, not raised
            return str(error)
        self._list()
        return ""

    def notice(self, text: str) -> None:
        """Shows a text in the line above the footer."""
        self.query_one(Notice).show(text)
        self.update_footer()

    @on(OptionList.OptionSelected, "#projects")
    def _selected(self) -> None:
        self.action_open()

    @on(OptionList.OptionSelected, "#choices")
    def _choice_selected(self, event: OptionList.OptionSelected) -> None:
        match event.option.id:
            case "starter":
                self.run_worker(self._create_starter(), group="make")
            case "new":
                self.action_new("blank")
            case _:
                self.action_open_folder()

    async def _create_starter(self) -> None:
        """Makes and opens the starter project, without a form."""
        self.notice(await self._create(lambda: create(self._free(), "starter").root))

    @on(Input.Changed)
    def _filter_changed(self) -> None:
        self._draw()

    @on(Input.Submitted)
    @on(InputLine.Closed)
    def _focus_list(self) -> None:
        self.query_one("#projects", Menu).focus()

    def obstacle(self, action: str) -> str:
        match action:
            case "open" | "filter" | "duplicate" | "rename" | "archive" | "delete" if not self._summaries:
                return "There are no projects; n makes one."
            case "open" | "duplicate" | "rename" | "archive" | "delete" if self._chosen is None:
                return "No project matches the filter; esc shows all."
            case "archive" | "delete" if (summary := self._summaries.get(str(self._chosen))) and summary.alive:
                return f"{summary.alive[0]} has a job; cancel it first."
            case "restore" if not (self.folder / folders.ARCHIVE).is_dir():
                return "No project is archived here."
            case "show_all" if not self._filter.has_class("shown"):
                return "All projects are shown."
        return ""

    def update_footer(self) -> None:
        """Updates the keys in the footer."""
        self.query_one(Footer).refresh_keys()

    @action_table.check_obstacle
    def action_show_all(self) -> None:
        self._filter.action_leave_line()

    @property
    def _filter(self) -> InputLine:
        return self.query_one("#filter", InputLine)

    def _folder_text(self) -> Content:
        return untrusted_text.content(str(self.folder), "$quiet")

    def _read_summaries(self, readers: dict[str, SummaryReader]) -> None:
        for key, reader in readers.items():
            summary = reader.read()
            if summary != self._summaries.get(key):
                self.app.call_from_thread(self._set_summary, key, summary)
        while self._gone:  # closed in the thread that reads them
            self._gone.pop().close()

    def _set_summary(self, key: str, summary: ProjectSummary) -> None:
        if key in self._summaries:
            self._summaries[key] = summary
            self._draw()

    def _draw(self) -> None:
        if self.has_class("empty") == bool(self._summaries):
            self.set_class(not self._summaries, "empty")
            self.query_one("#projects" if self._summaries else "#choices", Menu).focus()
        wanted = self._filter.value.casefold()
        widths = column_widths(self.size.width)
        self.query_one("#heads", Static).update(heads_line(widths))
        lines = [
            (key, project_line(summary, widths, app_glyphs(self.app), self._shown_name(summary)))
            for key, summary in self._summaries.items()
            if wanted in f"{summary.project.name} {summary.task}".casefold()
        ]
        self.query_one("#projects", Menu).set_lines(lines, self._first_chosen if lines else None)
        if lines:
            self._first_chosen = None
        self.update_footer()

    def _shown_name(self, summary: ProjectSummary) -> str:
        """Returns the name to show; a project of the working folder begins with a dot."""
        root = summary.project.root
        if root.parent == self._own:
            return root.name
        if self._here in (root, root.parent):
            return "." if root == self._here else f"./{root.name}"
        return f"{root.name} in {root.parent.name}"


def working_folder() -> Path | None:
    """Returns the folder in which the studio was started; None when it is gone."""
    try:
        return Path.cwd().resolve()
    except OSError:
        return None
