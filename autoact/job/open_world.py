"""Opens the world of a run: loads the model, indexes the corpus, and opens the tools."""

from __future__ import annotations

import sys
from pathlib import Path

from autoact.environment import Environments
from autoact.job.pipeline import Pipeline
from autoact.model.engine import Engine
from autoact.model.server.author import open_author
from autoact.project.config import Config
from autoact.project.project import Project
from autoact.registry.engines import ENGINES, EngineKind
from autoact.registry.environments import ENVIRONMENTS
from autoact.registry.registry import load_object
from autoact.run.conductor.world import World
from autoact.run.record.folder import RunFolder
from autoact.security import trust
from autoact.threads import describe_threads


def open_world(config: Config, project: Project, folder: RunFolder) -> Pipeline:
    """Returns the pipeline of a run. Raises NotTrusted, BadInput, BadProject and UnknownModel."""
    trust.require_start(folder.path)
    kind = ENGINES.get(config.model.engine)
    inputs, environments = load_object(ENVIRONMENTS.get(config.task.environment).open)(config, project)
    print(f"threads: {describe_threads()}", file=sys.stderr, flush=True)
    engine = load_object(kind.engine)(config)
    return Pipeline(config, inputs, _make_world(config, engine, kind, environments, folder.path), folder.path)


def _make_world(config: Config, engine: Engine, kind: EngineKind, environments: Environments, root: Path) -> World:
    """Returns the world with the trainer of the engine, or with one that trains in jobs. Raises BadInput."""
    settings = config.differentiation
    if settings.executor == "here":
        trainer = load_object(kind.trainer)(engine, settings, seed=config.model.seed, root=root)
        return World(open_author(config, engine), trainer, environments)
    from autoact.training.jobs import JobTrainer

    jobs = JobTrainer(config, cluster=settings.executor, root=root)
    world = World(open_author(config, engine), jobs, environments)
    world.closing.callback(jobs.close)
    return world
