"""A training as the conductor carries it out: step by step, so that a person can pause, end or skip it."""

from __future__ import annotations

from collections.abc import Generator

from autoact.errors import DiskFull
from autoact.events import Event
from autoact.run.conductor.steering import Steering
from autoact.run.conductor.world import Trainer
from autoact.script import Train
from autoact.trajectory import Adapter


def train(trainer: Trainer, steering: Steering, unit: str, wish: Train) -> Adapter:
    """Trains an adapter. A checkpoint that finds no room pauses the training, which goes on from the one before.

    Raises UnitSkipped and Cancelled when a person wants that, and whatever the trainer raises.
    """
    while True:
        try:
            return _steps(trainer.train(wish), steering, unit)
        except DiskFull as error:
            steering.journal.pause_for_room(str(error))


def _steps(training: Generator[Event, bool | None, Adapter], steering: Steering, unit: str) -> Adapter:
    enough: bool | None = None
    try:
        if steering.holds(unit):
            steering.between_steps(unit)
        while True:
            steering.journal.append_once(training.send(enough))  # steps may repeat, what they learn from is logged once
            steering.units.beat()
            steering.between_steps(unit)
            enough = unit in steering.finishing
    except StopIteration as end:
        adapter: Adapter = end.value
        return adapter
    finally:
        training.close()
