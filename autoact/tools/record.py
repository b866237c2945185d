"""A tool's record: what the library knows of a tool, and what it takes to open one for an episode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec import Struct

from autoact.script import Observation
from autoact.tools.corpus import Corpus
from autoact.trajectory import Tool

Kind = Literal["builtin", "python", "langchain", "mcp", "http"]
State = Literal["ready", "needs-key", "needs-package", "needs-network", "planned"]


class Limits(Struct, frozen=True):
    """What one call may take and give."""

    timeout_s: float = 10.0
    """For tools that wait on something outside; the built-in ones are bounded by their own guards."""
    max_chars: int = 400
    """Of the observation, the ellipsis included."""


class ToolRecord(Struct, frozen=True, omit_defaults=True):
    """One tool of the library, ready or not."""

    name: str
    definition: str
    usage: str
    """An example call, as `Retrieve[Marie Curie]`."""
    aliases: tuple[str, ...] = ()
    kind: Kind = "builtin"
    state: State = "ready"
    reason: str = ""
    """Why it is not ready, with what would make it so; empty when it is."""
    limits: Limits = Limits()
    settings: dict[str, Any] = {}
    """The settings of this tool alone, all of them, with their values or defaults."""

    def tool(self) -> Tool:
        """What an agent is told of it."""
        return Tool(self.name, self.definition, self.usage, self.aliases)


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What tools are opened with."""

    corpus: Corpus
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Settings by tool name; what tools.toml says wins over them."""


Call = Callable[[str], Observation]
"""One call of an opened tool with its argument. It may raise; the session turns that into an observation."""


@dataclass(frozen=True, slots=True)
class Group:
    """Tools that share their state within an episode."""

    records: tuple[ToolRecord, ...]
    open: Callable[[ToolContext, Mapping[str, ToolRecord]], dict[str, Call]]
    """Opens the group for one episode, with the records as configured: calls by tool name."""
