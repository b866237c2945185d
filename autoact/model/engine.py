"""The Engine protocol: accepts the asks of many scripts and answers them in one batch, one token at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from autoact.errors import ModelFailed
from autoact.script import Answer, Ask


class Ticket(NamedTuple):
    """Identifies an ask by its unit and the number `n` of its answer in that unit."""

    unit: str
    n: int


class Engine(Protocol):
    """A model that answers asks. One thread uses it."""

    name: str
    """Model, device and precision, for people to read."""
    lanes: int
    """Most episodes that are worth running at once."""

    def submit(self, ticket: Ticket, ask: Ask, seed: int) -> None:
        """Queues an ask. The same ask, seed and weights give the same answer, whatever else is in the batch."""

    def step(self) -> Iterator[tuple[Ticket, Answer | ModelFailed]]:
        """Runs one forward pass over the batch, in which asks join and leave. Yields the answers that are complete.

        A step is short, because the job obeys commands between two steps: long prompts take several.

        Yields ModelFailed for an ask that cannot be answered: its unit fails and the others continue. An error that is
        raised ends the run until it is resumed; answers yielded before it are kept.
        """

    def partial(self) -> Iterator[tuple[Ticket, str, str]]:
        """Yields the asks that are being answered: ticket, part, and the text so far."""

    def withdraw(self, unit: str) -> None:
        """Drops the ask of a unit; it gets no answer."""

    def forget(self, unit: str) -> None:
        """Releases the caches of a unit that asks no more."""

    def adapt(self, adapters: Mapping[str, Path]) -> None:
        """Loads adapters from LoRA folders, by name, so that they can answer asks."""
