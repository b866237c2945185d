"""A real job over a small project, whose model says what is written here, and only as much as a test lets it say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from autoact.config import Config, Plan
from autoact.events import Event, TrainStepped
from autoact.model.scripted import ScriptedEngine
from autoact.project import Project
from autoact.run.flight import World
from autoact.run.folder import RunFolder, toml
from autoact.run.inputs import open_inputs, open_library
from autoact.run.job import Job
from autoact.run.pipeline import Pipeline
from autoact.script import Ask, Train
from autoact.trajectory import Adapter

CAPITALS = {"Peru": "Lima", "Ghana": "Accra", "Malta": "Valletta"}
STAGES = ("synthesis", "filtering", "differentiation", "group_planning")
STEPS = 6
"""Of each training."""
NAME = "2026-11-22T1430-run-cafe"


def countries(root: Path) -> Path:
    """A project with three questions, a page for each, and one held-out question."""
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
    return folder


class ScriptedJob:
    """A job in a thread of this process; its model waits before each answer until it is allowed to give it."""

    def __init__(self, project: Path):
        self._turnstile = threading.Semaphore(0)
        self._open_for_good = threading.Event()
        self._project = project
        config = msgspec.structs.replace(
            Project.open(project).config(changes={"synthesis.samples": "1"}), run=Plan(stages=STAGES)
        )
        self.folder = RunFolder(project / "runs" / NAME)
        self.folder.path.mkdir(parents=True)
        self.folder.config.write_text(toml(msgspec.to_builtins(config)), encoding="utf-8")
        self._thread = threading.Thread(target=Job(self.folder, self._open).run, name="job")

    def start(self) -> None:
        self._thread.start()

    def allow(self, answers: int) -> None:
        """Let the model give so many more answers, or the trainer take so many more steps."""
        for _ in range(answers):
            self._turnstile.release()

    def finish(self) -> None:
        """Let it say all that is left."""
        self._open_for_good.set()
        self.allow(1)
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _wait(self) -> None:
        if not self._open_for_good.is_set():
            self._turnstile.acquire()

    def _answer(self, ask: Ask) -> str:
        self._wait()
        return speak(ask)

    def _open(self, config: Config, project: Project, folder: RunFolder) -> Pipeline:
        library, corpus = open_library(project)
        inputs = open_inputs(config, project, library, corpus)
        world = World(ScriptedEngine(self._answer), library.session, self._train(folder), library.close)
        return Pipeline(config, inputs, world, lambda card: None, folder.path)

    def _train(self, folder: RunFolder) -> Callable[[Train], Generator[Event, bool | None, Adapter]]:
        def train(wish: Train) -> Generator[Event, bool | None, Adapter]:
            for step in range(STEPS):
                self._wait()
                loss = 2.0 / (step + 1)
                if (yield TrainStepped(wish.role, step, STEPS, loss, 1e-3, 1.0, 40, 100.0)):
                    break
            made = folder.adapters / wish.role
            made.mkdir(parents=True)
            (made / "adapter_model.safetensors").write_text(wish.role)
            return Adapter(wish.role, f"adapters/{wish.role}", "00", len(wish.lessons), 0.5)

        return train


def speak(ask: Ask) -> str:
    """Reads one page and then knows the answer."""
    if ask.choices:
        wanted = " Finish\n" if any("Observation:" in part for part in ask.prompt.segments) else " Retrieve\n"
        return wanted if wanted in ask.choices else ask.choices[0]
    subject = next(name for name in CAPITALS if name in ask.prompt.user)
    if ask.part == "argument":
        return CAPITALS[subject] if ask.prompt.segments[-2] == " Finish\n" else subject
    return f"The capital of {subject} is {CAPITALS[subject]}."


@contextmanager
def at_work(project: Path) -> Iterator[ScriptedJob]:
    """A job that has begun; at the end it says all that is left."""
    job = ScriptedJob(project)
    job.start()
    try:
        yield job
    finally:
        job.finish()
