"""Training for a run on servers: the base weights are here only while adapters are trained."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import pytest

from autoact.errors import BadInput, ModelFailed
from autoact.model import store
from autoact.model.scripted import ScriptedEngine
from autoact.project.config import Differentiation, Model
from autoact.registry.roles import ROLES
from autoact.script import Card, Lesson, Train
from autoact.training import lazy
from autoact.training.lazy import LazyTrainer, open_trainer
from autoact.trajectory import FINISH, Adapter, Question, Step, Tool, Trajectory

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

CARD = Card("Answer questions.", (Tool("Retrieve", "Reads a page.", "Retrieve[Fidelio]"),))
STEPS = (Step("I look.", "Retrieve", "Fidelio", "By Beethoven."), Step("It says so.", FINISH, "Beethoven"))
TRAJECTORY = Trajectory("t-1", Question("q-1", "Who wrote Fidelio?", "Beethoven"), STEPS)
LESSON, PLAN_LESSON = (Lesson(TRAJECTORY, ROLES.get(role).parts) for role in ("tool", "plan"))


def run(trainer: LazyTrainer, request: Train) -> Adapter:
    running = trainer.train(request)
    while True:
        try:
            next(running)
        except StopIteration as end:
            adapter: Adapter = end.value
            return adapter


def test_weights_are_loaded_once_for_all_adapters_and_freed_with_the_stage(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models: list[weakref.ref[Any]] = []

    def load(*how: Any) -> store.Weights:
        loaded = store.load_model(*how)
        models.append(weakref.ref(loaded.model))
        return loaded

    monkeypatch.setattr(lazy, "load_model", load)
    model = Model(id=str(tiny), device="cpu", precision="float32")
    trainer = LazyTrainer(model, Differentiation(epochs=1), seed=7, root=tmp_path)
    trainer.release()
    assert models == []
    adapter = run(trainer, Train("tool", (LESSON,), CARD))
    assert (tmp_path / adapter.path / "adapter_model.safetensors").exists()
    with pytest.raises(ModelFailed, match="nothing to learn from"):
        run(trainer, Train("reflect", (), CARD))
    run(trainer, Train("plan", (PLAN_LESSON,), CARD))
    assert len(models) == 1
    trainer.release()
    assert [model() for model in models] == [None]
    run(trainer, Train("tool", (LESSON,), CARD))
    assert len(models) == 2


def test_trunks_are_shared_by_adapters(tiny: Path, tmp_path: Path) -> None:
    model = Model(id=str(tiny), device="cpu", precision="float32")
    trainer = LazyTrainer(model, Differentiation(epochs=1, adapter="alora"), seed=7, root=tmp_path)
    run(trainer, Train("tool", (LESSON,), CARD))
    assert trainer.trainer is not None
    (trunk,) = trainer.trainer.trunks.kept.values()
    run(trainer, Train("plan", (PLAN_LESSON,), CARD))
    assert [kept is trunk for kept in trainer.trainer.trunks.kept.values()] == [True]


def test_another_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the engine scripted names no weights"):
        open_trainer(ScriptedEngine([]), Differentiation(), seed=1, root=tmp_path)
