"""One pass over a trajectory has the gradient of the published recipe's many samples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
import torch
from msgspec.structs import replace
from peft import LoraConfig, get_peft_model
from torch import Tensor
from torch.nn import functional
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    GPT2Config,
    LlamaConfig,
    MambaConfig,
    MistralConfig,
    Qwen3Config,
)

from autoact import scratchpad
from autoact.model.store import Weights
from autoact.model.tokens import Tokens
from autoact.registry.roles import ROLES, SUB_AGENTS
from autoact.script import Card, Lesson
from autoact.training.attention import attend_samples
from autoact.training.loss import PASS, Sample, SpanLoss, can_pack, group_samples, pack_samples
from autoact.training.spans import Encoded, Span, encode_lesson
from autoact.trajectory import FINISH, REFLECT, Question, Step, Tool, Trajectory

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
ALL = tuple(part for name in SUB_AGENTS for part in ROLES.get(name).parts)


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
    return encode_lesson(Lesson(trajectory, ALL), CARD, Tokens(weights.tokenizer))


def test_what_comes_before_the_first_step_to_learn_has_no_loss(weights: Weights) -> None:
    tokens = Tokens(weights.tokenizer)
    whole, rest = (encode_lesson(Lesson(TRAJECTORY, ALL, first), CARD, tokens) for first in (0, 3))
    assert rest.ids == whole.ids
    assert rest.spans == whole.spans[-len(rest.spans) :]
    words = [weights.tokenizer.decode(rest.ids[span.start : span.end]) for span in rest.spans]
    assert " It was Beethoven.\n" in words or words[0] == " It says so.\n"
    assert " I should read the page.\n" not in words


def owned(weights: Weights, role: str) -> list[str]:
    one = encoded(weights)
    return [weights.tokenizer.decode(one.ids[span.start : span.end]) for span in one.of_parts(ROLES.get(role).parts)]


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


def test_a_failed_try_has_its_loss_after_a_prompt_that_says_so(weights: Weights) -> None:
    tokens = Tokens(weights.tokenizer)
    failed, plain = (encode_lesson(Lesson(TRAJECTORY, ALL, failed=one), CARD, tokens) for one in (True, False))
    said, answered = (weights.tokenizer.decode(one.ids[: one.spans[0].start]) for one in (failed, plain))
    assert said.replace(f"\n{scratchpad.FAILED}", "") == answered != said
    more = len(failed.ids) - len(plain.ids)
    assert failed.ids[failed.spans[0].start :] == plain.ids[plain.spans[0].start :]
    assert [(span.start - more, span.end - more) for span in failed.spans] == [
        (span.start, span.end) for span in plain.spans
    ]


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


def compare(weights: Weights, *trajectories: Trajectory) -> None:
    """All in one pass, one pass each, and a pass a span: the same loss and the same gradient."""
    model = lora(weights.model)
    try:
        for role in SUB_AGENTS:
            whole = [encoded(weights, trajectory) for trajectory in trajectories]
            samples = [Sample(one, tuple(one.of_parts(ROLES.get(role).parts))) for one in whole]
            assert sum(len(sample.spans) for sample in samples) > 1
            total = sum(separately(model, sample) for sample in samples)
            theirs = gradient(model)
            for together in (False, True):
                losses = []
                for loss in (one() for one in SpanLoss(packed=together).passes(model, samples)):
                    torch.autograd.backward(loss)
                    losses.append(loss.item())
                assert len(losses) < len(samples) if together and len(samples) > 1 else len(losses) == len(samples)
                ours = gradient(model)
                assert float((ours - theirs).norm() / theirs.norm()) < 1e-4
                assert sum(losses) == pytest.approx(total, rel=1e-5)
    finally:
        model.unload()


def test_one_pass_equals_separate_samples(weights: Weights) -> None:
    compare(weights, TRAJECTORY)
    compare(weights, TRAJECTORY, SHORT, TRAJECTORY)


@pytest.mark.model
def test_one_pass_equals_separate_samples_on_the_embedded_model(embedded: Weights) -> None:
    compare(embedded, SHORT, replace(SHORT, question=Question("q-3", "What did Beethoven write?", "Fidelio")))


def sample(ids: Iterable[int], *spans: tuple[int, int]) -> Sample:
    return Sample(Encoded(tuple(ids), ()), tuple(Span("plan", "thought", *span) for span in spans))


def test_what_trajectories_begin_with_stands_once_in_a_row() -> None:
    row = pack_samples([sample((1, 2, 3, 4, 5), (2, 4)), sample((1, 2, 7, 8), (2, 3), (3, 4))])
    assert row.ids == [1, 2, 3, 4, 7, 8]
    assert row.positions == [0, 1, 2, 3, 2, 3]
    assert (row.places, row.targets) == ([1, 2, 1, 4], [3, 4, 7, 8])
    assert row.bounds == [2, 4, 6]
    assert pack_samples([sample((1, 2), (1, 2)), sample((1, 2, 3), (2, 3))]).bounds == [2, 3]


@pytest.mark.parametrize("bounds", [[3, 5, 9], [0, 4, 9], [9]])
def test_each_sample_attends_to_the_common_beginning_and_to_itself(bounds: list[int]) -> None:
    torch.manual_seed(3)
    query, key, value = (torch.randn(1, heads, 9, 8, requires_grad=True) for heads in (4, 2, 2))
    owners = torch.tensor([next(number for number, end in enumerate(bounds) if at < end) for at in range(9)])
    seen = ((owners == owners[:, None]) | (owners == 0)).tril()
    expected = functional.scaled_dot_product_attention(query, key, value, seen, enable_gqa=True).transpose(1, 2)
    output, _ = attend_samples(torch.nn.Identity(), query, key, value, None, bounds=bounds)
    assert torch.allclose(output, expected, atol=1e-6)
    gradients = [torch.autograd.grad(one.sin().sum(), (query, key, value)) for one in (output, expected)]
    for ours, theirs in zip(*gradients, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


def test_a_row_has_no_more_tokens_than_a_pass_may() -> None:
    many = [sample((1, number, *[5] * (PASS // 3)), (PASS // 3, PASS // 3 + 2)) for number in range(2, 9)]
    groups = list(group_samples(many))
    assert [one for group in groups for one in group] == many
    assert [len(group) for group in groups] == [2, 2, 2, 1]
    huge = sample(range(2 * PASS), (1, 2 * PASS))
    assert list(group_samples([huge, many[0], many[1]])) == [[huge], many[:2]]


def shape(**more: Any) -> dict[str, Any]:
    return {
        "vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "intermediate_size": 64, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("config", "so"),
    [
        (LlamaConfig(**shape()), True),
        (Qwen3Config(**shape(head_dim=8)), True),
        (GPT2Config(vocab_size=99, n_embd=32, n_layer=2, n_head=4), True),
        (MistralConfig(**shape(sliding_window=16)), False),
        (BloomConfig(vocab_size=99, hidden_size=32, n_layer=2, n_head=4), False),
        (MambaConfig(vocab_size=99, hidden_size=32, num_hidden_layers=2, state_size=4), False),
    ],
    ids=lambda value: getattr(value, "model_type", ""),
)
def test_only_a_model_that_makes_of_it_what_is_meant_is_given_several_at_once(config: Any, so: bool) -> None:
    torch.manual_seed(5)
    model = AutoModelForCausalLM.from_config(config).eval()
    assert can_pack(model) == so


def test_a_model_that_takes_no_notice_of_the_bounds_is_found_out(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert can_pack(weights.model)
    monkeypatch.setattr("autoact.training.loss.use_sample_attention", lambda model: None)
    monkeypatch.setattr(weights.model.config, "_attn_implementation", "sdpa")
    assert not can_pack(weights.model)
