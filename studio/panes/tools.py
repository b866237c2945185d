"""The tools pane: the library, the project's tools, the meta-agent's choice, and calls by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from autoact.run.record.folder import RunFolder
from studio.actions import action_table, cli_command
from studio.actions.remote_machine import CliResult
from studio.files import tool_list
from studio.files.file_undo import FileUndo
from studio.files.tool_list import ToolLine
from studio.panes.pane import Pane
from studio.panes.project_view import ProjectView
from studio.panes.rows import tools as tool_rows
from studio.panes.tool_choice import ToolChoice
from studio.panes.tool_trials import ToolTrials
from studio.runs.run_list import ALIVE
from studio.screens import tool_form
from studio.screens.confirm import Confirm
from studio.screens.form import Form, Values
from studio.terminal import untrusted_text
from studio.widgets.input_line import InputLine
from studio.widgets.lists.table import Table

REREAD = ("tools add", "tools edit", "tools remove", "tools use")
"""Commands whose effect the list does not show before it is read again."""
SELECTION_S = 0.5
"""Seconds between two readings of a selection that runs beside the followed run."""


class ToolsPane(Pane):
    """Changes tools.toml by `autoact tools` commands, one at a time, so that its comments stay."""

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
        self.tools: list[ToolLine] = []
        self._rows = tool_rows.ToolRows()
        self._trials = ToolTrials(self.project, self._show_result)
        self._lock = asyncio.Lock()
        self._undo = FileUndo(self.project / "tools.toml")
        self._pending: Callable[[ToolLine], object] | None = None
        """Work on the tool under the cursor that waits until the tools have been read."""
        self._read_for: tuple[object, ...] = ()
        """tools.toml, run and verdict for which the tools were read."""
        self._choice = ToolChoice(self.follow)
        self._called = ""
        """The tool whose argument is in the line, as the cursor may have moved on; empty for that under the cursor."""
        self._timer: Timer | None = None
        """Runs while a selection runs beside the followed run."""

    def on_unmount(self) -> None:
        self._choice.close()

    def compose(self) -> ComposeResult:
        yield InputLine("letters of a name, kind, state or definition", id="letters", verb="filter")
        with Horizontal():
            yield Table(tool_rows.COLUMNS, id="tools")
            with VerticalScroll(id="beside", can_focus=False):
                yield Static(id="about")
        yield Static(id="choices")
        yield InputLine("the tool's argument, as in Marie Curie", id="argument", verb="call")

    def on_mount(self) -> None:
        self.table.show(self._rows)
        self.table.set_hint("Reading the tools ...")

    @property
    def table(self) -> Table:
        return self.query_one("#tools", Table)

    @property
    def tool(self) -> ToolLine | None:
        """The tool under the cursor; None when there is none."""
        return self._rows.rows[self.table.cursor] if self.table.cursor < len(self._rows.rows) else None

    # -- the list --------------------------------------------------------------------------------------------------

    def update(self) -> None:
        """Reads the tools again if tools.toml, the run or its verdict has changed, and shows the current choice."""
        if (current := self._current()) != self._read_for and not self._lock.locked():
            self._read_for = current
            self.run_worker(self._read_tools(), exclusive=True, group="read")
        self._update_choice()

    def _current(self) -> tuple[object, ...]:
        return self._undo.content(), self.follow.name, self.follow.verdict

    def _update_choice(self) -> None:
        if self._choice.refresh():
            self._rows.chosen = self._choice.chosen
            self._draw()

    def _begin_selection(self, name: str) -> None:
        """Follows the run of a selection, or reads it beside the followed run while that one has a job."""
        if self.follow.verdict not in ALIVE:
            self.view.follow_run(name)
            return
        self._choice.begin(RunFolder(self.project / "runs" / name))
        self._timer = self.set_interval(SELECTION_S, self._update_selection)
        self.notice("The meta-agent is choosing; its choice shows here.")

    def _update_selection(self) -> None:
        self._update_choice()
        if not self._choice.is_selecting and self._timer is not None:
            self._timer.stop()
            self._timer = None
            self.notice(self._choice.selection_end)

    async def _read_tools(self) -> None:
        async with self._lock:
            result = await cli_command.autoact("tools list", str(self.project), options=("--all", "--stats", "--json"))
        try:
            self.tools = tool_list.parse_tools(result.data)
        except msgspec.ValidationError:
            self.set_text("about", untrusted_text.content(result.reason, "$error"))
            self.table.set_hint(result.reason)
            self._pending = None
            return
        self._draw()
        pending, self._pending = self._pending, None
        if pending is not None:
            self._when_read(pending)

    def _draw(self, chosen: str | None = None) -> None:
        """Shows the tools that match the filter, with the cursor on the same tool as before, or on `chosen`."""
        key = chosen or self.table.chosen
        self._rows.rows = tool_list.filter_tools(self.tools, self.query_one("#letters", Input).value)
        self.table.reload(key=key)
        if self.tools:
            self.table.set_hint("No tool matches the filter; esc shows all.")
            self.set_text("choices", tool_rows.compare_choices(self.tools, self._rows.chosen))
        self._describe()
        self.view.update_footer()

    @on(Table.CursorMoved)
    def _describe(self) -> None:
        tool = self.tool
        if tool is not None:
            chosen = tool_rows.choice_reason(tool.name, self._rows.chosen, self._choice.passed_over)
            lines = [*tool_rows.describe(tool), *chosen, *self._trials.result(tool.name)]
            self.set_text("about", Content("\n").join(lines))
        elif self.tools:
            self.set_text("about", Content())

    @on(Input.Changed, "#letters")
    def _filter_changed(self) -> None:
        self._draw()

    @on(Input.Submitted, "#letters")
    @on(InputLine.Closed)
    def _focus_table(self) -> None:
        self.table.focus()

    def obstacle(self, action: str) -> str:
        match action:
            case "switch" | "try_it" | "test" | "edit" | "remove" if self.tool is None and self.tools:
                return "There is no tool under the cursor."
            case "later" | "sooner" if self.tool is None or self.tool.listed != "on":
                return "Only enabled tools have an order."
            case "edit" if self.tool is not None and self.tool.listed == "known":
                return "Only tools of the project can be edited; space adds this one."
            case "remove" if self.tool is not None and self.tool.listed == "known":
                return "Only tools of the project can be removed."
            case "adopt" if not self._rows.chosen:
                return "The meta-agent has not chosen yet; s lets it choose."
            case "adopt" if not any(tool_list.choice_difference(self.tools, self._rows.chosen)):
                return "The meta-agent's choice is yours already."
            case "undo" if not self._undo:
                return "There is nothing to undo."
            case "allow" if self.tool is None or not self.tool.missing_grants:
                return "This tool needs no permission for a secret."
            case "select" if self._timer is not None:
                return "The meta-agent is choosing already."
            case "up" if not self.query_one("#letters", InputLine).has_class("shown"):
                return "All tools are shown."
        return ""

    def main_actions(self) -> Sequence[str]:
        return "tools.up", "tools.allow", "tools.switch", "tools.adopt"

    def _when_read(self, work: Callable[[ToolLine], object]) -> None:
        """Runs work on the tool under the cursor, at once or as soon as the tools have been read."""
        if not self.tools:
            self._pending = work
        elif (tool := self.tool) is not None:
            work(tool)

    def action_filter(self) -> None:
        line = self.query_one("#letters", InputLine)
        line.open(line.value)

    def action_up(self) -> None:
        """Closes the filter, else leaves the project."""
        line = self.query_one("#letters", InputLine)
        if line.has_class("shown"):
            line.action_leave_line()
        else:
            self.view.action_back()

    # -- changes ---------------------------------------------------------------------------------------------------

    @action_table.check_obstacle
    def action_switch(self) -> None:
        self._when_read(self._switch)

    def _switch(self, tool: ToolLine) -> None:
        verb = {"on": "disable", "off": "enable", "known": "add"}[tool.listed]
        listed: tool_list.Listing = "off" if tool.listed == "on" else "on"
        self.tools = [one.with_listed(listed) if one.entry == tool.entry else one for one in self.tools]
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
        self.table.move_to(next(at for at, one in enumerate(self._rows.rows) if one.name == tool.name))
        self._change("tools order", *order)

    def _change(self, verb: str, *words: str) -> None:
        """Runs a command that changes tools.toml; the list already shows its effect, and is read again if it fails."""
        self.run_worker(self._run_change(verb, words), group="change")

    async def _run_change(self, verb: str, words: Sequence[str], options: tuple[str, ...] = ()) -> CliResult:
        async with self._lock:
            before = self._undo.content()
            result = await cli_command.autoact(verb, str(self.project), *words, options=options)
            self._undo.add(before, self._undo.content())
            self._read_for = self._current()
        if result.code:
            self.notice(result.reason)
        if result.code or verb in REREAD:
            await self._read_tools()
        self.view.update_footer()
        return result

    @action_table.check_obstacle
    def action_undo(self) -> None:
        self.run_worker(self._restore(), group="change")

    async def _restore(self) -> None:
        async with self._lock:
            reason = await asyncio.to_thread(self._undo.restore)
            self._read_for = self._current()
        await self._read_tools()
        self.notice(reason or "Undone.")

    def action_add(self) -> None:
        self._pending = None  # its form would open above this one
        self.app.push_screen(Form("Add a tool", tool_form.add_fields(), self._add, "add"))

    async def _add(self, values: Values) -> str:
        name, kind = values["name"].strip(), values["kind"]
        try:
            options = tool_form.add_options(values)
        except ValueError as error:  # a field that is missing, or an unbalanced quotation mark
            return str(error)
        result = await self._run_change("tools add", (name,), options)
        if result.code:
            return result.reason
        if kind == "mcp":
            result = await cli_command.autoact("tools connect", str(self.project), name)
            await self._read_tools()
        self._draw(name)
        self.notice(result.reason if result.code or "cannot run" in result.output else f"{name} added; u undoes it.")
        return ""

    @action_table.check_obstacle
    def action_edit(self) -> None:
        self._when_read(self._open_edit_form)

    def _open_edit_form(self, tool: ToolLine) -> None:
        """Opens the texts that agents are shown, the limits and the settings of a tool."""

        async def accept(values: Values) -> str:
            options = tool_form.edit_options(tool, values)
            result = await self._run_change("tools edit", (tool.entry,), options) if options else None
            if result is not None and result.code:
                return result.reason
            self._trials.forget(tool.name)
            self._describe()
            self.notice(f"{tool.name} changed; u undoes it." if options else "")
            return ""

        self.app.push_screen(Form(f"Edit {tool.name}", tool_form.edit_fields(tool), accept))

    @action_table.check_obstacle
    def action_remove(self) -> None:
        """Removes the entry of the tool under the cursor from tools.toml."""
        self._when_read(lambda tool: self.run_worker(self._remove(tool), group="change"))

    async def _remove(self, tool: ToolLine) -> None:
        self.notice(f"Removing {tool.entry} ...")
        result = await self._run_change("tools remove", (tool.entry,))
        if not result.code:
            self.notice(f"{tool.entry} removed; u undoes it.")

    @action_table.check_obstacle
    def action_adopt(self) -> None:
        """Enables exactly the tools that the meta-agent chose, in its order."""
        entries = {tool.name: tool.entry for tool in self.tools}
        chosen = list(dict.fromkeys(entries[name] for name in self._rows.chosen if name in entries))
        self._change("tools use", *chosen)
        self.notice("The meta-agent's choice is yours now; u undoes it.")

    @action_table.check_obstacle
    def action_allow(self) -> None:
        if (tool := self.tool) is None:
            return
        name, host = tool.missing_grants[0]

        def on_answer(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._allow(name, host), group="change")

        reason = f"{tool.name} cannot send it before that. Nothing is sent now."
        self.app.push_screen(Confirm(f"Let tools send your secret {name} to {host}?", reason), on_answer)

    async def _allow(self, name: str, host: str) -> None:
        async with self._lock:
            result = await cli_command.autoact("secrets allow", name, host)
        self.notice(result.reason)
        await self._read_tools()

    # -- the meta-agent's choice, and calls by hand ----------------------------------------------------------------

    @action_table.check_obstacle
    def action_select(self) -> None:
        self.notice("Starting a tool selection ...")
        self.run_worker(self._select(), group="select", exclusive=True)

    async def _select(self) -> None:
        result = await cli_command.autoact("tools select", str(self.project), options=("--detach",))
        if result.code:
            self.notice(result.reason)
        else:
            self._begin_selection(result.output.strip())

    @action_table.check_obstacle
    def action_try_it(self) -> None:
        """Opens the line for the argument at once, even if the tools have not been read yet."""
        tool, line = self.tool, self.query_one("#argument", InputLine)
        self._called = tool.name if tool else ""
        _, _, example = tool.usage.partition("[") if tool else ("", "", "")
        line.open(line.value or untrusted_text.line(example.removesuffix("]")), selected=True)

    @on(Table.Opened)
    def _row_opened(self) -> None:
        self.action_try_it()

    @on(Input.Submitted, "#argument")
    def _argument_submitted(self, event: Input.Submitted) -> None:
        event.input.action_select_all()  # typing begins another call
        self._when_read(partial(self._call, event.value))

    def _call(self, argument: str, tool: ToolLine) -> None:
        self.run_worker(self._trials.call(self._called or tool.name, argument), group="try", exclusive=True)

    @action_table.check_obstacle
    def action_test(self) -> None:
        self._when_read(lambda tool: self.run_worker(self._trials.test(tool.name), group="try", exclusive=True))

    def _show_result(self) -> None:
        self._describe()
        self.query_one("#beside").scroll_end(animate=False)
