"""Token costs of answers by stage, role and fork, beside the prompt tokens that must be encoded at least."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec import Struct

from autoact.events import ModelAnswered, UnitForked


class Cost(Struct, frozen=True):
    """The total cost of some answers."""

    calls: int
    prompt_tokens: int
    """Summed over calls; what a prompt repeats is counted again."""
    prefilled: int
    """Prompt tokens that were encoded; caches held the rest."""
    decoded: int
    """Tokens generated."""
    distinct_prompt_tokens: int
    """Summed over units and roles: the longest prompt minus the tokens that the same role had generated before it.

    Generated tokens enter the cache when they are decoded. Stop tokens and trimmed text are subtracted too, so this is
    never too high.
    """
    prefill_ratio: float
    """`prefilled` / `distinct_prompt_tokens`: 1 when nothing is encoded twice, less when units share a prefix."""
    seconds: float
    """Summed over answers, although those of one batch overlap."""


@dataclass(slots=True)
class Chain:
    """The answers of one role in one unit; each prompt extends the one before."""

    calls: int = 0
    prompt_tokens: int = 0
    prefilled: int = 0
    decoded: int = 0
    ms: float = 0.0
    longest: int = 0
    decoded_before: int = 0
    """Tokens that the role had generated before its longest prompt."""

    @property
    def distinct(self) -> int:
        return max(0, self.longest - self.decoded_before)

    def extend(self, answer: ModelAnswered) -> None:
        """Adds the next answer."""
        if answer.prompt_tokens > self.longest:
            self.longest, self.decoded_before = answer.prompt_tokens, self.decoded
        self.calls += 1
        self.prompt_tokens += answer.prompt_tokens
        self.prefilled += answer.prefilled
        self.decoded += len(answer.tokens)
        self.ms += answer.ms


class ForkCost(Struct, frozen=True):
    """The cost of a fork: of its replayed answers, which should be 0, and of its own."""

    unit: str
    of: str
    at: int
    """The number of replayed answers."""
    replayed: Cost
    live: Cost


@dataclass(slots=True)
class Spending:
    """Adds up the costs of answers, in the order of the log."""

    chains: dict[tuple[str, str, str, int], Chain] = field(default_factory=dict)
    """By stage, role, unit, and number of restarts of the unit, after which its prompts differ."""
    restarts: Counter[str] = field(default_factory=Counter)
    forks: dict[str, tuple[UnitForked, Chain, Chain]] = field(default_factory=dict)
    """By the fork's name: its event, its replayed answers, its own answers."""

    def add(self, stage: str, answer: ModelAnswered) -> None:
        """Adds an answer of a stage."""
        if answer.unit in self.forks:
            fork, replayed, live = self.forks[answer.unit]
            (replayed if answer.n < fork.at else live).extend(answer)
        key = (stage, answer.role, answer.unit, self.restarts[answer.unit])
        self.chains.setdefault(key, Chain()).extend(answer)

    def add_fork(self, fork: UnitForked) -> None:
        """Adds a unit that begins as a copy of another."""
        self.forks[fork.unit] = fork, Chain(), Chain()

    def by_fork(self) -> list[ForkCost]:
        """Returns the cost of every fork, in the order of the log."""
        return [
            ForkCost(fork.unit, fork.of, fork.at, total_cost([replayed]), total_cost([live]))
            for fork, replayed, live in self.forks.values()
        ]

    def add_restart(self, unit: str) -> None:
        """Starts a new chain for the unit's next answers."""
        self.restarts[unit] += 1

    def by_stage(self) -> dict[str, Cost]:
        """Returns costs by stage, in the order of the log; answers outside any stage have the empty name."""
        stages: defaultdict[str, list[Chain]] = defaultdict(list)
        for (stage, *_), chain in self.chains.items():
            stages[stage].append(chain)
        return {stage: total_cost(chains) for stage, chains in stages.items()}

    def by_role(self) -> dict[str, dict[str, Cost]]:
        """Returns costs by stage and role."""
        stages: defaultdict[str, defaultdict[str, list[Chain]]] = defaultdict(lambda: defaultdict(list))
        for (stage, role, *_), chain in self.chains.items():
            stages[stage][role].append(chain)
        return {stage: {role: total_cost(chains) for role, chains in roles.items()} for stage, roles in stages.items()}


def total_cost(chains: Iterable[Chain]) -> Cost:
    """Returns the total cost of chains."""
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
