"""The tools: the library, the person's choice beside the meta-agent's, and a call by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from autoact import disk
from studio import errand, foreign, keys, toolshelf
from studio.errand import Outcome
from studio.follow import Follow
from studio.panes.pane import Pane
from studio.screens.confirm import Confirm
from studio.screens.form import Field, Form, Values
from studio.toolshelf import ToolLine
from studio.widgets.line import Line
from studio.widgets.table import Column, Table

COLUMNS = (
    Column("", 3),
    Column("tool"),
    Column("kind", 10, least=48),
    Column("state", 17),
    Column("meta", 5, right=True),
)


class ToolRows:
    """The tools as a table's rows."""

    def __init__(self) -> None:
        self.rows: list[ToolLine] = []
        self.chosen: dict[str, str] = {}
        """By name, in its order: why the meta-agent chose it."""

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> Sequence[str | Content]:
        tool = self.rows[index]
        style = "" if tool.listed == "on" else "$quiet"
        works = tool.state in ("ready", "offline")
        state = foreign.content(tool.standing, style or ("$success" if works else "$warning"))
        place = list(self.chosen).index(tool.name) + 1 if tool.name in self.chosen else 0
        sign = Content.styled("+", "$accent") if tool.listed == "on" else Content("")
        return sign, foreign.content(tool.name, style), tool.kind, state, str(place or "")

    def key(self, index: int) -> str:
        return self.rows[index].name


