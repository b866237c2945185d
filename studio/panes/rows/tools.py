"""The tools as rows of a table, and the description of one tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from textual.content import Content

from studio.actions.remote_machine import CliResult
from studio.files import tool_list
from studio.files.tool_list import ToolLine
from studio.terminal import untrusted_text
from studio.widgets.lists.table import Column

COLUMNS = (
    Column("", 3),
    Column("tool"),
    Column("kind", 10, least=48),
    Column("state", 17),
    Column("meta", 5, right=True),
)


class ToolRows:
    """The tools as rows of a table."""

    def __init__(self) -> None:
        self.rows: list[ToolLine] = []
        self.chosen: dict[str, str] = {}
        """The meta-agent's choice: reasons by name, in its order."""

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> Sequence[str | Content]:
        tool = self.rows[index]
        style = "" if tool.listed == "on" else "$quiet"
        usable = tool.state in ("ready", "offline")
        state = untrusted_text.content(tool.state_text, style or ("$success" if usable else "$warning"))
        rank = list(self.chosen).index(tool.name) + 1 if tool.name in self.chosen else 0
        sign = Content.styled("+", "$accent") if tool.listed == "on" else Content("")
        return sign, untrusted_text.content(tool.name, style), tool.kind, state, str(rank or "")

    def key(self, index: int) -> str:
        return self.rows[index].name


def describe(tool: ToolLine) -> list[Content]:
    """Returns the description of a tool, paragraph by paragraph."""
    origin = "built-in" if tool.kind == "builtin" else f"custom, {tool.kind}"
    state = untrusted_text.content(f"{tool.state_text} ({tool.reason or origin})")
    parts = [untrusted_text.content(tool.name, "bold $primary"), state]
    parts += [
        untrusted_text.content(tool.definition),
        untrusted_text.content(tool.usage, "$accent"),
        label("origin", origin),
    ]
    if known := parameters(tool.schema):
        parts.append(label("parameters", known))
    if tool.powers:
        parts.append(label("permissions", ", ".join(tool.powers)))
    parts += [label("not allowed yet, p asks", f"send {name} to {host}") for name, host in tool.missing_grants]
    parts.append(label("health", tool.stats.summary() if tool.stats else "never called in this project's runs"))
    settings = [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in tool.settings.items()]
    return [*parts, label("settings", ", ".join(settings))] if settings else parts


def parameters(schema: Mapping[str, Any]) -> str:
    """Returns the parameters of a JSON schema, as `query: string, count: integer = 3`; those of a server may be of any
    form."""
    properties = schema.get("properties")
    required = schema.get("required") or ()
    if not isinstance(properties, Mapping) or not properties:
        return ""
    return ", ".join(_parameter(str(name), kind, needed=name in required) for name, kind in properties.items())


def _parameter(name: str, kind: object, *, needed: bool) -> str:
    known = kind if isinstance(kind, Mapping) else {}
    default = f" = {msgspec.json.encode(known['default']).decode()}" if "default" in known else ""
    optional = "" if needed or default else " (optional)"
    about = f" - {known['description']}" if known.get("description") else ""
    return f"{name}: {known.get('type', 'any')}{default}{optional}{about}"


def call_result(name: str, argument: str, result: CliResult) -> Content:
    """Returns what came of a call by hand, as `autoact tools try --json` printed it."""
    data = result.data
    if not isinstance(data, dict):
        return untrusted_text.content(result.reason, "$error")
    observation = Content.styled(untrusted_text.clean(str(data["text"])), "$error" if data["failed"] else "")
    call = untrusted_text.content(f"{name}[{argument}]", "bold")
    return Content.assemble("\n", call, (f"  {data['ms']:.0f} ms\n", "$quiet"), observation)


def check_result(result: CliResult) -> Content:
    """Returns what came of a tool's checks, as `autoact tools test --json` printed it."""
    if not isinstance(result.data, list):
        return untrusted_text.content(result.reason, "$error")
    checks = [untrusted_text.content(f"{trial['outcome']}: {trial['told']}") for trial in result.data]
    return Content("\n").join([Content(""), *(checks or [Content("It has no checks.")])])


def label(head: str, text: str) -> Content:
    return Content.assemble(untrusted_text.content(f"{head}: ", "$quiet"), untrusted_text.content(text))


def compare_choices(tools: Sequence[ToolLine], chosen: Mapping[str, str]) -> Content:
    """Returns the person's choice and, if there is one, the meta-agent's with the differences."""
    mine = ", ".join(tool.name for tool in tools if tool.listed == "on")
    lines = [untrusted_text.content(f"you: {mine or 'none'}")]
    if chosen:
        theirs, yours = tool_list.choice_difference(tools, chosen)
        lines.append(untrusted_text.content(f"meta-agent: {', '.join(chosen)}"))
        parts = [f"adds {', '.join(theirs)}"] * bool(theirs) + [f"omits {', '.join(yours)}"] * bool(yours)
        lines.append(
            untrusted_text.content(f"it {'; it '.join(parts)}" if parts else "the two are the same", "$accent")
        )
    return Content("\n").join(lines)


def choice_reason(name: str, chosen: Mapping[str, str], passed_over: Mapping[str, str]) -> list[Content]:
    """Returns the meta-agent's reason for choosing a tool or passing it over; nothing while there is no choice."""
    if name in chosen:
        return [label(f"meta-agent's choice {list(chosen).index(name) + 1}", chosen[name])]
    return [label("not chosen by the meta-agent", passed_over[name])] if name in passed_over else []
