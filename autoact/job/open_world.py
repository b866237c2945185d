"""Opening the world of a run: the model is loaded, the corpus indexed, the tools made ready."""

from __future__ import annotations

import sys

from autoact.job.inputs import open_inputs, open_library, read_asked
from autoact.job.pipeline import Pipeline
from autoact.model.local import LocalEngine
from autoact.model.store import load
from autoact.project.config import Config
from autoact.project.project import Project
from autoact.run.conductor.world import World
from autoact.run.record.folder import RunFolder
from autoact.script import Card
from autoact.security import trust
from autoact.threads import describe_threads
from autoact.training.trainer import Trainer


def open_world(config: Config, project: Project, folder: RunFolder) -> Pipeline:
    """The pipeline of a run over the local engine.

    Raises NotTrusted, BadProject and UnknownModel before anything slow.
    """
    trust.require_start(folder.path)
    asked = read_asked(config, project)
    shown = (example.question for example in project.examples())
    library, corpus = open_library(project, config.run.data, [*asked, *shown])
    inputs = open_inputs(config, project, library, corpus, asked)
    model = config.model
    print(f"threads: {describe_threads()}", file=sys.stderr, flush=True)
    engine = LocalEngine(load(model.id, model.device, model.precision), model.lanes)
    trainer = Trainer(
        engine, Card(config.task.description, inputs.ready), config.differentiation, seed=model.seed, root=folder.path
    )

    def teach(card: Card) -> None:
        trainer.card = card

    return Pipeline(config, inputs, World(engine, library.session, trainer.train, library.close), teach, folder.path)
