"""The form of all settings: a searchable table by stage, each with its value, type, unit, default, origin and help."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from autoact.errors import AutoActError
from autoact.registry.stages import title
from studio.actions import action_table, cli_command
from studio.files.settings_draft import CHANGED, THIS_RUN, SettingRow, SettingsDraft
from studio.terminal import untrusted_text
from studio.widgets.footer import Footer
from studio.widgets.input_line import InputLine
from studio.widgets.lists.table import Column, Table

COLUMNS = (
    Column("stage", 17, least=70), Column("setting", 16), Column("value"), Column("unit", 13, least=100),
    Column("from", 14),
)  # fmt: skip
Accept = Callable[[SettingsDraft], Awaitable[str]]
"""Handles the settings; returns an error text if it refuses them, else an empty string."""


class SettingRows:
    """The settings as rows of the table; the first row of each section names it."""

    def __init__(self) -> None:
        self.rows: list[SettingRow] = []

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> Sequence[str | Content]:
        one = self.rows[index]
        section = one.setting.section
        is_first = not index or self.rows[index - 1].setting.section != section
        changed = one.origin in (THIS_RUN, CHANGED)
        return (
            Content.styled(title(section), "bold $primary") if is_first else "",
            one.setting.name,
            untrusted_text.content(untrusted_text.line(one.value), "bold" if changed else ""),
            one.setting.unit,
            untrusted_text.content(one.origin, "$accent" if changed else "$quiet"),
        )

    def key(self, index: int) -> str:
        return self.rows[index].setting.key


@dataclass(frozen=True, slots=True)
class FormTexts:
    """The texts in which the forms of a run and of a project differ."""

    title: str
    verb: str
    """The footer's label of the key that takes the settings."""


