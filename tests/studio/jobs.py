"""A small project, and a run of it as a real job writes one: its model says what is written here."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import msgspec
from worlds import scripted_world

from autoact.events import Event, TrainStepped
from autoact.job.inputs import open_inputs, open_library
from autoact.job.job import Job
from autoact.job.pipeline import Pipeline
from autoact.model.scripted import ScriptedEngine
from autoact.project.config import Config, Plan
from autoact.project.project import Project
from autoact.run.record.folder import RunFolder, to_toml
from autoact.script import Ask, Train
from autoact.security import trust
from autoact.trajectory import Adapter

CAPITALS = {"Peru": "Lima", "Ghana": "Accra", "Malta": "Valletta"}
STAGES = ("synthesis", "filtering", "differentiation", "group_planning")
STEPS = 6
"""Of each training."""
NAME = "2026-11-22T1430-run-cafe"


def countries(root: Path) -> Path:
    """A trusted project with three questions, a page for each, and one held-out question."""
    folder = root / "countries"
    (folder / "corpus").mkdir(parents=True)
    (folder / "questions").mkdir()
    (folder / "project.toml").write_text('[task]\nname = "Capitals"\ndescription = "Answer the question."\n')
    asked = [
        f'{{"id": "seed-{number}", "question": "What is the capital of {name}?", "answer": "{CAPITALS[name]}"}}\n'
        for number, name in enumerate(CAPITALS)
    ]
    (folder / "examples.jsonl").write_text("".join(asked))
    held_out = '{"id": "h-1", "question": "Where is Malta governed from?", "answer": "Valletta"}\n'
    (folder / "questions" / "heldout.jsonl").write_text(held_out)
    for name, capital in CAPITALS.items():
        (folder / "corpus" / f"{name}.txt").write_text(f"{name} is a country. Its capital is {capital}.\n")
    trust.mark_trusted(folder)
    return folder


def played(project: Path) -> RunFolder:
    """Plays all stages to their end, in this process."""
    config = Project.open(project).config(changes={"synthesis.samples": "1"})
    folder = RunFolder(project / "runs" / NAME)
    folder.path.mkdir(parents=True)
    trust.mark_trusted(folder.path)
    settings = msgspec.to_builtins(msgspec.structs.replace(config, run=Plan(stages=STAGES)))
    folder.config.write_text(to_toml(settings), encoding="utf-8")
    Job(folder, _open).run()
    return folder


def _open(config: Config, project: Project, folder: RunFolder) -> Pipeline:
    library, corpus = open_library(project)
    inputs = open_inputs(config, project, library, corpus)
    engine = ScriptedEngine(answer, lanes=1)  # one episode after another: they end in the order of their questions
    world = scripted_world(engine, library.session, _trainer(folder), library.close)
    return Pipeline(config, inputs, world, folder.path)


def answer(ask: Ask) -> str:
    """Reads one page and then knows the answer."""
    if ask.choices:
        wanted = " Finish\n" if any("Observation:" in part for part in ask.prompt.segments) else " Retrieve\n"
        return wanted if wanted in ask.choices else ask.choices[0]
    subject = next(name for name in CAPITALS if name in ask.prompt.user)
    if ask.part == "argument":
        return CAPITALS[subject] if ask.prompt.segments[-2] == " Finish\n" else subject
    return f"The capital of {subject} is {CAPITALS[subject]}."


def _trainer(folder: RunFolder) -> Callable[[Train], Generator[Event, bool | None, Adapter]]:
    def train(wish: Train) -> Generator[Event, bool | None, Adapter]:
        for step in range(STEPS):
            yield TrainStepped(wish.adapter, step, STEPS, 2.0 / (step + 1), 1e-3, 1.0, 40, 100.0)
        made = folder.adapters / wish.adapter
        made.mkdir(parents=True)
        (made / "adapter_model.safetensors").write_text(wish.adapter)
        return Adapter(wish.adapter, f"adapters/{wish.adapter}", "00", len(wish.lessons), 0.5)

    return train
