"""A unit that has begun and not ended: its script, its environment, and its current request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from autoact.environment import Environment
from autoact.errors import ContextFull, StageFailed
from autoact.script import Answer, Commits, Observation, Request, Script, Unit, Use

FindUnit = Callable[[str], tuple[Unit, Commits] | None]
"""Returns the unit of a finished stage, by name; None when there is none."""
KnownUnit = tuple[Unit, int | None, Commits | None]
"""A unit that can be begun, its index in the round's results, and the function that makes the event of its result."""


@dataclass(slots=True)
class ActiveUnit:
    """A unit that is being played. A fork is one too, under its own name."""

    unit: Unit
    name: str
    script: Script
    environment: Environment
    index: int | None = None
    """Its index in the round's results; None for a fork."""
    commits: Commits | None = None
    n: int = 0
    """Number of the current request."""
    request: Request | None = None
    digest: str = ""
    """The digest of the current request."""
    held: Answer | Observation | None = None
    """The reply before `n`, already logged, that is held back from the script because a person paused the unit."""
    past: list[Use] = field(default_factory=list)
    """Calls that its environment has not made itself, and must recall: replayed, or made for another unit."""
    seconds: float = 0.0
    """Seconds that the model took for its answers."""
    tokens: int = 0
    """Prompt tokens encoded plus tokens generated."""

    def send(self, reply: object) -> Request:
        """Sends a reply (or throws ContextFull) into the script; returns its next request or raises StopIteration."""
        if isinstance(reply, Answer):
            self.seconds += reply.ms / 1000
            self.tokens += reply.prefilled + len(reply.tokens)
        return self.script.throw(reply) if isinstance(reply, ContextFull) else self.script.send(reply)


@dataclass(slots=True)
class Outcomes:
    """The outcomes of the units of one stage, without forks and questions that a person asked."""

    ended: set[str] = field(default_factory=set)
    """Names of the units that count as progress."""
    failures: Counter[str] = field(default_factory=Counter)
    """Numbers of failed units by reason, without those that a person ended."""
    successes: int = 0

    def check(self, stage: str) -> None:
        """Raises StageFailed when units failed and none succeeded."""
        if self.failures and not self.successes:
            total, ((why, count),) = self.failures.total(), self.failures.most_common(1)
            units = f"all {total} units" if total > 1 else "the only unit"
            often = "" if count == total else f", {count} of them"
            raise StageFailed(f"{stage}: {units} failed{often}: {why}")
