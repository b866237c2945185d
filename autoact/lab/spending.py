"""What the model's answers cost, by stage and role, beside the prompt tokens that had to be encoded at the least."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec import Struct

from autoact.events import ModelAnswered, UnitForked


class Cost(Struct, frozen=True):
    """What some answers cost together."""

    calls: int
    prompt_tokens: int
    """Of every prompt, counted anew at every call."""
    prefilled: int
    """Prompt tokens that were encoded; the rest came from caches."""
    decoded: int
    """Tokens generated."""
    distinct_prompt_tokens: int
    """For each unit and role, the longest prompt less what the same role had generated before it.

    What was generated entered the cache as it was decoded. All of it is subtracted, stop tokens and trimmed text
    included, so this is never too high.
    """
    prefill_ratio: float
    """Tokens encoded for each distinct one: 1 when nothing is encoded twice, below it where units share beginnings."""
    seconds: float
    """Summed over answers; those of one batch overlap."""


@dataclass(slots=True)
class Chain:
    """The asks of one role along one unit, whose prompts grow."""

    calls: int = 0
    prompt_tokens: int = 0
    prefilled: int = 0
    decoded: int = 0
    ms: float = 0.0
    longest: int = 0
    decoded_before: int = 0
    """Tokens this role had generated when its longest prompt was asked."""

    @property
    def distinct(self) -> int:
        return max(0, self.longest - self.decoded_before)

    def extend(self, answer: ModelAnswered) -> None:
        """Take the next answer in."""
        if answer.prompt_tokens > self.longest:
            self.longest, self.decoded_before = answer.prompt_tokens, self.decoded
        self.calls += 1
        self.prompt_tokens += answer.prompt_tokens
        self.prefilled += answer.prefilled
        self.decoded += len(answer.tokens)
        self.ms += answer.ms


class ForkCost(Struct, frozen=True):
    """What a fork cost: its replayed beginning, which should cost nothing, and what it asked by itself."""

    unit: str
    of: str
    at: int
    """Answers it replayed."""
    replayed: Cost
    live: Cost


@dataclass(slots=True)
class Spending:
    """Adds answers up, in the order of the log."""

    chains: dict[tuple[str, str, str, int], Chain] = field(default_factory=dict)
    """By stage, role, unit, and how often the unit was restarted: then its prompts are others."""
    restarts: Counter[str] = field(default_factory=Counter)
    forks: dict[str, tuple[UnitForked, Chain, Chain]] = field(default_factory=dict)
    """By the fork's name: what it is, what the answers it replays cost again, what the others cost."""

    def add(self, stage: str, answer: ModelAnswered) -> None:
        """Count one answer of a stage."""
        if answer.unit in self.forks:
            fork, replayed, live = self.forks[answer.unit]
            (replayed if answer.n < fork.at else live).extend(answer)
        key = (stage, answer.role, answer.unit, self.restarts[answer.unit])
        self.chains.setdefault(key, Chain()).extend(answer)

    def forked(self, fork: UnitForked) -> None:
        """A unit began as a copy of another."""
        self.forks[fork.unit] = fork, Chain(), Chain()

    def by_fork(self) -> list[ForkCost]:
        """Costs of every fork, in the order in which they were made."""
        return [
            ForkCost(fork.unit, fork.of, fork.at, total_cost([replayed]), total_cost([live]))
            for fork, replayed, live in self.forks.values()
        ]

    def restarted(self, unit: str) -> None:
        """What the unit asks from here on is not what it asked before."""
        self.restarts[unit] += 1

    def by_stage(self) -> dict[str, Cost]:
        """Costs by stage, in the order in which they ran; of answers outside any stage under the empty name."""
        stages: defaultdict[str, list[Chain]] = defaultdict(list)
        for (stage, *_), chain in self.chains.items():
            stages[stage].append(chain)
        return {stage: total_cost(chains) for stage, chains in stages.items()}

    def by_role(self) -> dict[str, dict[str, Cost]]:
        """Costs by stage, and within it by role."""
        stages: defaultdict[str, defaultdict[str, list[Chain]]] = defaultdict(lambda: defaultdict(list))
        for (stage, role, *_), chain in self.chains.items():
            stages[stage][role].append(chain)
        return {stage: {role: total_cost(chains) for role, chains in roles.items()} for stage, roles in stages.items()}


def total_cost(chains: Iterable[Chain]) -> Cost:
    """The cost of chains together."""
    chains = list(chains)
    prefilled, distinct = sum(chain.prefilled for chain in chains), sum(chain.distinct for chain in chains)
    return Cost(
        calls=sum(chain.calls for chain in chains),
        prompt_tokens=sum(chain.prompt_tokens for chain in chains),
        prefilled=prefilled,
        decoded=sum(chain.decoded for chain in chains),
        distinct_prompt_tokens=distinct,
        prefill_ratio=round(prefilled / distinct, 4) if distinct else 0.0,
        seconds=round(sum(chain.ms for chain in chains) / 1000, 3),
    )
