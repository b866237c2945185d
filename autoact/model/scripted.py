"""The scripted engine: answers from a function or a list. For tests; what a person runs uses a real model."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from autoact.errors import ModelFailed
from autoact.model.engine import Ticket
from autoact.script import Answer, Ask


class ScriptedEngine:
    """Engine whose answers are known beforehand. `asked` keeps every ask it was given."""

    name = "scripted"

    def __init__(self, answers: Callable[[Ask], str] | Iterable[str], lanes: int = 4):
        self.lanes = lanes
        self.asked: list[tuple[Ticket, Ask]] = []
        self.waiting: deque[tuple[Ticket, Ask]] = deque()
        self.adapters: dict[str, Path] = {}
        self._answer = answers if callable(answers) else self._from_list(iter(answers))

    @staticmethod
    def _from_list(answers: Iterator[str]) -> Callable[[Ask], str]:
        def following(ask: Ask) -> str:
            try:
                return next(answers)
            except StopIteration as error:
                raise ModelFailed("the scripted answers are used up") from error

        return following

    def submit(self, ticket: Ticket, ask: Ask, seed: int) -> None:
        """Queue an ask."""
        self.asked.append((ticket, ask))
        self.waiting.append((ticket, ask))

    def step(self) -> Iterator[tuple[Ticket, Answer]]:
        """Answer everything that waits. Raises ModelFailed when the list is used up."""
        while self.waiting:
            ticket, ask = self.waiting.popleft()
            yield ticket, Answer(self._answer(ask), prompt_tokens=1, prefilled=1)

    def partial(self) -> Iterator[tuple[Ticket, str, str]]:
        """Nobody hears it think."""
        return iter(())

    def withdraw(self, unit: str) -> None:
        """Drop the asks of a unit."""
        self.waiting = deque((ticket, ask) for ticket, ask in self.waiting if ticket.unit != unit)

    def forget(self, unit: str) -> None:
        """Nothing is kept."""

    def adapt(self, adapters: Mapping[str, Path]) -> None:
        """Remember which adapters were loaded."""
        self.adapters = dict(adapters)
