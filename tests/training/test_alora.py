"""A branch on a frozen trunk has the loss and the gradient of PEFT's activated LoRA on separate samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig, MambaConfig, MistralConfig, Qwen3Config
from worlds import end_training

from autoact.errors import BadInput
from autoact.files import disk
from autoact.model.local import LocalEngine
from autoact.project.config import Differentiation
from autoact.registry.roles import ROLES, SUB_AGENTS
from autoact.script import Card, Lesson, Train
from autoact.training import alora
from autoact.training.alora import BranchLoss, Trunks, check_cache, find_branches, invocation_text, pack_branches
from autoact.training.loss import Sample, can_pack
from autoact.training.spans import Encoded, Span
from autoact.training.trainer import LocalTrainer
from autoact.trajectory import FINISH, REFLECT, Question, Step, Tool, Trajectory

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

INVOCATION = [97, 98]
PLAN = (
    Span("thought", "", 8, 12),
    Span("action", "", 13, 15),
    Span("thought", "", 22, 26),
    Span("thought", "", 33, 35),
)
NO_DROPOUT: dict[str, Any] = {"attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0}
SETTINGS = Differentiation(adapter="alora", epochs=3, batch=1, save_every=2, learning_rate=0.05, dropout=0.1)


def sample(seed: int = 1) -> Sample:
    """Three turns, each after the invocation tokens, with two spans in the first."""
    ids = torch.randint(1, 90, (40,), generator=torch.Generator().manual_seed(seed)).tolist()
    for at in (6, 20, 31):
        ids[at : at + 2] = INVOCATION
    spans = (*PLAN, Span("argument", "", 37, 40))
    return Sample(Encoded(tuple(ids), spans), PLAN)


def small(kind: str) -> Any:
    torch.manual_seed(5)
    shape: dict[str, Any] = {
        "vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "intermediate_size": 64, "initializer_range": 0.2,
    }  # fmt: skip
    configs: dict[str, Any] = {
        "llama": LlamaConfig(**shape), "qwen3": Qwen3Config(**shape, head_dim=8),
        "mistral": MistralConfig(**shape, sliding_window=9),
        "gpt2": GPT2Config(vocab_size=99, n_embd=32, n_layer=2, n_head=4, initializer_range=0.2, **NO_DROPOUT),
    }  # fmt: skip
    return AutoModelForCausalLM.from_config(configs[kind]).eval()


def adapted(model: Any, invocation: list[int] | None) -> Any:
    """A model with an adapter whose B is not zero: at zero, A would have no gradient."""
    targets = ["c_attn"] if model.config.model_type == "gpt2" else ["q_proj", "v_proj"]
    config = LoraConfig(
        task_type="CAUSAL_LM", r=4, lora_dropout=0.0, target_modules=targets, alora_invocation_tokens=invocation,
        fan_in_fan_out=model.config.model_type == "gpt2",
    )  # fmt: skip
    peft = get_peft_model(model, config)
    torch.manual_seed(3)
    for name, weight in peft.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weight, std=0.2)
    return peft.train()


def gradient(model: Any) -> Tensor:
    return torch.cat([weight.grad.flatten() for weight in model.parameters() if weight.grad is not None])


def separate_loss(model: Any, one: Sample) -> float:
    """A sample a span, as PEFT computes it: it searches the invocation itself."""
    total = 0.0
    for span in one.spans:
        ids = torch.tensor([one.encoded.ids[: span.end]])
        labels = ids.clone()
        labels[:, : span.start] = -100
        loss = model(input_ids=ids, labels=labels, use_cache=False).loss * (span.end - span.start)
        loss.backward()
        total += loss.item()
    return total


@pytest.mark.parametrize("kind", ["llama", "qwen3", "mistral", "gpt2"])
def test_branches_equal_separate_samples_of_peft(kind: str) -> None:
    theirs = adapted(small(kind), INVOCATION)
    expected = separate_loss(theirs, sample())
    for packed in {can_pack(small(kind)), False}:
        ours = adapted(small(kind), None)
        passes = BranchLoss(INVOCATION, Trunks(), packed=packed).passes(ours, [sample()])
        assert len(passes) == (1 if packed else 3)
        losses = []
        for one in passes:
            loss = one()
            loss.backward()
            losses.append(loss.item())
        assert sum(losses) == pytest.approx(expected, rel=1e-5)
        assert float((gradient(ours) - gradient(theirs)).norm() / gradient(theirs).norm()) < 1e-5
    assert can_pack(small(kind)) == (kind != "mistral")


def test_a_row_has_the_tokens_that_predict_another_and_sees_the_trunk_before_its_branch() -> None:
    one = Sample(Encoded((1, 7, 2, 3, 7, 4, 5), ()), (Span("thought", "", 2, 4), Span("thought", "", 5, 7)))
    branches = find_branches(one, [7])
    assert [(branch.start, branch.end) for branch in branches] == [(1, 3), (4, 6)]
    row = pack_branches(one.encoded, branches)
    assert (row.ids, row.positions, row.starts) == ([7, 2, 7, 4], [1, 2, 4, 5], [1, 1, 4, 4])
    assert (row.places, row.targets) == ([0, 1, 2, 3], [2, 3, 4, 5])
    assert row.mask(4)[0, 0].int().tolist() == [
        [1, 0, 0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 1, 1, 0, 0], [1, 1, 1, 1, 0, 0, 1, 0], [1, 1, 1, 1, 0, 0, 1, 1],
    ]  # fmt: skip
    with pytest.raises(ValueError, match="no invocation tokens"):
        find_branches(one, [9])


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("thought", "action"), "Thought:"), (("reflection", "verdict"), "Thought:"), (("argument",), "Argument:"),
        (("argument:Retrieve", "argument:Lookup"), "Argument:"), (("argument", "thought"), "Thought:"),
    ],
)  # fmt: skip
def test_the_invocation_is_what_opens_the_turn(parts: tuple[str, ...], text: str) -> None:
    assert invocation_text(parts) == text


def test_a_model_without_keys_and_values_is_refused() -> None:
    check_cache(small("mistral"))
    mamba = AutoModelForCausalLM.from_config(MambaConfig(vocab_size=99, hidden_size=32, num_hidden_layers=2))
    with pytest.raises(BadInput, match="`mamba` has no keys and values"):
        check_cache(mamba)


CARD = Card("Answer questions.", (Tool("Retrieve", "Reads a page.", "Retrieve[Fidelio]"),))
STEPS = (
    Step("I look.", "Retrieve", "Fidelio", "By Beethoven."),
    Step("It says so.", FINISH, "Beethoven", "Please reflect on your answer."),
    Step("The page names him.", REFLECT, "right"),
)
TRAJECTORIES = [
    Trajectory(f"t-{number}", Question(f"q-{number}", question, "Beethoven"), STEPS, "Beethoven", "right")
    for number, question in enumerate(("Who wrote Fidelio?", "Whose opera is Fidelio?"))
]


def request(adapter: str) -> Train:
    return Train(adapter, tuple(Lesson(one, ROLES.get(adapter).parts) for one in TRAJECTORIES), CARD)


def test_the_folder_is_a_plain_one_of_peft_with_its_invocation_tokens(engine: LocalEngine, tmp_path: Path) -> None:
    trainer = LocalTrainer(engine, SETTINGS, seed=7, root=tmp_path)
    for name, text in (("plan", "Thought:"), ("tool", "Argument:"), ("reflect", "Thought:")):
        folder = tmp_path / end_training(trainer.train(request(name))).path
        config = json.loads((folder / "adapter_config.json").read_text())
        assert config["alora_invocation_tokens"] == list(engine.tokens.segment(text))
    bare = _loss(engine.model, one := _reflections(trainer))
    assert _loss(PeftModel.from_pretrained(engine.model, str(folder)), one) < 0.9 * bare  # PEFT searches the tokens


def _reflections(trainer: LocalTrainer) -> Sample:
    return trainer._sample(CARD, Lesson(TRAJECTORIES[0], ROLES.get("reflect").parts))


@torch.no_grad()
def _loss(model: Any, one: Sample) -> float:
    total = 0.0
    for span in one.spans:
        ids = torch.tensor([one.encoded.ids[: span.end]])
        logits = model.eval()(input_ids=ids, use_cache=False).logits[0, span.start - 1 : -1]
        total += float(torch.nn.functional.cross_entropy(logits, ids[0, span.start :], reduction="sum"))
    return total


def test_trunks_are_encoded_once_for_all_adapters_and_forgotten_with_the_stage(
    engine: LocalEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = LocalTrainer(engine, SETTINGS, seed=7, root=tmp_path / "kept")
    encoded: list[int] = []
    encode = alora._encode
    monkeypatch.setattr(alora, "_encode", lambda model, ids: encoded.append(len(ids)) or encode(model, ids))
    digests = [end_training(trainer.train(request(name))).sha256 for name in SUB_AGENTS]
    assert len(encoded) == len(TRAJECTORIES)
    trainer.release()
    assert trainer.trunks.kept == {}
    encoded.clear()
    other = LocalTrainer(engine, SETTINGS, seed=7, root=tmp_path / "computed again")
    other.trunks.budget = 0
    assert [end_training(other.train(request(name))).sha256 for name in SUB_AGENTS] == digests
    assert len(encoded) == len(TRAJECTORIES) * SETTINGS.epochs * len(SUB_AGENTS)


@pytest.mark.parametrize("after", [2, 4, 5])
def test_a_stopped_training_goes_on_to_the_same_bytes(engine: LocalEngine, tmp_path: Path, after: int) -> None:
    whole = end_training(LocalTrainer(engine, SETTINGS, seed=7, root=tmp_path / "whole").train(request("plan")))
    running = LocalTrainer(engine, SETTINGS, seed=7, root=tmp_path / "stopped").train(request("plan"))
    for _ in range(after):
        next(running)
    running.close()
    torch.manual_seed(99)  # another process would have another random state
    trainer = LocalTrainer(engine, SETTINGS, seed=7, root=tmp_path / "stopped")
    assert end_training(trainer.train(request("plan"))).sha256 == whole.sha256
    assert disk.sha256(tmp_path / "stopped" / whole.path / "adapter_model.safetensors") == whole.sha256
