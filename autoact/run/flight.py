"""A unit in flight, and the world its wishes are served from."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Protocol

from autoact.events import Event
from autoact.model.engine import Engine
from autoact.script import Answer, Observation, Script, Train, Unit, Use, Wish
from autoact.trajectory import Adapter

Commits = Callable[[Any, float, int], Event]
Revive = Callable[[str], tuple[Unit, Commits] | None]


class ToolCalls(Protocol):
    """One episode's tools: what it calls by name, state included."""

    def call(self, name: str, argument: str) -> Observation: ...


@dataclass(frozen=True, slots=True)
class World:
    """Everything a script can want: a model, tools, and someone who trains."""

    engine: Engine
    tools: Callable[[], ToolCalls]
    """A fresh session for one episode."""
    train: Callable[[Train], Generator[Event, Any, Adapter]]
    """Yields what happens, and is sent whether a person wants it to end here and keep what it has."""
    close: Callable[[], None] = lambda: None
    """Ends what the tools keep running, when the job ends."""


@dataclass(slots=True)
class Flight:
    """A unit in flight."""

    unit: Unit
    name: str
    """The unit's, or that of the fork this is."""
    script: Script
    tools: ToolCalls
    index: int | None = None
    """Its place in the round's results; a fork has none."""
    commits: Commits | None = None
    n: int = 0
    """Number of the wish it waits for."""
    wish: Wish | None = None
    wished: str = ""
    """Digest of that wish."""
    held: Answer | Observation | None = None
    """The answer before `n`, in the log already, that a person keeps from the script."""
    past: list[Use] = field(default_factory=list)
    """Replayed calls that the tool session has not seen: it is brought up to date before its first live call."""
    seconds: float = 0.0
    tokens: int = 0
