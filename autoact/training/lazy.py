"""The trainer of engines that run no torch model: the base weights are here only while adapters are trained."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator
from pathlib import Path

import torch

from autoact.errors import BadInput
from autoact.events import Event
from autoact.model.engine import Engine
from autoact.model.local import LocalEngine
from autoact.model.memory import release_memory
from autoact.model.server.engine import ServerEngine
from autoact.model.store import Weights, load_model
from autoact.project.config import Differentiation, Model
from autoact.script import Train
from autoact.training.trainer import LocalTrainer
from autoact.trajectory import Adapter


class LazyTrainer:
    """Trains adapters on weights that it loads for the first one and frees when the stage has ended."""

    def __init__(
        self, model: Model, settings: Differentiation, *, seed: int, root: Path,
        check: Callable[[Weights], None] = lambda weights: None,
    ):  # fmt: skip
        """Takes the run folder as `root`, and `check`, which raises BadInput for weights that are not the engine's."""
        self.model, self.settings, self.seed, self.root, self.check = model, settings, seed, root, check
        self.trainer: LocalTrainer | None = None

    def train(self, request: Train) -> Generator[Event, bool | None, Adapter]:
        """Trains an adapter; see `Trainer` in autoact.run.conductor.world."""
        if self.trainer is None:
            weights = load_model(self.model.id, self.model.device, self.model.precision)
            self.check(weights)
            self.trainer = LocalTrainer(LocalEngine(weights, lanes=1), self.settings, seed=self.seed, root=self.root)
        return (yield from self.trainer.train(request))

    def release(self) -> None:
        """Frees the weights, also on their card."""
        if self.trainer is not None:
            self.trainer = None
            gc.collect()  # parts of a model refer to each other
            torch.cuda.empty_cache()
            release_memory()


def open_trainer(engine: Engine, settings: Differentiation, *, seed: int, root: Path) -> LazyTrainer:
    """Opens the trainer of an engine that names its base model. Raises BadInput for another engine."""
    base = getattr(engine, "base", None)
    if not isinstance(base, Model):
        raise BadInput(f"the engine {engine.name} names no weights that could be trained", key="model.engine")
    if isinstance(engine, ServerEngine):
        return LazyTrainer(base, settings, seed=seed, root=root, check=engine.comparison.check)
    return LazyTrainer(base, settings, seed=seed, root=root)
