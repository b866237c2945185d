"""F2: a training killed at any step, and anywhere inside a save, ends with the losses and adapters of one that was not.

As a script, `python test_kill_training.py MODEL SEED KILLS`, it is the parent of the jobs and prints its findings.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

SETTINGS = {
    "differentiation.save_every": "3", "differentiation.epochs": "8", "differentiation.batch": "1",
    "differentiation.dropout": "0.1", "differentiation.rank": "4", "synthesis.demonstrations": "0",
}  # fmt: skip
TOUCHING = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree")


Rounds = Callable[[int, int], int]
Tell = Callable[[str, int, dict[str, float | str]], None]


def test_killed_anywhere(
    rounds: Rounds, part: tuple[int, int], seed: int, tiny: Path, tmp_path: Path, tell: Tell
) -> None:
    kills = rounds(4, 100 // part[1])
    own = {
        "XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    command = [sys.executable, "-W", "ignore", __file__, str(tiny), str(seed), str(kills)]
    found = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    findings = json.loads(found.stdout)
    counts = {name: findings[name] for name in ("of these inside a save", "trainings", "steps", "of these repeated")}
    tell("F2 a training killed", kills, counts | {"differences": len(findings["differences"])})
    assert findings["kills"] == kills
    assert findings["steps"] > 20
    assert findings["differences"] == []


def main(root: Path, model: str, seed: int, kills: int) -> dict[str, Any]:
    """Trainings one after another, each killed until it comes to its end, until there were so many kills."""
    import torch
    from capitals import Hall, make_project, prepared, speak
    from nursery import fork, grown, outlived, size

    from autoact.job.job import Job
    from autoact.model.scripted import ScriptedEngine
    from autoact.model.store import load_model
    from autoact.registry.stages import pipeline
    from autoact.training import trainer  # noqa: F401 - so that the children need not

    torch.set_num_threads(1)
    weights = load_model(model, "cpu", "float32")
    draw, project = random.Random(seed), make_project(root / "project")
    lessons = prepared(project, pipeline()[:4], SETTINGS)
    assert outlived(fork(lambda: Job(lessons, Hall(lambda folder: ScriptedEngine(speak)).open).run()))

    def fresh() -> Any:
        folder = prepared(project, pipeline()[:5], SETTINGS)
        folder.events.write_bytes(lessons.events.read_bytes())
        return folder

    findings, clean, touches = Findings(), fresh(), root / "touches"
    before = size(clean.events)
    assert outlived(fork(partial(life, clean, weights, 0, touches)))
    written, saves = size(clean.events) - before, int(touches.read_text())
    while findings.kills < kills:
        folder = fresh()
        while True:
            inside = findings.kills % 2 == 1 and findings.kills < kills
            soon = grown(folder.events, draw.uniform(0, written), draw.uniform(0, 0.05))
            due = None if inside or findings.kills == kills else soon
            findings.expect(folder)
            if outlived(fork(partial(life, folder, weights, draw.randint(1, saves) if inside else 0)), due):
                break
            findings.kills += 1
            findings.inside += inside
            findings.check(folder)
        findings.check(folder)
        findings.compare(folder, clean)
    return findings.told()


def life(folder: Any, weights: Any, deadly: int, count: Path | None = None) -> None:
    """One job. It dies of its own hand when it touches a file of a save for the `deadly`-th time, 0 for never."""
    import msgspec
    from capitals import Hall

    from autoact.job.job import Job
    from autoact.model.local import LocalEngine
    from autoact.project.config import Config
    from autoact.training.trainer import LocalTrainer

    touched = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal touched
        if event in TOUCHING and ("checkpoints" in str(arguments[0]) or "adapters" in str(arguments[0])):
            touched += 1
            if touched == deadly:
                tear(Path(str(arguments[0])))
                os.kill(os.getpid(), signal.SIGKILL)

    config = msgspec.convert(folder.read_config(), Config)
    engine = LocalEngine(weights, 4)
    trainer = LocalTrainer(engine, config.differentiation, seed=config.model.seed, root=folder.path)
    hall = Hall(lambda folder: engine, lambda folder: trainer.train)
    sys.addaudithook(watch)
    assert Job(folder, hall.open).run() == "finished"
    if count:
        count.write_text(str(touched))


def tear(path: Path) -> None:
    """What a death in the middle of a write leaves: a part of a file that was not in its place yet."""
    state = path.with_name("state.safetensors")
    if path.name == "manifest" and path.parent.name == ".part":
        os.truncate(state, random.randrange(state.stat().st_size))


def whole(folder: Any) -> dict[str, int]:
    """The newest whole checkpoint of each role, by its manifest."""
    from autoact.files import disk

    return {
        path.parents[1].name: int(path.parent.name.removeprefix("step-"))
        for path in sorted(folder.checkpoints.glob("*/step-*/manifest"))
        if disk.sha256(path.with_name("state.safetensors")) == path.read_text()
    }


def trained(folder: Any, start: int = 0) -> list[Any]:
    """Every optimiser step that the log tells of, from a sequence number on."""
    from autoact.run.record.log import read

    return [record.event for record in read(folder.events) if record.type == "train.stepped" and record.seq >= start]


class Findings:
    """What was seen of all trainings."""

    def __init__(self) -> None:
        self.kills = self.inside = self.runs = self.steps = self.repeated = 0
        self.expected: dict[str, int] = {}
        self.start = 0
        self.differences: list[str] = []

    def expect(self, folder: Any) -> None:
        """A life begins."""
        from autoact.run.record.log import scan

        self.start, self.expected = scan(folder.events).next_seq, whole(folder)

    def check(self, folder: Any) -> None:
        """A life is over: each role went on from the newest whole checkpoint that it found."""
        first: dict[str, int] = {}
        for step in trained(folder, self.start):
            first.setdefault(step.role, step.step)
        for role, step in first.items():
            if step != self.expected.get(role, 0):
                self.differences.append(f"{role} went on from {step}, not from {self.expected.get(role, 0)}")

    def compare(self, folder: Any, clean: Any) -> None:
        """A training came to its end."""
        from autoact.files import disk

        self.runs += 1
        curves = [{(step.role, step.step): step.loss.hex() for step in trained(one)} for one in (folder, clean)]
        for step in trained(folder):
            self.steps += 1
            if curves[1][step.role, step.step] != step.loss.hex():
                self.differences.append(f"{folder.name}: {step.role} {step.step} lost {step.loss}")
        self.repeated += len(trained(folder)) - len(curves[0])
        if curves[0].keys() != curves[1].keys():
            self.differences.append(f"{folder.name}: steps are missing")
        for weights in clean.adapters.glob("*/adapter_model.safetensors"):
            if disk.sha256(weights) != disk.sha256(folder.path / weights.relative_to(clean.path)):
                self.differences.append(f"{folder.name}: the {weights.parent.name}-adapter differs")
        if list(folder.path.rglob(".part")) or len(list(folder.adapters.iterdir())) != 3:
            self.differences.append(f"{folder.name}: {sorted(path.name for path in folder.path.rglob('*'))}")

    def told(self) -> dict[str, Any]:
        """For the test, and for a person."""
        return {
            "kills": self.kills, "of these inside a save": self.inside, "trainings": self.runs, "steps": self.steps,
            "of these repeated": self.repeated, "differences": self.differences[:5],
        }  # fmt: skip


if __name__ == "__main__":
    memory = Path("/dev/shm")  # what a killed process wrote is there for the next one, flushed or not
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        print(json.dumps(main(Path(folder), sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
