"""Opens the world of a run: loads the model, indexes the corpus, and opens the tools."""

from __future__ import annotations

import sys
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

from autoact.environment import Environments
from autoact.errors import AutoActError
from autoact.events import Event
from autoact.job.digests import weight_digests
from autoact.job.pipeline import Pipeline
from autoact.model.engine import Engine
from autoact.model.server.author import open_author
from autoact.model.server.engine import ServerEngine
from autoact.project.config import Config
from autoact.project.project import Project
from autoact.registry.engines import ENGINES, EngineKind
from autoact.registry.environments import ENVIRONMENTS
from autoact.registry.registry import load_object
from autoact.registry.stages import DIFFERENTIATION
from autoact.run.conductor.world import Trainer, World
from autoact.run.record.folder import RunFolder
from autoact.script import Train
from autoact.security import trust
from autoact.threads import describe_threads
from autoact.trajectory import Adapter


def open_world(config: Config, project: Project, folder: RunFolder) -> Pipeline:
    """Returns the pipeline of a run. Raises NotTrusted, BadInput, BadProject and UnknownModel."""
    trust.require_start(folder.path)
    kind = ENGINES.get(config.model.engine)
    inputs, environments = load_object(ENVIRONMENTS.get(config.task.environment).open)(config, project)
    print(f"threads: {describe_threads()}", file=sys.stderr, flush=True)
    engine = load_object(kind.engine)(config)
    inputs = replace(inputs, digests={**inputs.digests, **weight_digests(config)})
    return Pipeline(config, inputs, _make_world(config, engine, kind, environments, folder.path), folder.path)


def _make_world(config: Config, engine: Engine, kind: EngineKind, environments: Environments, root: Path) -> World:
    """Returns the world with the trainer of the engine, or with one that trains in jobs. Raises BadInput."""
    settings = config.differentiation
    trainer: Trainer
    if DIFFERENTIATION not in config.run.stages:
        trainer = NoTrainer()
    elif settings.executor == "here":
        trainer = load_object(kind.trainer)(engine, settings, seed=config.model.seed, root=root)
    else:
        from autoact.training.jobs import JobTrainer

        trainer = JobTrainer(config, cluster=settings.executor, root=root)
    if config.server.sleep and isinstance(engine, ServerEngine):
        trainer = SleepTrainer(trainer, engine)
    world = World(open_author(config, engine), trainer, environments)
    world.closing.callback(trainer.release)
    return world


class NoTrainer:
    """Takes the place of a trainer, which needs PyTorch, in a run that trains nothing."""

    def train(self, request: Train) -> Generator[Event | None, bool | None, Adapter]:
        """Raises AutoActError."""
        raise AutoActError(f"{request.adapter}: this run has no stage that trains adapters")
        yield

    def release(self) -> None:
        """Does nothing."""


class SleepTrainer:
    """Trains while the engine's servers sleep: from the first adapter of a stage to the end of the stage."""

    def __init__(self, trainer: Trainer, engine: ServerEngine):
        self.trainer, self.engine = trainer, engine

    def train(self, request: Train) -> Generator[Event | None, bool | None, Adapter]:
        """Puts the servers to sleep and trains an adapter; see `Trainer`."""
        self.engine.sleep()
        return (yield from self.trainer.train(request))

    def release(self) -> None:
        """Frees the card, then wakes the servers. Raises ModelFailed."""
        self.trainer.release()
        self.engine.wake()
