"""A project's tools as `autoact tools list --json` tells of them, and the words for how each one stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct, structs

Standing = Literal["on", "off", "known"]
"""Switched on, switched off, or only known to the library."""

STATES = {
    "ready": "ready", "offline": "offline stand-in", "needs-key": "needs a key", "needs-package": "needs a package",
    "needs-setting": "needs a setting", "needs-network": "needs a network", "refused": "held back",
    "planned": "planned",
}  # fmt: skip
KINDS = ("python", "langchain", "mcp", "http")
"""Of the tools that a person brings."""


class Health(Struct, frozen=True):
    """How a tool fared in the project's runs."""

    calls: int
    failed: int
    p50_ms: float
    p95_ms: float
    trajectories: int
    right: int

    def told(self) -> str:
        """In one line."""
        waits = f"median {self.p50_ms:.0f} ms, p95 {self.p95_ms:.0f} ms"
        used = f"{self.trajectories} trajectories that used it"
        right = f"; {self.right} of the {used} were right" if self.trajectories else ""
        return f"{self.calls} calls, {self.failed} failed, {waits}{right}"


class ToolLine(Struct, frozen=True):
    """One tool. All its texts are foreign."""

    name: str
    kind: str
    state: str
    reason: str
    definition: str
    usage: str
    listed: Standing
    powers: tuple[str, ...] = ()
    settings: dict[str, Any] = {}
    stats: Health | None = None
    missing_grants: list[tuple[str, str]] = []
    """Names of secrets with the hosts that they may not be sent to yet."""

    @property
    def entry(self) -> str:
        """What tools.toml calls it: an MCP server stands there once for all its tools."""
        return self.name.partition(".")[0] if self.kind == "mcp" else self.name

    @property
    def standing(self) -> str:
        """In a few words."""
        return {"on": STATES.get(self.state, self.state), "off": "off", "known": "not in project"}[self.listed]

    def put(self, listed: Standing) -> ToolLine:
        return structs.replace(self, listed=listed)


def parse_tools(told: Any) -> list[ToolLine]:
    """From what the command printed. Raises msgspec.ValidationError when it is something else."""
    return msgspec.convert(told, list[ToolLine])


def filter_tools(tools: Iterable[ToolLine], wanted: str) -> list[ToolLine]:
    """Those with these letters in their name, kind, standing or definition."""
    letters = wanted.casefold().strip()
    return [
        tool for tool in tools if letters in f"{tool.name} {tool.kind} {tool.standing} {tool.definition}".casefold()
    ]


def move_entry(tools: Sequence[ToolLine], entry: str, steps: int) -> list[str]:
    """The entries that are on, one of them some places further down."""
    order = list(dict.fromkeys(tool.entry for tool in tools if tool.listed == "on"))
    if entry in order:
        at = order.index(entry)
        order.insert(max(0, min(at + steps, len(order) - 1)), order.pop(at))
    return order


def sort_tools(tools: Sequence[ToolLine], order: Sequence[str]) -> list[ToolLine]:
    """The tools that are on in this order, the others behind them."""
    on = [tool for entry in order for tool in tools if tool.entry == entry and tool.listed == "on"]
    return [*on, *(tool for tool in tools if tool not in on)]


def choice_difference(tools: Iterable[ToolLine], chosen: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """What only the meta-agent chose, and what only the person has on."""
    mine = [tool.name for tool in tools if tool.listed == "on"]
    return [name for name in chosen if name not in mine], [name for name in mine if name not in chosen]


def set_options(kind: str, target: str) -> tuple[str, ...]:
    """`--set` options that bring a tool of this kind; `target` is what the kind begins with."""
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
