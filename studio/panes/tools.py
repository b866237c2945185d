"""The tools: the library, the person's choice beside the meta-agent's, and a call by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from autoact import disk
from autoact.run.record.folder import RunFolder
from studio.actions import action_table, cli_command
from studio.actions.cli_command import CliResult
from studio.files import tool_list
from studio.files.tool_list import ToolLine
from studio.panes.pane import Pane
from studio.panes.project_view import ProjectView
from studio.panes.tool_choice import ToolChoice
from studio.panes.tool_rows import COLUMNS, ToolRows, choice_reason, compare_choices, describe
from studio.runs.run_list import ALIVE
from studio.screens.confirm import Confirm
from studio.screens.form import Field, Form, Values
from studio.terminal import untrusted_text
from studio.widgets.input_line import InputLine
from studio.widgets.lists.table import Table

EVERY = 0.5
"""Seconds between looks at a selection that is made beside the followed run."""


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
    CONTEXTS = ("tools",)
    BINDINGS = action_table.bindings("tools")

    def __init__(self, view: ProjectView):
        super().__init__(view)
        self.file = self.project / "tools.toml"
        self.tools: list[ToolLine] = []
        self._rows = ToolRows()
        self._seen: dict[str, Content] = {}
        """By tool: what its last call or test gave."""
        self._turn = asyncio.Lock()
        self._undo: list[tuple[bytes | None, bytes | None]] = []
        """tools.toml before and after each change; None is no file."""
        self._pending: Callable[[], None] | None = None
        """What a key wanted of the tool under the cursor before there was one."""
        self._known: tuple[object, ...] = ()
        self._choice = ToolChoice(self.follow)
        self._timer: Timer | None = None
        """Runs while a selection is made beside the followed run."""

    def on_unmount(self) -> None:
        self._choice.close()

    def compose(self) -> ComposeResult:
        yield InputLine("letters of a name, kind, state or definition", id="letters", verb="filter")
        with Horizontal():
            yield Table(COLUMNS, id="tools")
            with VerticalScroll(id="beside", can_focus=False):
                yield Static(id="about")
        yield Static(id="choices")
        yield InputLine("the tool's argument, as in Marie Curie", id="argument", verb="call")

    def on_mount(self) -> None:
        self.table.show(self._rows)
        self.table.suggest("Reading the tools ...")

    @property
    def table(self) -> Table:
        return self.query_one("#tools", Table)

    @property
    def tool(self) -> ToolLine | None:
        """The one under the cursor."""
        return self._rows.rows[self.table.cursor] if self.table.cursor < len(self._rows.rows) else None

    # -- what is there ---------------------------------------------------------------------------------------------

    def update(self) -> None:
        """Look at the library again when its file or the run's state is another; show the choice as it comes."""
        known = (_bytes(self.file), self.follow.name, self.follow.verdict)
        if known != self._known and not self._turn.locked():
            self._known = known
            self.run_worker(self._look(), exclusive=True, group="look")
        self._take_choice()

    def _take_choice(self) -> None:
        if self._choice.look():
            self._rows.chosen = self._choice.chosen
            self._draw()

    def _begin_selection(self, name: str) -> None:
        """A selection has started. The followed run stays in sight while it has a job."""
        if self.follow.verdict not in ALIVE:
            self.view.follow_run(name)
            return
        self._choice.begin(RunFolder(self.project / "runs" / name))
        self._timer = self.set_interval(EVERY, self._look_at_selection)
        self.notice("The meta-agent is choosing; its choice shows here.")

    def _look_at_selection(self) -> None:
        under_way = self._choice.under_way
        self._take_choice()
        if not under_way and self._timer is not None:
            self._timer.stop()
            self._timer = None
            self.notice("The meta-agent has chosen.")

    async def _look(self) -> None:
        async with self._turn:
            outcome = await cli_command.autoact("tools list", str(self.project), options=("--all", "--stats", "--json"))
        try:
            self.tools = tool_list.parse_tools(outcome.data)
        except msgspec.ValidationError:
            self.set_text("about", untrusted_text.content(outcome.why, "$error"))
            self.table.suggest(outcome.why)
            self._pending = None
            return
        self._draw()
        pending, self._pending = self._pending, None
        if pending is not None:
            pending()

    def _draw(self, chosen: str | None = None) -> None:
        """Show the tools that the filter lets through, the cursor on the one it was on, or on `chosen`."""
        key = chosen or self.table.chosen
        self._rows.rows = tool_list.filter_tools(self.tools, self.query_one("#letters", Input).value)
        if self.tools:
            self.table.suggest("No tool matches the filter; esc shows all.")
        self.table.renew(key=key)
        self.set_text("choices", compare_choices(self.tools, self._rows.chosen))
        self._describe()
        self.view.offer()

    @on(Table.Pointed)
    def _describe(self) -> None:
        tool = self.tool
        if tool is not None:
            chosen = choice_reason(tool.name, self._rows.chosen, self._choice.passed_over)
            self.set_text("about", Content("\n").join([*describe(tool), *chosen, *self._last(tool)]))
        elif self.tools:
            self.set_text("about", Content())

    def _last(self, tool: ToolLine) -> list[Content]:
        return [self._seen[tool.name]] if tool.name in self._seen else []

    @on(Input.Changed, "#letters")
    def _narrowed(self) -> None:
        self._draw()

    @on(Input.Submitted, "#letters")
    @on(InputLine.Gone)
    def _to_table(self) -> None:
        self.table.focus()

    def obstacle(self, action: str) -> str:
        match action:
            case "switch" | "try_it" | "test" if self.tool is None and self.tools:
                return "There is no tool under the cursor."
            case "later" | "sooner" if self.tool is None or self.tool.listed != "on":
                return "Only tools that are on have an order."
            case "undo" if not self._undo:
                return "There is nothing to undo."
            case "allow" if self.tool is None or not self.tool.missing_grants:
                return "This tool waits for no secret."
            case "select" if self._timer is not None:
                return "The meta-agent is choosing already."
            case "up" if not self.query_one("#letters", InputLine).has_class("shown"):
                return "All tools are shown."
        return ""

    def _soon(self, do: Callable[[], None]) -> None:
        """Do something with the tool under the cursor, as soon as the tools are known."""
        if self.tools:
            do()
        else:
            self._pending = do

    def action_filter(self) -> None:
        line = self.query_one("#letters", InputLine)
        line.ask(line.value)

    def action_up(self) -> None:
        """Out of the filter, out of the project."""
        line = self.query_one("#letters", InputLine)
        if line.has_class("shown"):
            line.action_leave_line()
        else:
            self.view.action_back()

    # -- changes ---------------------------------------------------------------------------------------------------

    @action_table.check_obstacle
    def action_switch(self) -> None:
        self._soon(self._switch)

    def _switch(self) -> None:
        if (tool := self.tool) is None:
            return
        verb = {"on": "disable", "off": "enable", "known": "add"}[tool.listed]
        self.tools = [
            one.put("off" if verb == "disable" else "on") if one.entry == tool.entry else one for one in self.tools
        ]
        self._draw()
        self._change(f"tools {verb}", tool.entry)

    @action_table.check_obstacle
    def action_later(self) -> None:
        self._move(1)

    @action_table.check_obstacle
    def action_sooner(self) -> None:
        self._move(-1)

    def _move(self, steps: int) -> None:
        tool = self.tool
        if tool is None:
            return
        order = tool_list.move_entry(self.tools, tool.entry, steps)
        self.tools = tool_list.sort_tools(self.tools, order)
        self._draw()
        self.table.point(next(at for at, one in enumerate(self._rows.rows) if one.name == tool.name))
        self._change("tools order", *order)

    def _change(self, verb: str, *words: str) -> None:
        """Shown at once, done in turn; when it fails, the list is read anew."""
        self.run_worker(self._changed(verb, words), group="change")

    async def _changed(self, verb: str, words: Sequence[str], options: tuple[str, ...] = ()) -> CliResult:
        async with self._turn:
            before = _bytes(self.file)
            outcome = await cli_command.autoact(verb, str(self.project), *words, options=options)
            after = _bytes(self.file)
            if after != before:
                self._undo.append((before, after))
            self._known = (after, self.follow.name, self.follow.verdict)
        if outcome.code:
            self.notice(outcome.why)
        if outcome.code or verb == "tools add":
            await self._look()
        self.view.offer()
        return outcome

    @action_table.check_obstacle
    def action_undo(self) -> None:
        self.run_worker(self._take_back(), group="change")

    async def _take_back(self) -> None:
        async with self._turn:
            if not self._undo:
                return
            before, after = self._undo.pop()
            with disk.locked(self.file.resolve().parent):
                if _bytes(self.file) != after:
                    self.notice("tools.toml was changed elsewhere since; nothing is undone.")
                    return
                if before is None:
                    self.file.unlink()
                else:
                    disk.rewrite(self.file, before)
            self._known = (before, self.follow.name, self.follow.verdict)
        await self._look()
        self.notice("Undone.")

    def action_add(self) -> None:
        fields = (
            Field("kind", "kind", "python", 1, tool_list.KINDS),
            Field("name", "name"),
            Field("target", "FILE.py:FUNCTION, a langchain class, a server's command, or a URL"),
            Field("definition", "description shown to agents (optional)"),
            Field("usage", "example call, as in River[Elbe] (optional)"),
        )
        self.app.push_screen(Form("Add a tool", fields, self._add, "add"))

    async def _add(self, values: Values) -> str:
        name, kind = values["name"].strip(), values["kind"]
        if not name or not values["target"].strip():
            return "It needs a name, and where it comes from."
        try:
            settings = tool_list.set_options(kind, values["target"])
        except ValueError as error:  # a quotation mark without its twin
            return f"not a command: {error}"
        told = [f"--{key}={value}" for key in ("definition", "usage") if (value := values[key].strip())]
        outcome = await self._changed("tools add", (name,), (f"--kind={kind}", *settings, *told))
        if outcome.code:
            return outcome.why
        if kind == "mcp":
            outcome = await cli_command.autoact("tools connect", str(self.project), name)
            await self._look()
        self._draw(name)
        self.notice(outcome.why if outcome.code or "cannot run" in outcome.told else f"{name} added; u undoes it.")
        return ""

    @action_table.check_obstacle
    def action_allow(self) -> None:
        if (tool := self.tool) is None:
            return
        name, host = tool.missing_grants[0]

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._allow(name, host), group="change")

        reason = f"{tool.name} cannot send it before that. Nothing is sent now."
        self.app.push_screen(Confirm(f"Let tools send your secret {name} to {host}?", reason), answered)

    async def _allow(self, name: str, host: str) -> None:
        async with self._turn:
            outcome = await cli_command.autoact("secrets allow", name, host)
        self.notice(outcome.why)
        await self._look()

    # -- asking the meta-agent, and trying by hand -----------------------------------------------------------------

    @action_table.check_obstacle
    def action_select(self) -> None:
        self.notice("Starting a tool selection ...")
        self.run_worker(self._select(), group="select", exclusive=True)

    async def _select(self) -> None:
        outcome = await cli_command.autoact("tools select", str(self.project), options=("--detach",))
        if outcome.code:
            self.notice(outcome.why)
        else:
            self._begin_selection(outcome.told.strip())

    @action_table.check_obstacle
    def action_try_it(self) -> None:
        self._soon(self._ask_argument)

    def _ask_argument(self) -> None:
        if (tool := self.tool) is not None:
            line = self.query_one("#argument", InputLine)
            _, _, example = tool.usage.partition("[")
            line.ask(line.value or untrusted_text.line(example.removesuffix("]")))

    @on(Table.Opened)
    def _opened(self) -> None:
        self.action_try_it()

    @on(Input.Submitted, "#argument")
    def _asked(self, event: Input.Submitted) -> None:
        if (tool := self.tool) is not None:
            self._see(tool.name, Content.styled("calling ...", "$quiet"))
            self.run_worker(self._call(tool.name, event.value), group="try", exclusive=True)

    async def _call(self, name: str, argument: str) -> None:
        outcome = await cli_command.autoact("tools try", str(self.project), name, argument, options=("--json",))
        told = outcome.data
        if not isinstance(told, dict):
            self._see(name, untrusted_text.content(outcome.why, "$error"))
            return
        said = untrusted_text.clean(str(told["text"]))
        shown = Content.styled(said, "$error" if told["failed"] else "")
        asked = untrusted_text.content(f"{name}[{argument}]", "bold")
        self._see(name, Content.assemble("\n", asked, (f"  {told['ms']:.0f} ms\n", "$quiet"), shown))

    @action_table.check_obstacle
    def action_test(self) -> None:
        self._soon(self._run_test)

    def _run_test(self) -> None:
        if (tool := self.tool) is not None:
            self._see(tool.name, Content.styled("testing ...", "$quiet"))
            self.run_worker(self._test(tool.name), group="try", exclusive=True)

    async def _test(self, name: str) -> None:
        outcome = await cli_command.autoact("tools test", str(self.project), name, options=("--all", "--json"))
        told = outcome.data
        if not isinstance(told, list):
            self._see(name, untrusted_text.content(outcome.why, "$error"))
            return
        checks = [untrusted_text.content(f"{trial['outcome']}: {trial['told']}") for trial in told]
        self._see(name, Content("\n").join([Content(""), *(checks or [Content("It has no check of its own.")])]))

    def _see(self, name: str, content: Content) -> None:
        self._seen[name] = content
        self._describe()
        self.query_one("#beside").scroll_end(animate=False)


def _bytes(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() else None
