"""What jobs on one machine leave each other: answering and training, torch's own thread settings beside ours.

Run: python tests/benchmarks/bench_threads.py [--rounds N] [--only WORD], with the embedded model. The two settings take
turns in every round; medians are shown. Where other programs run, compare figures of one run only, and mind the last
column. A round of everything takes two and a half minutes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from autoact.threads import available_cores, limit_spinning, usage

TORCH, OURS = "torch", "ours"
SETTLE, WINDOW = 6.0, 5.0
"""Seconds in which jobs come to know of each other, and those that are then counted."""
LANES = 8
PAGE = "Albert Einstein was a physicist who developed the theory of relativity. " * 20
LESSONS = 4

Work = Callable[[], int]
"""Goes on by one step of the engine or the training; the tokens it made or learned from."""


class Scene(NamedTuple):
    """Programs that run at the same time."""

    name: str
    work: str
    jobs: int
    busy: int = 0
    """Other programs, each of which keeps a core busy."""


SCENES = (
    Scene("answering, alone", "answer", 1),
    Scene("answering, two jobs", "answer", 2),
    Scene("answering, four jobs", "answer", 4),
    Scene("answering, beside a busy program", "answer", 1, busy=1),
    Scene("training, alone", "train", 1),
    Scene("training, two jobs", "train", 2),
)


class Counted(NamedTuple):
    """What a job did in one window."""

    tokens: int
    seconds: float
    cpu: float
    all: float
    """Processor time of all programs."""


# -- measuring -------------------------------------------------------------------------------------------------------


class Job:
    """A process that has the model loaded, and works when it is told to."""

    def __init__(self, work: str, setting: str):
        command = [sys.executable, __file__, "--job", work, setting]
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_", "MKL_"))}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=clean)

    def begin(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def counted(self) -> Counted:
        assert self.process.stdout
        return Counted(*json.loads(self.process.stdout.readline()))

    def end(self) -> None:
        self.process.communicate()


def measure(scene: Scene, jobs: list[Job]) -> list[Counted]:
    """One window of a scene."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(scene.busy)]
    for job in jobs:
        job.begin()
    found = [job.counted() for job in jobs]
    for program in busy:
        program.kill()
        program.wait()
    return found


def main(rounds: int, only: str) -> None:
    """Load the model in as many processes as are needed at once, then measure scene by scene."""
    chosen = [scene for scene in SCENES if only in scene.name]
    print(f"{'':34}{'setting':>9}{'tokens/s each':>15}{'together':>10}{'per CPU s':>11}{'others':>8}")
    for work in dict.fromkeys(scene.work for scene in chosen):
        scenes = [scene for scene in chosen if scene.work == work]
        most = max(scene.jobs for scene in scenes)
        jobs = {setting: [Job(work, setting) for _ in range(most)] for setting in (TORCH, OURS)}
        for job in itertools.chain(*jobs.values()):
            job.counted()  # it is ready
        windows: dict[tuple[Scene, str], list[list[Counted]]] = {}
        for number, scene in itertools.product(range(rounds), scenes):
            for setting in sorted(jobs, reverse=number % 2 == 0):
                windows.setdefault((scene, setting), []).append(measure(scene, jobs[setting][: scene.jobs]))
        for (scene, setting), found in windows.items():
            show(scene, setting, found)
        for job in itertools.chain(*jobs.values()):
            job.end()
    print(f"{len(available_cores())} cores, {rounds} rounds, load {' '.join(map(str, os.getloadavg()))}")


def show(scene: Scene, setting: str, windows: list[list[Counted]]) -> None:
    """A line of medians. Others: cores that programs which are no part of the scene used."""
    each = statistics.median(one.tokens / one.seconds for window in windows for one in window)
    together = statistics.median(sum(one.tokens / one.seconds for one in window) for window in windows)
    cpu = statistics.median(one.tokens / one.cpu for window in windows for one in window)
    others = statistics.median(
        (window[0].all - sum(one.cpu for one in window)) / window[0].seconds - scene.busy for window in windows
    )
    print(f"{scene.name:34}{setting:>9}{each:15.1f}{together:10.1f}{cpu:11.1f}{max(0.0, others):8.2f}", flush=True)