class ToolsPane(Pane):
    """Every change is a command of `autoact tools`, one after the other; comments in tools.toml stay."""

    DEFAULT_CSS = """
    ToolsPane Horizontal { height: 1fr; }
    ToolsPane #tools { width: 1fr; min-width: 45; }
    ToolsPane #beside { width: 1fr; padding: 0 1; background: $surface; scrollbar-size-vertical: 1; }
    ToolsPane #about, ToolsPane #choices { height: auto; }
    ToolsPane #choices { padding: 0 1; max-height: 3; color: $quiet; }
    .-slim ToolsPane #beside { display: none; }
    """
    PLACES = ("tools",)
    BINDINGS = keys.bindings("tools")

    def __init__(self, project: Path, follow: Follow):
        super().__init__(project, follow)
        self.file = project / "tools.toml"
        self.tools: list[ToolLine] = []
        self._rows = ToolRows()
        self._seen: dict[str, Content] = {}
        """By tool: what its last call or test gave."""
        self._turn = asyncio.Lock()
        self._undo: list[tuple[bytes | None, bytes | None]] = []
        """tools.toml before and after each change; None is no file."""
        self._known: tuple[object, ...] = ()
        self._selection: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield Line("letters of a name, kind, state or definition", id="letters")
        with Horizontal():
            yield Table(COLUMNS, id="tools")
            with VerticalScroll(id="beside", can_focus=False):
                yield Static("looking at the tools …", id="about")
        yield Static(id="choices")
        yield Line("what the tool is called with, as in Marie Curie", id="argument")

    def on_mount(self) -> None:
        self.table.show(self._rows)

    @property
    def table(self) -> Table:
        return self.query_one("#tools", Table)

    @property
    def tool(self) -> ToolLine | None:
        """The one under the cursor."""
        return self._rows.rows[self.table.cursor] if self.table.cursor < len(self._rows.rows) else None

    # -- what is there ---------------------------------------------------------------------------------------------

    def tell(self) -> None:
        """Look at the library again when its file or the run's state is another; show the choice as it comes."""
        known = (_bytes(self.file), self.follow.name, self.follow.verdict)
        if known != self._known and not self._turn.locked():
            self._known = known
            self.run_worker(self._look(), exclusive=True, group="look")
        selection = (self.follow.name, len(self.follow.state.selected), len(self.follow.state.passed_over))
        if selection != self._selection:
            self._selection = selection
            self._rows.chosen = dict(self.follow.state.selected)
            self._draw()

    async def _look(self) -> None:
        async with self._turn:
            outcome = await errand.autoact("tools list", str(self.project), options=("--all", "--stats", "--json"))
        try:
            self.tools = toolshelf.lines(outcome.data)
        except msgspec.ValidationError:
            self.query_one("#about", Static).update(foreign.content(outcome.why, "$error"))
            return
        self._draw()

    def _draw(self) -> None:
        chosen = self.table.chosen
        self._rows.rows = toolshelf.matching(self.tools, self.query_one("#letters", Input).value)
        self.table.renew(key=chosen)
        self.query_one("#choices", Static).update(self._choices())
        self._describe()

    def _choices(self) -> Content:
        """The two choices side by side, and where they differ."""
        chosen = self._rows.chosen
        mine = ", ".join(tool.name for tool in self.tools if tool.listed == "on")
        said = [foreign.content(f"you: {mine or 'none'}")]
        if chosen:
            theirs, yours = toolshelf.differing(self.tools, chosen)
            said.append(foreign.content(f"meta-agent: {', '.join(chosen)}"))
            only = [*(f"+{name}" for name in theirs), *(f"-{name}" for name in yours)]
            said.append(
                foreign.content(f"it differs by {' '.join(only)}" if only else "the two are the same", "$accent")
            )
        return Content("\n").join(said)

    @on(Table.Pointed)
    def _describe(self) -> None:
        tool = self.tool
        about = self.query_one("#about", Static)
        if tool is not None:
            about.update(Content("\n").join([*described(tool), *self._chosen(tool), *self._last(tool)]))
        elif self.tools:
            about.update("no tool has these letters")

    def _chosen(self, tool: ToolLine) -> list[Content]:
        passed = dict(self.follow.state.passed_over)
        if tool.name in self._rows.chosen:
            place = list(self._rows.chosen).index(tool.name) + 1
            return [_part(f"meta-agent, choice {place}", self._rows.chosen[tool.name])]
        return [_part("meta-agent passed it over", passed[tool.name])] if tool.name in passed else []

    def _last(self, tool: ToolLine) -> list[Content]:
        return [self._seen[tool.name]] if tool.name in self._seen else []

    @on(Input.Changed, "#letters")
    def _narrowed(self) -> None:
        self._draw()

    @on(Input.Submitted, "#letters")
    @on(Line.Gone)
    def _to_table(self) -> None:
        self.table.focus()

    def action_filter(self) -> None:
        self.query_one("#letters", Line).ask()

    # -- changes ---------------------------------------------------------------------------------------------------

    def action_switch(self) -> None:
        if (tool := self.tool) is None:
            return
        verb = {"on": "disable", "off": "enable", "known": "add"}[tool.listed]
        self.tools = [
            one.put("off" if verb == "disable" else "on") if one.entry == tool.entry else one for one in self.tools
        ]
        self._draw()
        self._change(f"tools {verb}", tool.entry)

    def action_later(self) -> None:
        self._move(1)

    def action_sooner(self) -> None:
        self._move(-1)

    def _move(self, steps: int) -> None:
        tool = self.tool
        if tool is None or tool.listed != "on":
            self.notice("only tools that are on have an order")
            return
        order = toolshelf.moved(self.tools, tool.entry, steps)
        self.tools = toolshelf.arranged(self.tools, order)
        self._draw()
        self.table.point(next(at for at, one in enumerate(self._rows.rows) if one.name == tool.name))
        self._change("tools order", *order)

    def _change(self, verb: str, *words: str) -> None:
        """Shown at once, done in turn; when it fails, the list is read anew."""
        self.run_worker(self._changed(verb, words), group="change")

    async def _changed(self, verb: str, words: Sequence[str], options: tuple[str, ...] = ()) -> Outcome:
        async with self._turn:
            before = _bytes(self.file)
            outcome = await errand.autoact(verb, str(self.project), *words, options=options)
            after = _bytes(self.file)
            if after != before:
                self._undo.append((before, after))
            self._known = (after, self.follow.name, self.follow.verdict)
        if outcome.code:
            self.notice(outcome.why)
        if outcome.code or verb == "tools add":
            await self._look()
        return outcome

    def action_undo(self) -> None:
        self.run_worker(self._take_back(), group="change")

    async def _take_back(self) -> None:
        async with self._turn:
            if not self._undo:
                self.notice("nothing to take back")
                return
            before, after = self._undo.pop()
            with disk.locked(self.file.resolve().parent):
                if _bytes(self.file) != after:
                    self.notice("tools.toml was changed elsewhere since; nothing is taken back")
                    return
                if before is None:
                    self.file.unlink()
                else:
                    disk.rewrite(self.file, before)
            self._known = (before, self.follow.name, self.follow.verdict)
        await self._look()
        self.notice("taken back")

    def action_add(self) -> None:
        fields = (
            Field("kind", "kind", "python", 1, toolshelf.KINDS),
            Field("name", "what agents call it"),
            Field("target", "FILE.py:FUNCTION, a class of langchain, a server's command, or a URL"),
            Field("definition", "what agents are told that it does; may stay empty"),
            Field("usage", "an example call, as in River[Elbe]; may stay empty"),
        )
        self.app.push_screen(Form("A tool of your own", fields, self._add))

    async def _add(self, values: Values) -> str:
        name, kind = values["name"].strip(), values["kind"]
        if not name or not values["target"].strip():
            return "it needs a name, and what brings it"
        try:
            settings = toolshelf.entry_words(kind, values["target"])
        except ValueError as error:  # a quotation mark without its twin
            return f"not a command: {error}"
        told = [f"--{key}={value}" for key in ("definition", "usage") if (value := values[key].strip())]
        outcome = await self._changed("tools add", (name,), (f"--kind={kind}", *settings, *told))
        if outcome.code:
            return outcome.why
        if kind == "mcp":
            outcome = await errand.autoact("tools connect", str(self.project), name)
            await self._look()
        self.notice(outcome.why if outcome.code or "cannot run" in outcome.told else f"{name} is there")
        return ""

    def action_allow(self) -> None:
        tool = self.tool
        if tool is None or not tool.missing_grants:
            self.notice("this tool waits for no secret")
            return
        name, host = tool.missing_grants[0]

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._allow(name, host), group="change")

        reason = f"{tool.name} cannot send it before that. Nothing is sent now."
        self.app.push_screen(Confirm(f"Let tools send your secret {name} to {host}?", reason), answered)

    async def _allow(self, name: str, host: str) -> None:
        async with self._turn:
            outcome = await errand.autoact("secrets allow", name, host)
        self.notice(outcome.why)
        await self._look()

    # -- asking the meta-agent, and trying by hand -----------------------------------------------------------------

    def action_select(self) -> None:
        self.notice("the meta-agent is being asked; the run goes on by itself")
        self.run_worker(self._select(), group="select", exclusive=True)

    async def _select(self) -> None:
        outcome = await errand.autoact("tools select", str(self.project), options=("--detach",))
        if outcome.code:
            self.notice(outcome.why)
        else:
            self.desk.follow_run(outcome.told.strip())

    def action_try_it(self) -> None:
        if (tool := self.tool) is not None:
            line = self.query_one("#argument", Line)
            _, _, example = tool.usage.partition("[")
            line.ask(line.value or foreign.line(example.removesuffix("]")))

    @on(Table.Opened)
    def _opened(self) -> None:
        self.action_try_it()

    @on(Input.Submitted, "#argument")
    def _asked(self, event: Input.Submitted) -> None:
        if (tool := self.tool) is not None:
            self._see(tool.name, Content.styled("calling …", "$quiet"))
            self.run_worker(self._call(tool.name, event.value), group="try", exclusive=True)

    async def _call(self, name: str, argument: str) -> None:
        outcome = await errand.autoact("tools try", str(self.project), name, argument, options=("--json",))
        told = outcome.data
        if not isinstance(told, dict):
            self._see(name, foreign.content(outcome.why, "$error"))
            return
        said = foreign.clean(str(told["text"]))
        shown = Content.styled(said, "$error" if told["failed"] else "")
        asked = foreign.content(f"{name}[{argument}]", "bold")
        self._see(name, Content.assemble("\n", asked, (f"  {told['ms']:.0f} ms\n", "$quiet"), shown))

    def action_test(self) -> None:
        if (tool := self.tool) is not None:
            self._see(tool.name, Content.styled("testing …", "$quiet"))
            self.run_worker(self._test(tool.name), group="try", exclusive=True)

    async def _test(self, name: str) -> None:
        outcome = await errand.autoact("tools test", str(self.project), name, options=("--all", "--json"))
        told = outcome.data
        if not isinstance(told, list):
            self._see(name, foreign.content(outcome.why, "$error"))
            return
        checks = [foreign.content(f"{trial['outcome']}: {trial['told']}") for trial in told]
        self._see(name, Content("\n").join([Content(""), *(checks or [Content("it has no check of its own")])]))

    def _see(self, name: str, content: Content) -> None:
        self._seen[name] = content
        self._describe()
        self.query_one("#beside").scroll_end(animate=False)


def described(tool: ToolLine) -> list[Content]:
    """All that is known of a tool, paragraph by paragraph."""
    origin = "of the library" if tool.kind == "builtin" else f"brought by tools.toml ({tool.kind})"
    parts = [foreign.content(tool.name, "bold $primary"), _part(tool.standing, tool.reason or origin)]
    parts += [foreign.content(tool.definition), foreign.content(tool.usage, "$accent"), _part("origin", origin)]
    if tool.powers:
        parts.append(_part("may use", ", ".join(tool.powers)))
    parts += [_part("not allowed yet, p asks", f"send {name} to {host}") for name, host in tool.missing_grants]
    parts.append(_part("health", tool.stats.told() if tool.stats else "never called in this project's runs"))
    settings = [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in tool.settings.items()]
    return [*parts, _part("settings", ", ".join(settings))]


def _part(head: str, text: str) -> Content:
    return Content.assemble(foreign.content(f"{head}: ", "$quiet"), foreign.content(text))


def _bytes(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() else None
