"""A project's tools as `autoact tools list --json` prints them, with the texts for their state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct, structs

Listing = Literal["on", "off", "known"]
"""Enabled in the project, disabled in it, or only in the library."""

STATES = {
    "ready": "ready", "offline": "offline stand-in", "needs-key": "needs a key", "needs-package": "needs a package",
    "needs-setting": "needs a setting", "needs-network": "needs a network", "refused": "held back",
    "planned": "planned",
}  # fmt: skip
KINDS = ("python", "langchain", "mcp", "http")
"""Kinds of tools that a person can add."""


class Health(Struct, frozen=True):
    """Statistics of a tool's calls in the project's runs."""

    calls: int
    failed: int
    p50_ms: float
    p95_ms: float
    trajectories: int
    right: int
    empty: int = 0
    """Calls that found nothing; those in `failed` could not be carried out."""

    def summary(self) -> str:
        """Returns the statistics in one line."""
        waits = f"median {self.p50_ms:.0f} ms, p95 {self.p95_ms:.0f} ms"
        used = f"{self.trajectories} trajectories that used it"
        right = f"; {self.right} of the {used} were right" if self.trajectories else ""
        return f"{self.calls} calls, {self.failed} failed, {self.empty} found nothing, {waits}{right}"


class ToolLine(Struct, frozen=True):
    """One tool. All its texts are untrusted."""

    name: str
    kind: str
    state: str
    reason: str
    definition: str
    usage: str
    listed: Listing
    powers: tuple[str, ...] = ()
    settings: dict[str, Any] = {}
    schema: dict[str, Any] = {}
    """JSON schema of its parameters, that of a server as it gave it; empty for a tool that takes one text."""
    stats: Health | None = None
    missing_grants: list[tuple[str, str]] = []
    """Secrets and the hosts to which they may not be sent yet."""

    @property
    def entry(self) -> str:
        """Its name in tools.toml, where an MCP server has one entry for all its tools."""
        return self.name.partition(".")[0] if self.kind == "mcp" else self.name

    @property
    def state_text(self) -> str:
        """Its state in a few words."""
        return {"on": STATES.get(self.state, self.state), "off": "off", "known": "not in project"}[self.listed]

    def with_listed(self, listed: Listing) -> ToolLine:
        return structs.replace(self, listed=listed)


def parse_tools(data: Any) -> list[ToolLine]:
    """Converts the JSON that the command printed. Raises msgspec.ValidationError for anything else."""
    return msgspec.convert(data, list[ToolLine])


def filter_tools(tools: Iterable[ToolLine], wanted: str) -> list[ToolLine]:
    """Returns the tools with this text in their name, kind, state or definition."""
    letters = wanted.casefold().strip()
    return [
        tool for tool in tools if letters in f"{tool.name} {tool.kind} {tool.state_text} {tool.definition}".casefold()
    ]


def move_entry(tools: Sequence[ToolLine], entry: str, steps: int) -> list[str]:
    """Returns the enabled entries in order, with one of them moved down by `steps`, negative for up."""
    order = list(dict.fromkeys(tool.entry for tool in tools if tool.listed == "on"))
    if entry in order:
        at = order.index(entry)
        order.insert(max(0, min(at + steps, len(order) - 1)), order.pop(at))
    return order


def sort_tools(tools: Sequence[ToolLine], order: Sequence[str]) -> list[ToolLine]:
    """Returns the enabled tools in this order, then the others."""
    on = [tool for entry in order for tool in tools if tool.entry == entry and tool.listed == "on"]
    return [*on, *(tool for tool in tools if tool not in on)]


def choice_difference(tools: Iterable[ToolLine], chosen: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Returns the names that only the meta-agent chose, and those that only the person enabled."""
    mine = [tool.name for tool in tools if tool.listed == "on"]
    return [name for name in chosen if name not in mine], [name for name in mine if name not in chosen]


def set_options(kind: str, target: str) -> tuple[str, ...]:
    """Returns the `--set` options of `autoact tools add` for a tool of this kind."""
    import json
    import shlex

    target = target.strip()
    if kind == "python":
        return "--set", f"function={json.dumps(target)}"
    if kind == "langchain":
        return "--set", f"class={json.dumps(target)}"
    if kind == "mcp" and "://" not in target:
        return "--set", f"command={json.dumps(shlex.split(target))}"
    return "--set", f"url={json.dumps(target)}"
