"""Adapters learn from failed tries, and answer with the prompt of the kept ones."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import torch
from msgspec.structs import replace
from peft import PeftModel
from torch.nn import functional

from autoact.events import Event
from autoact.model.local import LocalEngine
from autoact.model.store import Weights
from autoact.project.config import Differentiation
from autoact.registry.roles import ROLES
from autoact.script import Card, Lesson, Train
from autoact.training.loss import Sample
from autoact.training.trainer import LocalTrainer
from autoact.trajectory import FINISH, Adapter, Question, Step, Tool, Trajectory

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

CARD = Card("Answer questions.", (Tool("Retrieve", "Reads a page.", "Retrieve[Fidelio]"),))
LOOK = Step("I look.", "Retrieve", "Fidelio", "By Beethoven.")
QUESTION = Question("q-1", "Who wrote Fidelio?", "Beethoven")
KEPT = Trajectory("t-1", QUESTION, (LOOK, Step("It says so.", FINISH, "Beethoven")), reward=1.0)
WRONG = Trajectory("t-2", QUESTION, (LOOK, Step("It says so.", FINISH, "Mozart")))
PARTS = ROLES.get("tool").parts
SETTINGS = Differentiation(epochs=40, batch=2, learning_rate=0.01, rank=16, targets=("all-linear",), dropout=0.0)


def finish(running: Generator[Event, bool | None, Adapter]) -> Adapter:
    while True:
        try:
            next(running)
        except StopIteration as end:
            adapter: Adapter = end.value
            return adapter


@pytest.fixture
def engine(weights: Weights) -> LocalEngine:
    return LocalEngine(weights, 2)


@torch.no_grad()
def likelihood(model: Any, sample: Sample) -> float:
    """Returns the mean log-likelihood of the last span's tokens: those of the answer."""
    span = sample.spans[-1]
    ids = torch.tensor([sample.ids])
    logits = model.eval()(input_ids=ids, use_cache=False).logits[0, span.start - 1 : span.end - 1]
    return -float(functional.cross_entropy(logits, ids[0, span.start : span.end]))


@pytest.mark.parametrize("kind", ["lora", "alora"])
def test_the_prompt_decides_whether_the_failed_try_is_likelier(engine: LocalEngine, tmp_path: Path, kind: Any) -> None:
    trainer = LocalTrainer(engine, replace(SETTINGS, adapter=kind), seed=7, root=tmp_path)
    adapter = finish(trainer.train(Train("tool", (Lesson(KEPT, PARTS), Lesson(WRONG, PARTS, failed=True)), CARD)))
    samples = {
        (one.unit, failed): trainer._sample(CARD, Lesson(one, PARTS, failed=failed))
        for one in (KEPT, WRONG)
        for failed in (False, True)
    }
    model = PeftModel.from_pretrained(engine.model, str(tmp_path / adapter.path))
    found = {name: likelihood(model, one) for name, one in samples.items()}
    assert found["t-1", False] > found["t-2", False] + 1
    assert found["t-2", True] > found["t-1", True] + 1
