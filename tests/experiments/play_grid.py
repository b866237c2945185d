"""Plays the experiment in a folder with scripted jobs, in a process that a test can kill."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autoact.experiments.experiment import read_experiment
from autoact.experiments.progress import Grid
from autoact.experiments.queue import Queue
from autoact.project.project import Project
from autoact.run.process.launch import launch
from autoact.run.record.folder import RunFolder


def play(folder: str, *program: str, cards: Sequence[str] = ()) -> None:
    """Plays three runs at a time; `program` are the arguments of a job."""

    def start(run: RunFolder, cards: Sequence[str]) -> None:
        launch(run, program, {"CUDA_VISIBLE_DEVICES": ",".join(cards)})

    experiment = read_experiment(Path(folder))
    grid = Grid.of(Project.open(experiment.folder.parent.parent), experiment)
    Queue(grid, start, print, 3, cards).play()
