"""The scripted engine, for tests: its answers come from a function or a list."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from autoact.errors import ModelFailed
from autoact.model.engine import Ticket
from autoact.script import Answer, Ask


class ScriptedEngine:
    """An engine with prepared answers. `asked` holds every ask that was submitted."""

    name = "scripted"

    def __init__(self, answers: Callable[[Ask], str] | Iterable[str], lanes: int = 4):
        self.lanes = lanes
        self.asked: list[tuple[Ticket, Ask]] = []
        self.waiting: deque[tuple[Ticket, Ask]] = deque()
        self.adapters: dict[str, Path] = {}
        self._answer = answers if callable(answers) else self._from_list(iter(answers))

    @staticmethod
    def _from_list(answers: Iterator[str]) -> Callable[[Ask], str]:
        def next_answer(ask: Ask) -> str:
            try:
                return next(answers)
            except StopIteration as error:
                raise ModelFailed("the scripted answers are used up") from error

        return next_answer

    def submit(self, ticket: Ticket, ask: Ask, seed: int) -> None:
        """Queues an ask."""
        self.asked.append((ticket, ask))
        self.waiting.append((ticket, ask))

    def step(self) -> Iterator[tuple[Ticket, Answer]]:
        """Answers all queued asks. Raises ModelFailed when the list is used up."""
        while self.waiting:
            ticket, ask = self.waiting.popleft()
            yield ticket, Answer(self._answer(ask), prompt_tokens=1, prefilled=1)

    def partial(self) -> Iterator[tuple[Ticket, str, str]]:
        """Yields nothing: answers are complete at once."""
        return iter(())

    def withdraw(self, unit: str) -> None:
        """Drops the asks of a unit."""
        self.waiting = deque((ticket, ask) for ticket, ask in self.waiting if ticket.unit != unit)

    def forget(self, unit: str) -> None:
        """Does nothing: there are no caches."""

    def adapt(self, adapters: Mapping[str, Path]) -> None:
        """Records the adapters."""
        self.adapters = dict(adapters)
