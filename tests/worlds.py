"""Worlds made of functions, for runs that a test scripts."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

from autoact.events import Event
from autoact.model.engine import Engine
from autoact.run.conductor.world import World
from autoact.script import Train
from autoact.trajectory import Adapter, Question


class Begins:
    """Environments that a function begins; None for a run that calls no tool."""

    def __init__(self, begin: Callable[[Question | None], Any], close: Callable[[], None] = lambda: None) -> None:
        self.begin, self.close = begin, close


class Trains:
    """A trainer that a function is."""

    def __init__(self, train: Callable[[Train], Any]) -> None:
        self.train = train

    def release(self) -> None:
        """Keeps nothing."""


def untrained(wish: Train) -> Iterator[Any]:
    """Fails the test that trains."""
    raise AssertionError(f"nothing here trains {wish.adapter}")


def scripted_world(
    engine: Engine, begin: Callable[[Question | None], Any] = lambda question: None,
    train: Callable[[Train], Any] = untrained, close: Callable[[], None] = lambda: None,
) -> World:  # fmt: skip
    """Returns a world of these functions."""
    return World(engine, Trains(train), Begins(begin, close))


def end_training(running: Generator[Event | None, bool | None, Adapter]) -> Adapter:
    """Plays a training to its end and returns the adapter."""
    while True:
        try:
            next(running)
        except StopIteration as end:
            adapter: Adapter = end.value
            return adapter
