"""Every project in a folder, each with its last run and what came of it."""

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

from autoact import project_folders
from autoact.errors import AutoActError
from autoact.project import TEMPLATES, Project, create, home, projects
from studio.actions import action_table
from studio.runs.project_summary import ProjectSummary, SummaryReader
from studio.screens.confirm import Confirm
from studio.screens.form import Field, Form, Values
from studio.terminal import untrusted_text
from studio.terminal.glyphs import Glyphs, app_glyphs
from studio.widgets.content_lines import pad
from studio.widgets.footer import Footer
from studio.widgets.input_line import InputLine
from studio.widgets.lists.menu import Menu
from studio.widgets.notice import Notice
from studio.widgets.status import verdict_of

EVERY = 2.0
"""Seconds between looks at the projects."""
FIRST = """\
No projects yet in {folder}

From a shell: autoact new my-project, then autoact run my-project. Or choose:"""
CHOICES = (
    ("starter", "try the starter: an encyclopedia with questions, ready to learn"),
    ("new", "a new project of your own"),
    ("folder", "open a project that is somewhere else"),
)
"""What there is to do on the first start."""


class ProjectsScreen(Screen[None]):
    """Choose a project. Logs are read in a thread; the list fills as they are."""

    CSS_PATH = "projects.tcss"
    BINDINGS = action_table.bindings("projects")
    CONTEXTS: tuple[action_table.Context, ...] = ("projects",)

    class Opened(Message):
        """The person wants to see this project."""

        def __init__(self, root: Path):
            self.root = root
            super().__init__()

    def __init__(self, folder: Path | None = None):
        """Left out, `folder` is the usual one, and projects in the working folder are listed too."""
        super().__init__()
        self.folder = folder or home()
        self._own = self.folder.resolve()
        self._here = working_folder() if folder in (None, home()) else None
        self._watches: dict[str, SummaryReader] = {}
        self._glances: dict[str, ProjectSummary] = {}

    def compose(self) -> ComposeResult:
        yield Static(Content.assemble(("AutoAct Studio", "bold $primary"), "  ", self._place()), id="title")
        yield InputLine("letters of a name or task", id="filter", verb="filter")
        yield Static(id="heads")
        yield Menu(id="projects")
        yield Static(Content(FIRST.format(folder=untrusted_text.line(str(self.folder)))), id="first")
        yield Menu(id="choices")
        yield Notice()
        yield Footer()

    def on_mount(self) -> None:
        self.query_one("#choices", Menu).put([(name, Content(told)) for name, told in CHOICES])
        self.query_one("#projects", Menu).focus()
        self.look()
        self.set_interval(EVERY, self.look)

    def on_screen_resume(self) -> None:
        self.look()

    def on_unmount(self) -> None:
        for watch in self._watches.values():
            watch.close()

    def on_resize(self, event: Resize) -> None:
        self._draw()

    def look(self) -> None:
        """List what is there; glance at each project's log in the background."""
        if self.is_current:
            self._list()

    def _list(self) -> None:
        found = {str(project.root): project for project in [*projects(self.folder), *self._in_working_folder()]}
        for gone in self._watches.keys() - found.keys():
            self._watches.pop(gone).close()
        for key in found.keys() - self._watches.keys():
            self._watches[key] = SummaryReader(found[key])
        before, self._glances = (
            self._glances,
            {key: self._glances.get(key, ProjectSummary(p)) for key, p in found.items()},
        )
        if not before or list(before) != list(self._glances):
            self._draw()
        if not any(worker.is_running for worker in self.workers if worker.node is self):
            watches = dict(self._watches)
            self.run_worker(lambda: self._glance(watches), thread=True, exit_on_error=True)

    def _in_working_folder(self) -> list[Project]:
        """Returns the projects that `autoact new` may have made there, and the folder itself if it is one."""
        if self._here is None:
            return []
        own = [Project(self._here)] if (self._here / "project.toml").is_file() else []
        return [*own, *projects(self._here)]

    @action_table.check_obstacle
    def action_open(self) -> None:
        if (root := self._chosen) is not None:
            self.post_message(self.Opened(root))

    @action_table.check_obstacle
    def action_filter(self) -> None:
        self._filter.ask(self._filter.value)

    def action_new(self, template: str = "starter") -> None:
        name = Field("name", "name", self._free().name, suggested=True)
        fields = (name, Field("template", "template", template, 1, TEMPLATES))

        async def take(values: Values) -> str:
            path = (self.folder / Path(values["name"].strip()).expanduser()).absolute()
            return await self._made(lambda: create(path, values["template"]).root)

        self.app.push_screen(Form("New project", fields, take, "create"))

    def _free(self) -> Path:
        names = ("my-project", *(f"my-project-{number}" for number in range(2, 1000)))
        return next(self.folder / name for name in names if not (self.folder / name).exists())

    def action_open_folder(self) -> None:
        async def take(values: Values) -> str:
            return await self._made(lambda: Project.open(values["path"].strip()).root)

        self.app.push_screen(Form("Open a project", (Field("path", "its folder"),), take, "open"))

    @action_table.check_obstacle
    def action_duplicate(self) -> None:
        self._ask_name("Copy the project, without its runs", "copy", "-copy", project_folders.duplicate)

    @action_table.check_obstacle
    def action_rename(self) -> None:
        self._ask_name("Rename the project", "rename", "", project_folders.rename)

    def _ask_name(self, title: str, verb: str, ending: str, how: Callable[[Path, str], Project]) -> None:
        if (root := self._chosen) is None:
            return

        async def take(values: Values) -> str:
            return await self._done(lambda: how(root, values["name"].strip()).root)

        name = Field("name", "name", f"{root.name}{ending}", suggested=True)
        self.app.push_screen(Form(title, (name,), take, verb))

    @action_table.check_obstacle
    def action_archive(self) -> None:
        if (root := self._chosen) is None:
            return

        async def archive() -> None:
            self.notice(
                await self._done(lambda: project_folders.archive(root))
                or f"now in {root.parent / project_folders.ARCHIVE}"
            )

        def told(yes: bool | None) -> None:
            if yes:
                self.run_worker(archive(), group="archive")

        self.app.push_screen(
            Confirm(f"Move `{root.name}` and its runs into the folder `{project_folders.ARCHIVE}`?"), told
        )

    @property
    def _chosen(self) -> Path | None:
        chosen = self.query_one("#projects", Menu).chosen
        return Path(chosen) if chosen is not None else None

    async def _made(self, make: Callable[[], Path]) -> str:
        """Carry it out and open the project that comes of it; why not, when it cannot be done."""
        made: list[Path] = []
        trouble = await self._done(lambda: made.append(make()))
        if not trouble:
            self.post_message(self.Opened(made[0]))
        return trouble

    async def _done(self, do: Callable[[], object]) -> str:
        try:
            await asyncio.to_thread(do)
        except (AutoActError, OSError) as error:  # the boundary of a command: said, not raised
            return str(error)
        self._list()
        return ""

    def notice(self, text: str) -> None:
        """Say something in the line above the footer."""
        self.query_one(Notice).show(text)
        self.offer()

    @on(OptionList.OptionSelected, "#projects")
    def _selected(self) -> None:
        self.action_open()

    @on(OptionList.OptionSelected, "#choices")
    def _began(self, event: OptionList.OptionSelected) -> None:
        match event.option.id:
            case "starter":
                self.run_worker(self._start(), group="make")
            case "new":
                self.action_new("blank")
            case _:
                self.action_open_folder()

    async def _start(self) -> None:
        """Nothing to fill in."""
        self.notice(await self._made(lambda: create(self._free(), "starter").root))

    @on(Input.Changed)
    def _narrowed(self) -> None:
        self._draw()

    @on(Input.Submitted)
    @on(InputLine.Gone)
    def _to_the_list(self) -> None:
        self.query_one("#projects", Menu).focus()

    def obstacle(self, action: str) -> str:
        match action:
            case "open" | "filter" | "duplicate" | "rename" | "archive" if self._chosen is None:
                return "There is no project to choose; n makes one."
            case "show_all" if not self._filter.has_class("shown"):
                return "All projects are shown."
        return ""

    def offer(self) -> None:
        """Have the footer offer what can be done by now."""
        self.query_one(Footer).look()

    @action_table.check_obstacle
    def action_show_all(self) -> None:
        self._filter.action_leave_line()

    @property
    def _filter(self) -> InputLine:
        return self.query_one("#filter", InputLine)

    def _place(self) -> Content:
        return untrusted_text.content(str(self.folder), "$quiet")

    def _glance(self, watches: dict[str, SummaryReader]) -> None:
        for key, watch in watches.items():
            glance = watch.look()
            if glance != self._glances.get(key):
                self.app.call_from_thread(self._arrived, key, glance)

    def _arrived(self, key: str, glance: ProjectSummary) -> None:
        if key in self._glances:
            self._glances[key] = glance
            self._draw()

    def _draw(self) -> None:
        if self.has_class("empty") == bool(self._glances):
            self.set_class(not self._glances, "empty")
            self.query_one("#projects" if self._glances else "#choices", Menu).focus()
        wanted = self._filter.value.casefold()
        shown = {
            key: glance
            for key, glance in self._glances.items()
            if wanted in f"{glance.project.name} {glance.task}".casefold()
        }
        widths = columns(self.size.width)
        self.query_one("#heads", Static).update(row([Content(head) for head in HEADS], widths))
        lines = [
            (key, line(glance, widths, app_glyphs(self.app), self._shown_name(glance))) for key, glance in shown.items()
        ]
        self.query_one("#projects", Menu).put(lines)
        self.offer()

    def _shown_name(self, glance: ProjectSummary) -> str:
        """Of a project; one that only the working folder has begins with a dot."""
        root = glance.project.root
        return root.name if root.parent == self._own else "." if root == self._here else f"./{root.name}"