# -- a job -----------------------------------------------------------------------------------------------------------


def work(kind: str, setting: str) -> None:
    """Say when it is ready, then work and count whenever a line comes in."""
    if setting == OURS:
        limit_spinning()
    with tempfile.TemporaryDirectory() as folder:
        step = answering(setting) if kind == "answer" else training(Path(folder))
        for _ in range(3):
            step()
        print(json.dumps(Counted(0, 1.0, 1.0, 0.0)), flush=True)
        for _ in sys.stdin:
            count(step, SETTLE)
            print(json.dumps(count(step, WINDOW)), flush=True)


def count(step: Work, seconds: float) -> Counted:
    began, tokens = usage(), 0
    while time.monotonic() - began.at < seconds:
        tokens += step()
    ended = usage()
    return Counted(tokens, ended.at - began.at, ended.own - began.own, ended.all - began.all)


def answering(setting: str) -> Work:
    """Episodes in all lanes whose prompts grow; the tokens of a step are those generated."""
    from autoact.model import store
    from autoact.model.engine import Ticket
    from autoact.model.local import LocalEngine
    from autoact.script import Ask, Prompt, Sampling

    engine = LocalEngine(store.load_model(store.EMBEDDED), LANES)
    engine.threads.adapts &= setting == OURS
    asks: dict[str, Iterator[Ask]] = {}

    def episode(number: int) -> Iterator[Ask]:
        prompt = Prompt("Answer in steps.", f"Question {number}: {PAGE}", ("Thought:",))
        for _ in range(4):
            yield Ask("meta", "thought", prompt, stop=("\x00",), limit=32, least=31, sampling=Sampling(0.6, 0.95))
            prompt = prompt.then(" He was born in Ulm.\n", "Thought:")

    numbers = itertools.count()

    def submit(unit: str) -> None:
        ask = next(asks.get(unit, iter(())), None)
        if ask is None:
            engine.forget(unit)
            asks[unit] = episode(next(numbers))
            ask = next(asks[unit])
        engine.submit(Ticket(unit, 0), ask, next(numbers))

    for lane in range(LANES):
        submit(f"lane-{lane}")

    def step() -> int:
        for ticket, _ in list(engine.step()):
            submit(ticket.unit)
        return LANES

    return step


def training(folder: Path) -> Work:
    """One adapter without end; the tokens of a step are those that went through the model."""
    import torch

    from autoact.events import TrainStepped
    from autoact.model import store
    from autoact.project.config import Differentiation
    from autoact.training.lora import LoraTraining
    from autoact.training.loss import Sample
    from autoact.training.spans import Encoded, Span

    source = torch.Generator().manual_seed(1)
    spans = tuple(Span("plan", "thought", start, start + 20) for start in range(200, 380, 40))
    samples = [
        Sample(Encoded(tuple(torch.randint(1, 4000, (400,), generator=source).tolist()), spans), spans)
        for _ in range(LESSONS)
    ]
    settings = Differentiation(epochs=10**6, save_every=10**9)
    running = LoraTraining(store.load_model(store.EMBEDDED).model, "plan", samples, settings, seed=7, root=folder).run()

    def step() -> int:
        assert isinstance(next(running), TrainStepped)
        return settings.batch * len(samples[0].ids)

    return step


if __name__ == "__main__":
    if sys.argv[1:2] == ["--job"]:
        work(*sys.argv[2:])
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("--rounds", type=int, default=1)
        parser.add_argument("--only", default="", help="scenes whose names have this word")
        arguments = parser.parse_args()
        main(arguments.rounds, arguments.only)
