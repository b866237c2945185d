"""The world, which serves the requests of scripts: an engine, a trainer, and an environment for each unit."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Protocol

from autoact.environment import Environments
from autoact.errors import BadInput, ModelFailed
from autoact.events import Event
from autoact.model.engine import Engine, Ticket
from autoact.script import Answer, Train
from autoact.trajectory import Adapter


class Trainer(Protocol):
    """Trains adapters."""

    def train(self, request: Train) -> Generator[Event | None, bool | None, Adapter]:
        """Yields events and returns the adapter; when True is sent, ends after the current step.

        Yields None at times while it waits for another process. May begin with the requests beside it, and yield their
        events too.

        Raises ModelFailed when there is nothing to learn from, DiskFull when a checkpoint does not fit on the disk.
        """

    def release(self) -> None:
        """Frees what it keeps between adapters. Called when a stage has ended, also by an error. Raises ModelFailed."""


@dataclass(frozen=True, slots=True)
class World:
    """The engine, the trainer and the environments of a run."""

    engine: Engine
    trainer: Trainer
    environments: Environments
    closing: ExitStack = field(default_factory=ExitStack)
    """Ends what else the world has started."""

    def answers(self) -> Iterator[tuple[Ticket, Answer | ModelFailed]]:
        """Moves the engine on by one step and yields its complete answers.

        Raises ModelFailed when the engine fails, after the answers that it gave before; BadInput when a person must
        change a setting.
        """
        answered: list[tuple[Ticket, Answer | ModelFailed]] = []
        broken: Exception | None = None
        try:
            for one in self.engine.step():
                answered.append(one)
        except Exception as error:  # boundary of the process: the engine cannot answer any more
            broken = error
        yield from answered
        if isinstance(broken, BadInput):
            raise broken
        if broken is not None:
            what = f"{type(broken).__name__}: {broken}"
            raise ModelFailed(f"the model broke off ({what}); every answer is kept: the run can be resumed") from broken

    def close(self) -> None:
        """Closes the environments, and ends what else was started."""
        with self.closing:
            self.environments.close()