def working_folder() -> Path | None:
    """Returns the folder in which the studio was started; None when it is gone."""
    try:
        return Path.cwd().resolve()
    except OSError:
        return None


HEADS = ("project", "task", "model", "stage", "last run", "F1 group/meta")
MODEL_FROM = 140
"""Cells from which the model has a column."""


def columns(width: int) -> list[int]:
    """Cells for each head: the last ones are known, name and task share the rest; 0 leaves one out."""
    model = 23 if width >= MODEL_FROM else 0
    stage, verdict, result = 23, 15, 14
    rest = max(20, width - model - stage - verdict - result - 1)
    name = min(rest // 2, 24)
    return [name, rest - name, model, stage, verdict, result]


def line(glance: ProjectSummary, widths: list[int], glyphs: Glyphs, title: str) -> Content:
    """A project in the list; one that cannot be read says why."""
    name = untrusted_text.content(title, "bold")
    if glance.trouble:
        why = untrusted_text.content(glance.trouble.replace(f"{glance.project.root}/", ""), "$error")
        return row([name, why], [widths[0], sum(widths[1:])])
    return row(cells(name, glance, verdict_of(glance.verdict, glyphs)), widths)


def cells(name: Content, glance: ProjectSummary, verdict: Content) -> list[Content]:
    """A project's line, piece by piece."""
    return [
        name,
        untrusted_text.content(glance.task, "$quiet"),
        untrusted_text.content(glance.model, "$quiet"),
        untrusted_text.content(glance.stage),
        Content.assemble(verdict, f" x{glance.jobs}" if glance.jobs > 1 else "")
        if glance.verdict
        else Content.styled("no runs", "$quiet"),
        untrusted_text.content(glance.result, "$accent"),
    ]


def row(pieces: list[Content], widths: list[int]) -> Content:
    """Pieces side by side, each cut or filled to its width less the gap."""
    return Content.assemble(" ", *(pad(pad(p, w - 1), w) for p, w in zip(pieces, widths, strict=True) if w))
