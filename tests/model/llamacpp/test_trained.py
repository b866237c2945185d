"""An adapter that a run trains, with weights that are loaded for it alone, answers in the engine of llama.cpp."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")

from conformance import Reference, answer_one, make_ask, make_prompt

from autoact.errors import BadInput
from autoact.events import Event
from autoact.model.llamacpp.engine import LlamaEngine
from autoact.model.llamacpp.source import Source
from autoact.model.scripted import ScriptedEngine
from autoact.model.store import Weights
from autoact.project.config import Differentiation, Model
from autoact.registry.roles import ROLES
from autoact.script import Card, Lesson, Train
from autoact.training.lazy import open_trainer
from autoact.trajectory import FINISH, META, Adapter, Question, Step, Tool, Trajectory

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

CARD = Card("Answer questions.", (Tool("Retrieve", "Reads a page.", "Retrieve[Fidelio]"),))
STEPS = (Step("I look.", "Retrieve", "Fidelio", "By Beethoven."), Step("It says so.", FINISH, "Beethoven"))
LESSON = Lesson(Trajectory("t-1", Question("q-1", "Who wrote Fidelio?", "Beethoven"), STEPS), ROLES.get("tool").parts)


def finish(training: Generator[Event, bool | None, Adapter]) -> Adapter:
    """Returns what a training ends with."""
    while True:
        try:
            next(training)
        except StopIteration as end:
            adapter: Adapter = end.value
            return adapter


def test_a_trained_adapter_answers_as_with_peft(source: Source, weights: Weights, tiny: Path, tmp_path: Path) -> None:
    engine = LlamaEngine(source, 1, 1)
    engine.base = Model(id=str(tiny), device="cpu", precision="float32")
    settings = Differentiation(epochs=20, learning_rate=0.05)
    adapter = finish(open_trainer(engine, settings, seed=7, root=tmp_path).train(Train("tool", (LESSON,), CARD)))
    folder = tmp_path / adapter.path
    engine.adapt({"tool": folder})
    asks = {name: make_ask(make_prompt(), 8, name) for name in (META, "tool")}
    answers = {name: answer_one(engine, ask, name) for name, ask in asks.items()}
    Reference(weights, folder).check(asks["tool"], answers["tool"], 0.05)
    Reference(weights).check(asks[META], answers[META], 0.05)
    assert answers["tool"].tokens != answers[META].tokens
    engine.close()


def test_another_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="model.engine"):
        open_trainer(ScriptedEngine([]), Differentiation(), seed=1, root=tmp_path)