class SettingsForm(ModalScreen[bool]):
    """Returns True if the settings were accepted, False if it was cancelled."""

    DEFAULT_CSS = """
    SettingsForm { background: $background; color: $foreground; }
    SettingsForm #title { height: 1; background: $panel; padding: 0 1; text-style: bold; }
    SettingsForm Table { height: 1fr; }
    SettingsForm #about { height: auto; max-height: 6; padding: 0 1; background: $surface; }
    SettingsForm #memory { height: auto; max-height: 2; padding: 0 1; color: $quiet; }
    SettingsForm #error { height: auto; max-height: 3; padding: 0 1; color: $error; display: none; }
    SettingsForm #footer { height: 1; background: $panel; }
    """
    CONTEXTS: tuple[action_table.Context, ...] = ("settings",)
    BINDINGS = action_table.modal_bindings("settings")

    def __init__(self, draft: SettingsDraft, texts: FormTexts, accept: Accept, wanted: str = ""):
        """With `wanted`, the form first shows only the settings with this text."""
        super().__init__()
        self.draft, self._texts, self._accept, self._wanted = draft, texts, accept, wanted
        self._rows, self._all = SettingRows(), list[SettingRow]()
        self._planned_model = ""
        """The model for which the memory plan is shown."""
        self._edited: SettingRow | None = None
        """The setting whose value is in the line."""
        self._closable = [draft.edited]
        """The values with which the form closes unasked: those at first, or those it has warned of."""
        self._taking = False
        """Whether the changes are being taken."""
        self._plan: dict[str, Any] = {}
        """The output of `autoact doctor` for it; empty while there is none."""

    def compose(self) -> ComposeResult:
        yield Static(untrusted_text.content(f"{self._texts.title}   enter changes a setting"), id="title")
        yield InputLine("letters of a setting, a stage or its help", id="wanted", verb="filter")
        yield Table(COLUMNS, self._rows)
        yield Static(id="about")
        yield InputLine("the value", id="value", verb="set")
        yield Static(id="error")
        yield Static(id="memory")
        yield Footer()

    def on_mount(self) -> None:
        self._read()
        self._show_matches(self._wanted)
        self._table.focus()
        self._plan_memory()

    @property
    def _table(self) -> Table:
        return self.query_one(Table)

    @property
    def _chosen(self) -> SettingRow | None:
        at = self._table.cursor
        return self._rows.rows[at] if at < len(self._rows.rows) else None

    def _read(self) -> None:
        try:
            self._all = self.draft.rows()
        except AutoActError as error:  # the boundary of a command: shown, not raised
            self._show_error(str(error))

    def _show_matches(self, wanted: str) -> None:
        """Shows the settings with all these words in their name, stage or help, the cursor on the same one."""
        chosen = self._table.chosen
        words = wanted.casefold().split()
        self._wanted = wanted
        self._rows.rows = [row for row in self._all if all(word in _searched(row) for word in words)]
        self._table.set_hint("No setting matches; esc shows all.")
        self._table.reload(key=chosen)
        if self._table.chosen != chosen:  # it is hidden now; the first match is the best
            self._table.move_to(0)
        self._describe()

    @on(Table.CursorMoved)
    def _describe(self) -> None:
        row = self._chosen
        self.query_one("#about", Static).update(_describe(row) if row else Content(""))
        self._update_footer()

    def _update_footer(self) -> None:
        self.query_one(Footer).refresh_keys()

    def update_footer(self) -> None:
        """Updates the keys in the footer; called after every key."""
        self._update_footer()

    def _show_error(self, text: str) -> None:
        error = self.query_one("#error", Static)
        error.display = bool(text)
        error.update(untrusted_text.content(text))

    def notice(self, text: str) -> None:
        self._show_error(text)

    # -- keys ------------------------------------------------------------------------------------------------------

    def obstacle(self, action: str) -> str:
        row = self._chosen
        match action:
            case "previous_word" | "next_word" if row is None or not row.setting.words:
                return "enter edits this value."
            case "reset" if row is None or row.origin not in (THIS_RUN, CHANGED):
                return "This value was not changed here."
            case "store" if not self.draft.is_run:
                return "ctrl+o saves these settings."
            case "store" if not self.draft.changes:
                return "Nothing was changed here."
            case "undo" if not self.draft.undo:
                return "Nothing was saved from here yet."
        return ""

    def footer_word(self, action: str) -> str:
        """Returns the footer's label for an action; empty for the table's own."""
        if action == "up" and self._wanted:
            return "show all"
        return self._texts.verb if action == "take" else ""

    @action_table.check_obstacle
    def action_previous_word(self) -> None:
        self._step(-1)

    @action_table.check_obstacle
    def action_next_word(self) -> None:
        self._step(1)

    def _step(self, steps: int) -> None:
        if (row := self._chosen) is not None:
            words = row.setting.words
            at = words.index(row.value) if row.value in words else -1
            self._change(row, words[(at + steps) % len(words)])

    @on(Table.Opened)
    def _row_opened(self) -> None:
        if (row := self._chosen) is None:
            return
        if row.setting.words:
            self._step(1)
        else:
            self._edited = row
            self.query_one("#value", InputLine).open(untrusted_text.clean_for_editing(row.value), selected=True)

    @on(Input.Submitted, "#value")
    def _value_submitted(self, message: Input.Submitted) -> None:
        row = self._edited  # the cursor may have moved since the line was opened
        if (
            row is None
            or message.value == untrusted_text.clean_for_editing(row.value)
            or self._change(row, message.value)
        ):
            self.query_one("#value", InputLine).action_leave_line()

    def _change(self, row: SettingRow, text: str) -> bool:
        """Sets a value; shows why if it is refused. Returns whether it was set."""
        error = self.draft.change(row.setting, text)
        self._show_error(error)
        if not error:
            self._read()
            self._show_matches(self._wanted)
            self._plan_memory()
        return not error

    @action_table.check_obstacle
    def action_reset(self) -> None:
        """Takes the change of the setting under the cursor back."""
        if (row := self._chosen) is not None:
            self.draft.reset(row.setting)
            self._read()
            self._show_matches(self._wanted)
            self._plan_memory()

    def action_filter(self) -> None:
        line = self.query_one("#wanted", InputLine)
        line.open(line.value)

    @on(Input.Changed, "#wanted")
    def _filter_changed(self, message: Input.Changed) -> None:
        self._show_matches(message.value)

    @on(Input.Submitted, "#wanted")
    @on(InputLine.Closed)
    def _focus_table(self) -> None:
        self._table.focus()

    @action_table.check_obstacle
    def action_store(self) -> None:
        """Writes the changes into project.toml, for this run and later ones."""
        try:
            self.draft.save()
        except (AutoActError, OSError) as error:  # the boundary of a command: shown, not raised
            self._show_error(str(error))
        else:
            self._closable = [self.draft.edited]
            self._read()
            self._show_matches(self._wanted)

    @action_table.check_obstacle
    def action_undo(self) -> None:
        """Takes back what was saved last in project.toml; changes that are not saved stay."""
        self.run_worker(self._undo(), group="undo")

    async def _undo(self) -> None:
        reason = await asyncio.to_thread(self.draft.undo.restore)
        self._read()
        self._show_matches(self._wanted)
        self._plan_memory()
        self.notice(reason or "Undone: project.toml is as it was before the last save.")

    def action_take(self) -> None:
        if not self._taking:  # a second key would end the command of the first half-way
            self._taking = True
            self._show_error("working ...")
            self.run_worker(self._take(), group="take")

    async def _take(self) -> None:
        try:
            error = await self._accept(self.draft)
        finally:
            self._taking = False
        self._show_error(error)
        if not error:
            self.dismiss(True)

    def action_up(self) -> None:
        """Shows all settings again, else closes the form; where something was changed, only at the second key."""
        if self._wanted:
            self.query_one("#wanted", InputLine).action_leave_line()
            self._show_matches("")
        elif not self.warn_of_loss("esc"):
            self.dismiss(False)

    def warn_of_loss(self, key: str) -> bool:
        """Says once that this key discards what was changed if it is pressed again; returns whether it did."""
        if self.draft.edited in self._closable:
            return False
        self._closable.append(self.draft.edited)
        self._show_error(f"Unsaved changes: {key} again discards them.")
        return True

    # -- the memory plan -------------------------------------------------------------------------------------------

    def _plan_memory(self) -> None:
        """Shows what the model needs, as `autoact doctor --model` computes it in a process of its own."""
        model = next((row.value for row in self._all if row.setting.key == "model.id"), "")
        if model != self._planned_model:
            self._planned_model, self._plan = model, {}
            self.run_worker(self._ask_doctor(model), exclusive=True, group="memory")
        elif model and self._plan:
            self._show_plan()

    async def _ask_doctor(self, model: str) -> None:
        self.query_one("#memory", Static).update(Content("Memory: computing the plan of this model ..."))
        result = await cli_command.autoact("doctor", options=(f"--model={model}", "--json"))
        data = result.data
        self._plan = data if isinstance(data, dict) and isinstance(data.get("options"), list) else {}
        if self._plan:
            self._show_plan()
        else:
            reason = result.reason if result.code else "no plan"
            self.query_one("#memory", Static).update(untrusted_text.content(f"Memory: {reason}"))

    def _show_plan(self) -> None:
        values = {row.setting.key: row.value for row in self._all}
        text = memory_text(self._plan, values.get("model.precision", "auto"))
        self.query_one("#memory", Static).update(untrusted_text.content(text))


