"""One pass over a trajectory has the gradient of the published recipe's many samples."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor

from autoact import scratchpad
from autoact.lessons import PARTS
from autoact.model.store import Weights
from autoact.model.tokens import Tokens
from autoact.script import Card, Lesson
from autoact.training.lora import Sample, span_loss
from autoact.training.spans import Encoded, encode
from autoact.trajectory import FINISH, REFLECT, SUB_AGENTS, Question, Role, Step, Tool, Trajectory

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

CARD = Card("Answer questions.", (Tool("Retrieve", "Reads a page.", "Retrieve[Fidelio]"),))
TRAJECTORY = Trajectory(
    "t-1",
    Question("q-1", "Who wrote the opera Fidelio?", "Beethoven"),
    (
        Step("I should read the page.", "Retrieve", "Fidelio", "Fidelio is an opera by Beethoven – «1805»."),
        Step("I guess it was Mozart.", FINISH, "Mozart", scratchpad.REFLECT_NOW),
        Step("The page says another name.", REFLECT, "wrong", scratchpad.TRY_AGAIN),
        Step("It was Beethoven.", FINISH, "Beethoven", scratchpad.REFLECT_NOW),
        Step("The page says so.", REFLECT, "right"),
    ),
    "Beethoven",
    "right",
)
ALL = tuple(part for parts in PARTS.values() for part in parts)


SHORT = Trajectory(
    "t-2",
    Question("q-2", "Who wrote Fidelio?", "Beethoven"),
    (
        Step("I read.", "Retrieve", "Fidelio", "By Beethoven."),
        Step("It says so.", FINISH, "Beethoven", scratchpad.REFLECT_NOW),
        Step("True.", REFLECT, "right"),
    ),
)


def encoded(weights: Weights, trajectory: Trajectory = TRAJECTORY) -> Encoded:
    return encode(Lesson(trajectory, ALL), CARD, Tokens(weights.tokenizer))


def owned(weights: Weights, role: Role) -> list[str]:
    one = encoded(weights)
    return [weights.tokenizer.decode(one.ids[span.start : span.end]) for span in one.owned(role, PARTS[role])]


def test_every_word_has_the_owner_who_said_it(weights: Weights) -> None:
    assert owned(weights, "plan") == [
        " I should read the page.\n", " Retrieve\n", " I guess it was Mozart.\n", " Finish\n",
        " It was Beethoven.\n", " Finish\n",
    ]  # fmt: skip
    assert owned(weights, "tool") == [" Fidelio\n", " Mozart\n", " Beethoven\n"]
    assert owned(weights, "reflect") == [
        " The page says another name.\n", " wrong\n", " The page says so.\n", " right\n"
    ]  # fmt: skip


def test_training_sees_the_tokens_that_an_episode_asks_with(weights: Weights) -> None:
    tokens = Tokens(weights.tokenizer)
    prompt = scratchpad.opening(CARD, TRAJECTORY.question).then(
        *scratchpad.segments(scratchpad.pieces(TRAJECTORY.steps))
    )
    assert list(encoded(weights).ids) == tokens.prompt(prompt)


def lora(model: Any) -> Any:
    """An adapter without dropout whose B is not zero: at zero, A would have no gradient."""
    torch.manual_seed(3)
    peft = get_peft_model(
        model, LoraConfig(task_type="CAUSAL_LM", r=8, lora_dropout=0.0, target_modules=["q_proj", "v_proj"])
    )
    for name, weight in peft.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.02)
    return peft.train()


def gradient(model: Any) -> Tensor:
    """Of all adapter weights, as one vector; cleared afterwards."""
    parts = [weight.grad.double().flatten() for weight in model.parameters() if weight.grad is not None]
    model.zero_grad()
    return torch.cat(parts)


def separately(model: Any, sample: Sample) -> float:
    """The published recipe: a sample a span, everything before it as its prompt, no loss there."""
    total = 0.0
    for span in sample.spans:
        ids = torch.tensor([sample.encoded.ids[: span.end]], device=model.device)
        labels = ids.clone()
        labels[:, : span.start] = -100
        loss = model(input_ids=ids, labels=labels, use_cache=False).loss * (span.end - span.start)
        loss.backward()
        total += loss.item()
    return total


def compare(weights: Weights, trajectory: Trajectory) -> None:
    one, model = encoded(weights, trajectory), lora(weights.model)
    try:
        for role in SUB_AGENTS:
            sample = Sample(one, tuple(one.owned(role, PARTS[role])))
            assert len(sample.spans) > 1
            loss = span_loss(model, sample)
            torch.autograd.backward(loss)
            ours, total = gradient(model), separately(model, sample)
            theirs = gradient(model)
            assert float((ours - theirs).norm() / theirs.norm()) < 1e-4
            assert loss.item() == pytest.approx(total, rel=1e-5)
    finally:
        model.unload()


def test_span_pass_equals_separate_samples(weights: Weights) -> None:
    compare(weights, TRAJECTORY)


@pytest.mark.model
def test_span_pass_equals_separate_samples_on_the_embedded_model(embedded: Weights) -> None:
    compare(embedded, SHORT)
