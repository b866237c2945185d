"""A training in processes of its own: from a folder, and by several that share the work."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from autoact.errors import ModelFailed
from autoact.events import AdapterReady, Event, TrainStepped
from autoact.files import disk
from autoact.model.local import LocalEngine
from autoact.model.store import Weights
from autoact.project.config import Differentiation, Model
from autoact.registry.roles import ROLES
from autoact.run.record import event_json
from autoact.script import Card, Lesson, Train
from autoact.training import request, worker
from autoact.training.trainer import LocalTrainer
from autoact.trajectory import FINISH, Adapter, Question, Step, Tool, Trajectory

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

CARD = Card("Answer questions.", (Tool("Retrieve", "Reads a page.", "Retrieve[Fidelio]"),))
LONG = "Fidelio is an opera by Beethoven. " * 12  # so long that a step has a pass for each trajectory
STEPS = (Step("I look.", "Retrieve", "Fidelio", LONG), Step("It says so.", FINISH, "Beethoven"))
LESSONS = tuple(
    Lesson(Trajectory(f"t-{number}", Question(f"q-{number}", text, "Beethoven"), STEPS), ROLES.get("plan").parts)
    for number, text in enumerate(("Who wrote Fidelio?", "Whose opera is Fidelio?", "Fidelio is by whom?"))
)
TRAIN = Train("plan", LESSONS, CARD)
SETTINGS = Differentiation(epochs=2, batch=2, learning_rate=0.01, save_every=2)


def finish(running: Generator[Event, bool | None, Adapter]) -> tuple[list[float], Adapter]:
    losses: list[float] = []
    while True:
        try:
            event = next(running)
        except StopIteration as end:
            return losses, end.value
        if isinstance(event, TrainStepped):
            losses.append(event.loss)


def write_request(tiny: Path, folder: Path, train: Train = TRAIN) -> Path:
    folder.mkdir()
    model = Model(str(tiny), "cpu", "float32")
    request.write_request(folder, worker.Request(train, SETTINGS, model, 7, str(folder / "root")))
    return folder


def worker_processes() -> list[str]:
    """Returns the command lines of workers that several processes share."""
    lines = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]  # without those that end
    return [line for line in lines if worker.FOLLOW in line and "autoact.training.worker" in line]


def run_worker(folder: Path) -> int:
    """In a process of its own, as a scheduler would start it."""
    return subprocess.run([sys.executable, "-m", "autoact.training.worker", str(folder)], check=False).returncode


def test_a_folder_is_trained_to_the_same_bytes_as_in_a_job(weights: Weights, tiny: Path, tmp_path: Path) -> None:
    losses, adapter = finish(LocalTrainer(LocalEngine(weights, 2), SETTINGS, seed=7, root=tmp_path).train(TRAIN))
    folder = write_request(tiny, tmp_path / "request")
    assert run_worker(folder) == 0
    events = [event_json.decode(line) for line in (folder / worker.EVENTS).read_bytes().splitlines()]
    assert [event.loss for event in events if isinstance(event, TrainStepped)] == losses
    assert events[-1] == AdapterReady(adapter)
    assert disk.sha256(folder / "root" / adapter.path / "adapter_model.safetensors") == adapter.sha256


def test_a_folder_is_told_enough(tiny: Path, tmp_path: Path) -> None:
    folder = write_request(tiny, tmp_path / "request")
    (folder / worker.ENOUGH).touch()
    assert worker.main([str(folder)]) == 0
    events = [event_json.decode(line) for line in (folder / worker.EVENTS).read_bytes().splitlines()]
    assert sum(isinstance(event, TrainStepped) for event in events) == 1
    assert isinstance(events[-1], AdapterReady)


def test_a_folder_says_why_there_is_no_adapter(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_request(tiny, tmp_path / "request", Train("plan", (), CARD))
    assert worker.main([str(folder)]) == 1
    assert "nothing to learn from" in capsys.readouterr().err
    assert b'"kind":"ModelFailed"' in (folder / worker.FAILURE).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lora", "alora"])
def test_two_processes_have_the_losses_of_one(weights: Weights, tmp_path: Path, kind: str) -> None:
    settings = replace(SETTINGS, adapter=kind)
    one, _ = finish(LocalTrainer(LocalEngine(weights, 2), settings, seed=7, root=tmp_path / "one").train(TRAIN))
    trainer = LocalTrainer(LocalEngine(weights, 2), replace(settings, processes=2), seed=7, root=tmp_path / "two")
    running = trainer.train(TRAIN)
    begun = [next(running) for _ in range(5)]  # the examples, two steps, a checkpoint and a step that is lost
    running.close()
    limit = time.monotonic() + 30
    while worker_processes():
        assert time.monotonic() < limit, "processes outlive a training that was closed"
        time.sleep(0.05)
    two, adapter = finish(trainer.train(TRAIN))
    assert one == pytest.approx([event.loss for event in begun[1:3] if isinstance(event, TrainStepped)] + two, rel=1e-5)
    assert disk.sha256(tmp_path / "two" / adapter.path / "adapter_model.safetensors") == adapter.sha256


@pytest.mark.slow
def test_processes_say_why_there_is_no_adapter(weights: Weights, tmp_path: Path) -> None:
    trainer = LocalTrainer(LocalEngine(weights, 2), replace(SETTINGS, processes=2), seed=7, root=tmp_path)
    with pytest.raises(ModelFailed, match="the adapter `plan` has nothing to learn from"):
        finish(trainer.train(Train("plan", (), CARD)))
