"""A unit in flight, and the world its wishes are served from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from autoact.errors import ContextFull, ModelFailed, StageFailed
from autoact.events import Event
from autoact.model.engine import Engine, Ticket
from autoact.script import Answer, Observation, Script, Train, Unit, Use, Wish
from autoact.trajectory import Adapter, Question

Commits = Callable[[Any, float, int], Event]
Revive = Callable[[str], tuple[Unit, Commits] | None]


class ToolCalls(Protocol):
    """One episode's tools: what it calls by name, state included."""

    def call(self, name: str, argument: str) -> Observation: ...

    def recall(self, name: str, argument: str) -> None:
        """A call that an earlier session made, whose observation is known: what this one must know of it to go on."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything a script can want: a model, tools, and someone who trains."""

    engine: Engine
    tools: Callable[[Question | None], ToolCalls]
    """A fresh session for one episode, which answers this question."""
    train: Callable[[Train], Generator[Event, Any, Adapter]]
    """Yields what happens, and is sent whether a person wants it to end here and keep what it has."""
    close: Callable[[], None] = lambda: None
    """Ends what the tools keep running; called when the job ends."""

    def answers(self) -> Iterator[tuple[Ticket, Answer | ModelFailed]]:
        """Moves the engine on; what it has answered. Raises ModelFailed when it breaks, after what it said before."""
        answered: list[tuple[Ticket, Answer | ModelFailed]] = []
        broken: Exception | None = None
        try:
            for one in self.engine.step():
                answered.append(one)
        except Exception as error:  # boundary of the process: nobody is left who could answer, whatever it is
            broken = error
        yield from answered
        if broken is not None:
            what = f"{type(broken).__name__}: {broken}"
            raise ModelFailed(f"the model broke off ({what}); every answer is kept: the run can be resumed") from broken


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
    """Replayed calls that the tool session has not seen. Before its first live call it recalls them: only tools that
    remember (Lookup needs the page that Retrieve opened) do them again, all others stay as they were left."""
    seconds: float = 0.0
    tokens: int = 0

    def send(self, answer: Any) -> Wish:
        """Send an answer into the script, or raise there that the model has no room for what it asked."""
        return self.script.throw(answer) if isinstance(answer, ContextFull) else self.script.send(answer)


@dataclass(slots=True)
class Outcomes:
    """How the units of one stage ended. Forks, and questions that a person put in, are none of the stage's own."""

    landed: set[str] = field(default_factory=set)
    """Units that are over and count as progress."""
    failures: Counter[str] = field(default_factory=Counter)
    """The stage's own units that went wrong, by reason; those that a person ended are left out."""
    successes: int = 0

    def check(self, stage: str) -> None:
        """Raises StageFailed when units failed and none succeeded."""
        if self.failures and not self.successes:
            total, ((why, count),) = self.failures.total(), self.failures.most_common(1)
            units = f"all {total} units" if total > 1 else "the only unit"
            often = "" if count == total else f", {count} of them"
            raise StageFailed(f"{stage}: {units} failed{often}: {why}")


def called(tools: ToolCalls, wish: Use, hide: Callable[[str], str]) -> Observation:
    """What a tool gives back, whatever it does."""
    try:
        return tools.call(wish.tool, wish.argument)
    except Exception as error:  # boundary of a unit: a tool that fails is an observation
        return Observation(hide(f"{wish.tool} failed: {str(error) or type(error).__name__}"), failed=True)


def round_ms(value: float) -> float:
    """Three digits after the point: enough for a person, short in the log."""
    return round(value, 3)