def memory_text(plan: dict[str, Any], precision: str) -> str:
    """Returns the memory plan of a model for one precision, `auto` for the one that the plan chooses, in a line."""
    options = {str(option["precision"]): option for option in plan["options"]}
    chosen = plan.get("chosen") or {}
    option = options.get(str(chosen.get("precision", "")) if precision == "auto" else precision)
    memory = sum(plan["devices"]["memory"]) / 1e9
    if option is None:
        return f"Memory: {plan['model']} does not fit into {memory:.1f} GB, or not in {precision}"
    answering, training = option["answering"] / 1e9, option["training"] / 1e9
    fits = "" if 0 < option["cards"] <= len(plan["devices"]["memory"]) else "does not fit: "
    return (
        f"Memory: {fits}{option['precision']} needs {answering:.1f} GB to answer with {option['lanes']} lanes and "
        f"{training:.1f} GB to train, of {memory:.1f} GB (autoact doctor)"
    )


def _searched(row: SettingRow) -> str:
    setting = row.setting
    return f"{setting.key} {title(setting.section)} {setting.help} {setting.unit} {row.origin}".casefold()


def _describe(row: SettingRow) -> Content:
    setting = row.setting
    words = ", ".join(setting.words) or setting.kind
    kind = f"{words}{f', in {setting.unit}' if setting.unit else ''}"
    origin = "" if setting.section == "run" else f"   from: {row.origin}"
    head = untrusted_text.line(f"   {kind}   default: {setting.default or 'empty'}{origin}")
    return Content.assemble((setting.key, "bold"), (head, "$quiet"), f"\n{setting.help}")
