"""Gradient checkpointing when memory is short, and only then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from autoact.files import disk
from autoact.model.store import Weights
from autoact.project.config import Differentiation
from autoact.training import memory
from autoact.training.lora import LoraTraining
from autoact.training.loss import Sample
from autoact.training.spans import Encoded, Span

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

SPANS = (Span("thought", "", 6, 12),)
SAMPLES = [Sample(Encoded(tuple(range(first, first + 20)), SPANS), SPANS) for first in (1, 40, 90)]


def train(model: Any, root: Path) -> tuple[bool, str]:
    """Returns whether checkpointing was on, and the digest of the adapter."""
    root.mkdir()
    settings = Differentiation(dropout=0.1, epochs=2, batch=2, learning_rate=0.01)
    training = LoraTraining(model, "plan", SAMPLES, settings, seed=7, root=root)
    checkpointed = model.is_activation_checkpointing
    for _ in training.run():
        pass
    training.export(root)
    training.close()
    assert not model.is_activation_checkpointing
    return checkpointed, disk.sha256(root / "adapter_model.safetensors")


def test_checkpointing_when_memory_is_short_gives_the_same_bytes(
    weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without, digest = train(weights.model, tmp_path / "enough")
    monkeypatch.setattr(memory, "free_memory", lambda device: 100_000)
    assert not without
    assert train(weights.model, tmp_path / "short") == (True, digest)


def test_a_pass_needs_about_what_is_estimated() -> None:
    with torch.device("meta"):
        config = AutoConfig.for_model(
            "llama", hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9
        )
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    assert memory.pass_memory(model, 1010) == pytest.approx(1.94 * 2**30, rel=0.15)  # as measured on such a model


def test_a_system_that_does_not_tell_its_free_memory_has_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: None)
    assert memory.available_memory(torch.device("cpu")) == memory.UNKNOWN
