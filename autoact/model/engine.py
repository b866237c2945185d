"""The Engine protocol: many scripts' asks go in, answers come out one token step at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from autoact.errors import ModelFailed
from autoact.script import Answer, Ask


class Ticket(NamedTuple):
    """Which question of which unit an ask is: answer `n` of `unit`."""

    unit: str
    n: int


class Engine(Protocol):
    """A model that answers asks. One thread uses it."""

    name: str
    """What a person calls it: model, device, precision."""
    lanes: int
    """Most episodes worth having in flight at once."""

    def submit(self, ticket: Ticket, ask: Ask, seed: int) -> None:
        """Queue an ask. The same ask, seed and weights give the same answer whatever else is in the batch."""

    def step(self) -> Iterator[tuple[Ticket, Answer | ModelFailed]]:
        """Move the running batch on by a forward pass; asks join and leave here. Yields the answers that are complete.

        Between two steps the job obeys commands, so a step is short: long prompts take several.

        An ask that cannot be answered, or not in time, gives ModelFailed: its unit fails and the others go on. What
        is raised ends the run, until it is resumed; what was yielded before is kept.
        """

    def partial(self) -> Iterator[tuple[Ticket, str, str]]:
        """The asks that are being answered: ticket, part, and the text so far."""

    def withdraw(self, unit: str) -> None:
        """Drop the ask of a unit: no answer comes."""

    def forget(self, unit: str) -> None:
        """The unit asks no more: its caches may be reused."""

    def adapt(self, adapters: Mapping[str, Path]) -> None:
        """Loads adapters from LoRA folders, by name; asks of these adapters may follow."""
