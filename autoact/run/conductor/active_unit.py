"""A unit that has begun and not ended: its script, its environment, and the wish that it waits for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from autoact.environment import Environment
from autoact.errors import ContextFull, StageFailed
from autoact.script import Answer, Commits, Observation, Request, Script, Unit, Use

FindUnit = Callable[[str], tuple[Unit, Commits] | None]
"""Finds the unit of a stage that is over by its name; None when there is none."""
KnownUnit = tuple[Unit, int | None, Commits | None]
"""A unit that can be begun, its place in the round's results, and what commits it."""


@dataclass(slots=True)
class ActiveUnit:
    """A unit at work. A fork is one too, under its own name."""

    unit: Unit
    name: str
    script: Script
    environment: Environment
    index: int | None = None
    """Its place in the round's results; a fork has none."""
    commits: Commits | None = None
    n: int = 0
    """Number of the wish that it waits for."""
    wish: Request | None = None
    digest: str = ""
    """Of that wish."""
    held: Answer | Observation | None = None
    """The reply before `n`, in the log already, that a person keeps from the script."""
    past: list[Use] = field(default_factory=list)
    """Calls that its environment has still to recall: replayed from the log, or made for another unit."""
    seconds: float = 0.0
    """Time that the model took for it."""
    tokens: int = 0
    """Prompt tokens encoded plus tokens generated."""

    def send(self, reply: Answer | Observation | ContextFull | object) -> Request:
        """Sends a reply into the script, or raises ContextFull there; returns its next wish, raises StopIteration."""
        if isinstance(reply, Answer):
            self.seconds += reply.ms / 1000
            self.tokens += reply.prefilled + len(reply.tokens)
        return self.script.throw(reply) if isinstance(reply, ContextFull) else self.script.send(reply)


@dataclass(slots=True)
class Outcomes:
    """How the units of one stage ended. Forks and questions that a person asked are not counted."""

    ended: set[str] = field(default_factory=set)
    """Units that count as progress."""
    failures: Counter[str] = field(default_factory=Counter)
    """Units that failed, by reason; those that a person ended are left out."""
    successes: int = 0

    def check(self, stage: str) -> None:
        """Raises StageFailed when units failed and none succeeded."""
        if self.failures and not self.successes:
            total, ((why, count),) = self.failures.total(), self.failures.most_common(1)
            units = f"all {total} units" if total > 1 else "the only unit"
            often = "" if count == total else f", {count} of them"
            raise StageFailed(f"{stage}: {units} failed{often}: {why}")
