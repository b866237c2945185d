"""From a wish to an adapter the engine can wear."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from autoact.errors import ModelFailed
from autoact.events import CheckpointSaved, Event, ExamplesBuilt, TrainStepped
from autoact.files import disk
from autoact.model.engine import Ticket
from autoact.model.local import LocalEngine
from autoact.project.config import Differentiation
from autoact.registry.roles import ROLES
from autoact.run.archive.pack import check_adapter
from autoact.script import Ask, Card, Lesson, Prompt, Train
from autoact.training.trainer import LocalTrainer
from autoact.trajectory import FINISH, Adapter, Question, Step, Tool, Trajectory

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

CARD = Card("Answer questions.", (Tool("Retrieve", "Reads a page.", "Retrieve[Fidelio]"),))
STEPS = (Step("I look.", "Retrieve", "Fidelio", "By Beethoven."), Step("It says so.", FINISH, "Beethoven"))
LESSON = Lesson(Trajectory("t-1", Question("q-1", "Who wrote Fidelio?", "Beethoven"), STEPS), ROLES.get("tool").parts)


def trained(running: Generator[Event, None, Adapter]) -> tuple[list[Event], Adapter]:
    events: list[Event] = []
    while True:
        try:
            events.append(next(running))
        except StopIteration as end:
            return events, end.value


def trainer(engine: LocalEngine, root: Path) -> LocalTrainer:
    return LocalTrainer(engine, Differentiation(epochs=20, learning_rate=0.05), seed=7, root=root)


def said(engine: LocalEngine, role: Any) -> str:
    engine.submit(Ticket(role, 0), Ask(role, "argument", Prompt("", "Who?", ("Argument:",)), limit=6), 1)
    while True:
        for _, answer in engine.step():
            return answer.text


def test_an_adapter_comes_out_and_the_engine_goes_on(engine: LocalEngine, tmp_path: Path) -> None:
    before = said(engine, "meta")
    events, adapter = trained(trainer(engine, tmp_path).train(Train("tool", (LESSON,), CARD)))
    folder = tmp_path / adapter.path
    assert sum(isinstance(event, TrainStepped) for event in events) == 20
    (built,) = (event for event in events if isinstance(event, ExamplesBuilt))
    assert (built.role, built.trajectories) == ("tool", 1)
    assert built.spans == adapter.examples
    assert built.tokens == next(event.tokens for event in events if isinstance(event, TrainStepped))
    assert adapter.sha256 == disk.sha256(folder / "adapter_model.safetensors")
    assert adapter.examples == 2
    assert said(engine, "meta") == before
    engine.adapt({"tool": folder})
    assert said(engine, "tool") != before
    assert said(engine, "meta") == before


def test_the_folder_says_what_it_is_and_no_path_of_this_machine(engine: LocalEngine, tmp_path: Path) -> None:
    _, adapter = trained(trainer(engine, tmp_path).train(Train("tool", (LESSON,), CARD)))
    folder = tmp_path / adapter.path
    assert "tool-agent" in (folder / "README.md").read_text()
    check_adapter(folder / "adapter_config.json")
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny-llama"
    assert not [file for file in folder.iterdir() if str(engine.weights.folder).encode() in file.read_bytes()]


def test_the_folder_of_every_kind_may_be_imported(engine: LocalEngine, tmp_path: Path) -> None:
    modern = Differentiation(adapter="alora", targets=("all-linear",), rslora=True, rank=16, epochs=1)
    _, adapter = trained(LocalTrainer(engine, modern, seed=7, root=tmp_path).train(Train("tool", (LESSON,), CARD)))
    file = tmp_path / adapter.path / "adapter_config.json"
    check_adapter(file)
    config = json.loads(file.read_text())
    assert config["alora_invocation_tokens"] == list(engine.tokens.segment("Argument:"))
    assert set(config["target_modules"]) == {
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"
    }  # fmt: skip
    assert config["use_rslora"]


def test_an_adapter_is_whole_or_absent(engine: LocalEngine, tmp_path: Path) -> None:
    one, files = trainer(engine, tmp_path), ["README.md", "adapter_config.json", "adapter_model.safetensors"]
    running = one.train(Train("tool", (LESSON,), CARD))
    for event in running:
        assert not list((tmp_path / "adapters").glob("*"))
        if isinstance(event, CheckpointSaved):
            break
    (tmp_path / "adapters").write_text("a file where a folder has to be")
    with pytest.raises(OSError, match="adapters"):
        next(running)
    assert not engine.model.training
    (tmp_path / "adapters").unlink()
    _, adapter = trained(one.train(Train("tool", (LESSON,), CARD)))
    assert [path.name for path in (tmp_path / "adapters").iterdir()] == ["tool"]
    assert sorted(path.name for path in (tmp_path / adapter.path).iterdir()) == files


def test_the_loss_of_an_adapter_is_the_mean_over_the_tokens_of_its_last_epoch(
    engine: LocalEngine, tmp_path: Path
) -> None:
    longer = Lesson(replace(LESSON.trajectory, unit="t-2", steps=(STEPS[0], *STEPS)), ROLES.get("tool").parts)
    one = LocalTrainer(engine, Differentiation(epochs=2, batch=1, learning_rate=0.05), seed=7, root=tmp_path)
    events, adapter = trained(one.train(Train("tool", (LESSON, longer), CARD)))
    last = [event for event in events if isinstance(event, TrainStepped)][-2:]
    assert len({event.tokens for event in last}) == 2
    expected = sum(event.loss * event.tokens for event in last) / sum(event.tokens for event in last)
    assert adapter.loss == pytest.approx(expected)


def test_nothing_to_learn_from(engine: LocalEngine, tmp_path: Path) -> None:
    with pytest.raises(ModelFailed, match="the adapter `reflect` has nothing to learn from"):
        next(
            trainer(engine, tmp_path).train(
                Train("reflect", (Lesson(LESSON.trajectory, ROLES.get("reflect").parts),), CARD)
            )
        )


def test_a_training_that_is_stopped_gives_the_model_back(engine: LocalEngine, tmp_path: Path) -> None:
    before = said(engine, "meta")
    names = set(engine.model.state_dict())
    running = trainer(engine, tmp_path).train(Train("tool", (LESSON,), CARD))
    next(running)
    running.close()
    assert set(engine.model.state_dict()) == names
    assert not engine.model.training
    assert said(engine, "meta") == before
