"""An engine from outside the package: it takes the first choice, and else repeats the question's last word."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from random import Random

from autoact.errors import ModelFailed
from autoact.events import Event, TrainStepped
from autoact.model.engine import Engine, Ticket
from autoact.project.config import Config, Differentiation
from autoact.registry.engines import ENGINES, EngineKind
from autoact.script import Answer, Ask, Train
from autoact.trajectory import Adapter


class Parrot:
    """Answers asks in the order in which they come."""

    name, lanes = "parrot", 4

    def __init__(self) -> None:
        self.waiting: list[tuple[Ticket, Ask]] = []

    def submit(self, ticket: Ticket, ask: Ask, seed: int) -> None:
        """Queues an ask."""
        self.waiting.append((ticket, ask))

    def step(self) -> Iterator[tuple[Ticket, Answer | ModelFailed]]:
        """Answers every ask that waits."""
        waiting, self.waiting = self.waiting, []
        for ticket, ask in waiting:
            word = ask.prompt.user.split()[-1].strip("?.")
            yield ticket, Answer(ask.choices[0] if ask.choices else f"{word}, said {len(ask.prompt.segments)} times")

    def partial(self) -> Iterator[tuple[Ticket, str, str]]:
        """Yields nothing: answers are never partial."""
        return iter(())

    def withdraw(self, unit: str) -> None:
        """Drops the asks of a unit."""
        self.waiting = [(ticket, ask) for ticket, ask in self.waiting if ticket.unit != unit]

    def forget(self, unit: str) -> None:
        """Keeps nothing."""

    def adapt(self, adapters: Mapping[str, Path]) -> None:
        """Has no use for adapters."""


class Dice(Parrot):
    """Draws a choice by the ask's seed."""

    name = "dice"

    def __init__(self) -> None:
        super().__init__()
        self.seeds: dict[Ticket, int] = {}

    def submit(self, ticket: Ticket, ask: Ask, seed: int) -> None:
        """Queues an ask."""
        super().submit(ticket, ask, seed)
        self.seeds[ticket] = seed

    def step(self) -> Iterator[tuple[Ticket, Answer | ModelFailed]]:
        """Answers every ask that waits."""
        choices = {ticket: ask.choices for ticket, ask in self.waiting if ask.choices}
        for ticket, answer in super().step():
            drawn = Random(self.seeds.pop(ticket))
            yield ticket, Answer(drawn.choice(choices[ticket])) if ticket in choices else answer


class Trainer:
    """Writes an adapter without weights."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def train(self, wish: Train) -> Generator[Event, bool | None, Adapter]:
        """Takes one step."""
        yield TrainStepped(wish.adapter, 0, 1, 0.5, 1e-3, 1.0, len(wish.lessons), 1.0)
        folder = self.root / "adapters" / wish.adapter
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "README.md").write_text(f"Learned from {len(wish.lessons)} lessons.\n")
        return Adapter(wish.adapter, f"adapters/{wish.adapter}", "00", len(wish.lessons), 0.5)

    def release(self) -> None:
        """Keeps nothing."""


def open_engine(config: Config) -> Parrot:
    """Opens the engine."""
    return Parrot()


def open_dice(config: Config) -> Dice:
    """Opens the engine that draws."""
    return Dice()


def open_trainer(engine: Engine, settings: Differentiation, *, seed: int, root: Path) -> Trainer:
    """Opens its trainer."""
    return Trainer(root)


ENGINES.add(EngineKind("parrot", "repeats what it reads", "toy_engine:open_engine", "toy_engine:open_trainer"))
ENGINES.add(EngineKind("dice", "draws its choices", "toy_engine:open_dice", "toy_engine:open_trainer"))
