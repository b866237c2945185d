"""Runs a training step by step, so that a person can pause, finish or skip it."""

from __future__ import annotations

from collections.abc import Generator

from autoact.errors import DiskFull
from autoact.events import Event
from autoact.run.conductor.steering import Steering
from autoact.run.conductor.world import Trainer
from autoact.script import Train
from autoact.trajectory import Adapter


def train(trainer: Trainer, steering: Steering, unit: str, request: Train) -> Adapter:
    """Trains an adapter. A full disk pauses the training, which then continues from its last checkpoint.

    Raises UnitSkipped or Cancelled after a person's command, and the errors of the trainer.
    """
    while True:
        try:
            return _run_steps(trainer.train(request), steering, unit)
        except DiskFull as error:
            steering.journal.pause_for_room(str(error))


def _run_steps(training: Generator[Event | None, bool | None, Adapter], steering: Steering, unit: str) -> Adapter:
    enough: bool | None = None
    try:
        if steering.holds(unit):
            steering.wait_between_steps(unit)
        while True:
            event = training.send(enough)
            if (
                event is not None
            ):  # ExamplesBuilt is logged once; a step that comes again after a resume is logged again
                steering.journal.append_once(event)
            steering.units.beat("" if event is not None else f"the job of {unit}")
            steering.wait_between_steps(unit)
            enough = unit in steering.finishing
    except StopIteration as end:
        adapter: Adapter = end.value
        return adapter
    finally:
        training.close()
