"""Adapters learn from failed tries, and answer with the prompt of the kept ones."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec
import pytest
import torch
from msgspec.structs import replace
from peft import LoraConfig, PeftModel, get_peft_model
from torch.nn import functional
from worlds import end_training

from autoact.events import CheckpointSaved
from autoact.model.local import LocalEngine
from autoact.project.config import Differentiation
from autoact.registry.roles import ROLES
from autoact.script import Card, Lesson, Train
from autoact.training.alora import BranchLoss, Trunks
from autoact.training.loss import PREFERENCE, Sample, SpanLoss, compared_tokens, odds_ratio_loss
from autoact.training.trainer import LocalTrainer
from autoact.trajectory import FINISH, REFLECT, Question, Step, Tool, Trajectory

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

CARD = Card("Answer questions.", (Tool("Retrieve", "Reads a page.", "Retrieve[Fidelio]"),))
LOOK = Step("I look.", "Retrieve", "Fidelio", "By Beethoven.")
QUESTION = Question("q-1", "Who wrote Fidelio?", "Beethoven")
KEPT = Trajectory("t-1", QUESTION, (LOOK, Step("It says so.", FINISH, "Beethoven")), reward=1.0)
WRONG = Trajectory("t-2", QUESTION, (LOOK, Step("It says so.", FINISH, "Mozart")))
JUDGED = Step("I see.", REFLECT, "right")
PARTS = ROLES.get("tool").parts
ACTED = (*ROLES.get("plan").parts, *PARTS)
ALL = (*ACTED, *ROLES.get("reflect").parts)
SETTINGS = Differentiation(epochs=40, batch=2, learning_rate=0.01, rank=16, targets=("all-linear",), dropout=0.0)


@torch.no_grad()
def likelihood(model: Any, sample: Sample) -> float:
    """Returns the mean log-likelihood of the last span's tokens: those of the answer."""
    span = sample.spans[-1]
    ids = torch.tensor([sample.ids])
    logits = model.eval()(input_ids=ids, use_cache=False).logits[0, span.start - 1 : span.end - 1]
    return -float(functional.cross_entropy(logits, ids[0, span.start : span.end]))


def encode(engine: LocalEngine, lesson: Lesson) -> Sample:
    return LocalTrainer(engine, SETTINGS, seed=7, root=Path())._sample(CARD, lesson)


def test_only_what_follows_the_common_beginning_is_compared(engine: LocalEngine) -> None:
    decode = engine.weights.tokenizer.decode
    judged = tuple(replace(one, steps=(*one.steps, JUDGED)) for one in (KEPT, WRONG))
    sample = encode(engine, Lesson(judged[0], ALL, against=Lesson(judged[1], ACTED)))
    assert sample.against is not None
    texts = []
    for one, compared in zip((sample, sample.against), compared_tokens(sample, sample.against), strict=True):
        ids = [token for span in one.spans for token in one.ids[span.start : span.end]]
        texts.append(decode([token for token, chosen in zip(ids, compared, strict=True) if chosen]))
    assert texts == ["Beethoven\n", "Mozart\n"]  # the space before is a token that both have
    assert sample.tokens == replace(sample, against=None).tokens
    assert sample.pass_tokens == len(sample.ids) + len(sample.against.ids)


def test_a_failed_try_in_which_no_token_with_loss_differs_is_left_out(engine: LocalEngine) -> None:
    parts = ROLES.get("plan").parts
    assert encode(engine, Lesson(KEPT, parts, against=Lesson(WRONG, parts))).against is None


@torch.no_grad()
def log_likelihoods(model: Any, sample: Sample) -> list[float]:
    """Those of all loss-bearing tokens, from a pass of the sample alone."""
    ids = torch.tensor([sample.ids])
    scores = model(input_ids=ids, use_cache=False).logits[0].log_softmax(-1)
    places = [at for span in sample.spans for at in range(span.start, span.end)]
    return [float(scores[at - 1, sample.ids[at]]) for at in places]


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("invocation", ["", "Argument:"])
def test_a_pair_has_the_loss_of_orpo(engine: LocalEngine, packed: bool, invocation: str) -> None:
    """For an activated adapter too: as long as B is zero, an adapter changes nothing."""
    sample = encode(engine, Lesson(KEPT, PARTS, against=Lesson(WRONG, PARTS)))
    assert sample.against is not None
    kept, failed = log_likelihoods(engine.model, sample), log_likelihoods(engine.model, sample.against)
    answers = [one.spans[-1].end - one.spans[-1].start - 1 for one in (sample, sample.against)]
    odds = []
    for values, length in zip((kept, failed), answers, strict=True):
        chance = math.exp(fmean(values[-length:]))  # the arguments before are equal, and so is the space
        odds.append(chance / (1 - chance))
    preference = math.log(1 + odds[1] / odds[0])  # is -log sigmoid(log(odds[0] / odds[1]))
    model = get_peft_model(engine.model, LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=["q_proj"]))
    tokens = engine.tokens.segment(invocation) if invocation else ()
    loss = BranchLoss(tokens, Trunks(), packed=packed) if tokens else SpanLoss(packed=packed)
    (one,) = loss.passes(model, [sample])
    assert one().item() == pytest.approx(-sum(kept) + PREFERENCE * len(kept) * preference, rel=1e-4)
    plain = loss.passes(model, [replace(sample, against=None)])
    assert sum(one().item() for one in plain) == pytest.approx(-sum(kept), rel=1e-4)


