"""A small project about capitals, a model that knows some of them, and the world of a run over both."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Generator
from datetime import datetime
from pathlib import Path

import msgspec

from autoact.events import Event, TrainStepped
from autoact.job.inputs import open_inputs, open_library
from autoact.job.pipeline import Pipeline
from autoact.model.engine import Engine
from autoact.project.config import Config, Plan
from autoact.project.project import Project
from autoact.run.record.folder import RunFolder, new_run
from autoact.script import Ask, Train
from autoact.security import trust
from autoact.trajectory import Adapter, Question

sys.path.insert(0, str(Path(__file__).parents[1]))  # jobs that tests start find it by this line

from worlds import scripted_world  # noqa: E402

from autoact.environment import Environment  # noqa: E402

CAPITALS = {
    "Peru": "Lima", "Ghana": "Accra", "Malta": "Valletta", "Bolivia": "Sucre", "Denmark": "Copenhagen",
    "Ecuador": "Quito", "Finland": "Helsinki", "Canada": "Ottawa",
}  # fmt: skip
SETTINGS = {
    "self_instruct.target": "4", "self_instruct.round": "4", "self_instruct.by_type": "false", "synthesis.samples": "3",
    "model.lanes": "4",
}  # fmt: skip

Sessions = Callable[[Question | None], Environment]
Training = Callable[[Train], Generator[Event, None, Adapter]]


def make_project(root: Path) -> Project:
    """A project folder with a corpus of one page a country."""
    (root / "corpus").mkdir(parents=True)
    (root / "questions").mkdir()
    (root / "project.toml").write_text('[task]\nname = "countries"\ndescription = "Answer questions."\n')
    (root / "examples.jsonl").write_text('{"question": "What is the capital of Peru?", "answer": "Lima"}\n')
    (root / "questions" / "heldout.jsonl").write_text(
        '{"id": "h-1", "question": "What is the capital of Ghana?", "answer": "Accra"}\n'
    )
    for name, capital in CAPITALS.items():
        (root / "corpus" / f"{name}.txt").write_text(f"{name} is a country. Its capital is {capital}.\n")
    trust.mark_trusted(root)
    return Project.open(root)


def prepared(project: Project, stages: tuple[str, ...], settings: dict[str, str] | None = None) -> RunFolder:
    """The folder of a run that is to play some stages."""
    config = project.config(changes=SETTINGS | (settings or {}))
    config = msgspec.structs.replace(config, run=Plan(stages=stages))
    return new_run(project.root, "run", msgspec.to_builtins(config), now=datetime(2026, 11, 22, 14, 30))


def speak(ask: Ask) -> str:
    """A model that is often right; what it says depends on what it is asked and on nothing else."""
    drawn = zlib.crc32(repr(ask.prompt).encode())
    if ask.choices:
        wanted = " Finish\n" if any("Observation:" in part for part in ask.prompt.segments) else " Retrieve\n"
        return wanted if wanted in ask.choices and drawn % 4 else ask.choices[drawn % len(ask.choices)]
    subject = next(name for name in CAPITALS if name in ask.prompt.user)
    if ask.part == "text":
        return f"What is the capital of {subject}?" if ask.prompt.segments[-1] == "Question:" else CAPITALS[subject]
    if ask.part == "argument":
        return CAPITALS[subject] if ask.prompt.segments[-2] == " Finish\n" and drawn % 5 else subject
    return f"The capital of {subject} is {CAPITALS[subject]}, I thought {drawn % 9} times."


def untrained(wish: Train) -> Generator[Event, None, Adapter]:
    """A trainer for runs that get as far, but are not about it."""
    yield TrainStepped(wish.adapter, 0, 1, 0.5, 1e-3, 1.0, len(wish.lessons), 1.0)
    return Adapter(wish.adapter, f"adapters/{wish.adapter}", "00", len(wish.lessons), 0.5)


class Hall:
    """Opens the world of a run around an engine, the project's own tools and a trainer."""

    def __init__(
        self, engine: Callable[[RunFolder], Engine], train: Callable[[RunFolder], Training] = lambda folder: untrained,
        tools: Callable[[Sessions], Sessions] = lambda session: session,
    ):  # fmt: skip
        self.engine, self.train, self.tools = engine, train, tools

    def open(self, config: Config, project: Project, folder: RunFolder) -> Pipeline:
        """What a Job wants."""
        library, corpus = open_library(project)
        inputs = open_inputs(config, project, library, corpus)
        world = scripted_world(self.engine(folder), self.tools(library.session), self.train(folder))
        return Pipeline(config, inputs, world, folder.path)