def test_the_preference_is_a_ratio_of_odds_not_of_probabilities() -> None:
    kept, failed = (torch.tensor(math.log(chance)) for chance in (0.5, 0.2))  # odds 1 and 1/4
    assert odds_ratio_loss(kept, failed).item() == pytest.approx(math.log(1 + 1 / 4))


def test_an_odds_ratio_of_certain_tokens_is_finite() -> None:
    certain, unlikely = torch.zeros((), requires_grad=True), torch.tensor(-9.0, requires_grad=True)
    for kept, failed in ((certain, unlikely), (unlikely, certain), (certain, certain)):
        loss = odds_ratio_loss(kept, failed)
        loss.backward()
        assert math.isfinite(loss.item())
    assert certain.grad is not None
    assert math.isfinite(certain.grad.item())


def answer_margin(model: Any, engine: LocalEngine) -> float:
    """Returns by how much the right answer's mean log-likelihood exceeds the wrong one's."""
    kept, failed = (encode(engine, Lesson(one, PARTS)) for one in (KEPT, WRONG))
    return likelihood(model, kept) - likelihood(model, failed)


@pytest.mark.parametrize("kind", ["lora", "alora"])
def test_a_failed_try_becomes_less_likely_than_the_kept_one(engine: LocalEngine, tmp_path: Path, kind: Any) -> None:
    margins = [answer_margin(engine.model, engine)]
    few = replace(SETTINGS, adapter=kind, epochs=8)
    for against in (None, Lesson(WRONG, PARTS)):
        root = tmp_path / str(len(margins))
        trainer = LocalTrainer(engine, few, seed=7, root=root)
        adapter = end_training(trainer.train(Train("tool", (Lesson(KEPT, PARTS, against=against),), CARD)))
        model = PeftModel.from_pretrained(engine.model, str(root / adapter.path))
        margins.append(answer_margin(model, engine))
        model.unload()
    assert margins[2] > margins[1] + 0.1
    assert margins[2] > margins[0]


@pytest.mark.parametrize("kind", ["lora", "alora"])
def test_a_stopped_training_with_failed_tries_goes_on_to_the_same_bytes(
    engine: LocalEngine, tmp_path: Path, kind: Any
) -> None:
    settings = replace(SETTINGS, adapter=kind, epochs=3, dropout=0.1, save_every=2)
    lesson = Lesson(KEPT, PARTS, against=Lesson(WRONG, PARTS))
    request = msgspec.json.decode(msgspec.json.encode(Train("tool", (lesson, Lesson(KEPT, PARTS)), CARD)), type=Train)
    whole = end_training(LocalTrainer(engine, settings, seed=7, root=tmp_path / "whole").train(request))
    running = LocalTrainer(engine, settings, seed=7, root=tmp_path / "stopped").train(request)
    while not isinstance(next(running), CheckpointSaved):
        pass
    running.close()
    torch.manual_seed(99)  # another process would have another random state
    assert end_training(LocalTrainer(engine, settings, seed=7, root=tmp_path / "stopped").train(request)) == whole
    alone = replace(request, lessons=(Lesson(KEPT, PARTS), Lesson(KEPT, PARTS)))
    assert (
        end_training(LocalTrainer(engine, settings, seed=7, root=tmp_path / "alone").train(alone)).sha256
        != whole.sha256
    )


@pytest.mark.parametrize("kind", ["lora", "alora"])
def test_the_prompt_decides_whether_the_failed_try_is_likelier(engine: LocalEngine, tmp_path: Path, kind: Any) -> None:
    trainer = LocalTrainer(engine, replace(SETTINGS, adapter=kind), seed=7, root=tmp_path)
    adapter = end_training(trainer.train(Train("tool", (Lesson(KEPT, PARTS), Lesson(WRONG, PARTS, failed=True)), CARD)))
    samples = {
        (one.unit, failed): trainer._sample(CARD, Lesson(one, PARTS, failed=failed))
        for one in (KEPT, WRONG)
        for failed in (False, True)
    }
    model = PeftModel.from_pretrained(engine.model, str(tmp_path / adapter.path))
    found = {name: likelihood(model, one) for name, one in samples.items()}
    assert found["t-1", False] > found["t-2", False] + 1
    assert found["t-2", True] > found["t-1", True] + 1
