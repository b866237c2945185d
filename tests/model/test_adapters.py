"""A LoRA folder that does not fit the model is refused, with names."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from peft import LoraConfig, get_peft_model

from autoact.errors import BadInput
from autoact.model.local import LocalEngine
from autoact.model.store import Weights, load_model

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

State = dict[str, torch.Tensor]
Spoil = Callable[[State, dict[str, Any]], None]
A = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"


@pytest.fixture
def adapter(tiny: Path, tmp_path: Path) -> Path:
    """A fresh adapter of the tiny model."""
    model = load_model(str(tiny), "cpu", "float32").model
    peft = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "v_proj"]))
    peft.save_pretrained(str(tmp_path / "plan"))
    return tmp_path / "plan"


def spoil(folder: Path, change: Spoil) -> None:
    weights, settings = folder / "adapter_model.safetensors", folder / "adapter_config.json"
    state, config = safetensors.torch.load_file(weights), json.loads(settings.read_text())
    change(state, config)
    safetensors.torch.save_file(state, weights, {"format": "pt"})
    settings.write_text(json.dumps(config))


def renamed(state: State, config: dict[str, Any]) -> None:
    for name in list(state):
        state[f"wrapped.{name}"] = state.pop(name)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda state, config: state.pop(A), r"1 missing \(base_model.*layers\.0\.self_attn\.q_proj\.lora_A"),
        (lambda state, config: state.update({A.replace("q_proj", "k_proj"): torch.zeros(4, 64)}), r"1 foreign \(.*k_"),
        (renamed, "8 missing .*8 foreign .*wrapped"),
        (lambda state, config: config.update(r=8), "size mismatch"),
        (lambda state, config: config.update(target_modules=["c_attn"]), "c_attn"),
        (lambda state, config: config.update(target_modules=["q_proj"]), "4 foreign"),
        (lambda state, config: config.update(base_model_name_or_path="Qwen/Qwen2.5-7B-Instruct"), "trained on `Qwen/"),
        (lambda state, config: config.update(peft_type="NONESUCH"), "NONESUCH"),
    ],
)  # fmt: skip
def test_an_adapter_that_does_not_fit_is_refused(weights: Weights, adapter: Path, change: Spoil, why: str) -> None:
    spoil(adapter, change)
    engine = LocalEngine(weights, 1)
    with pytest.raises(BadInput, match=f"{adapter}.*{why}"):
        engine.adapt({"plan": adapter})


@pytest.mark.parametrize("name", ["adapter_config.json", "adapter_model.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b"hello world"])
def test_nor_is_one_with_a_broken_file(weights: Weights, adapter: Path, name: str, content: bytes | None) -> None:
    (adapter / name).unlink()
    if content is not None:
        (adapter / name).write_bytes(content)
    engine = LocalEngine(weights, 1)
    with pytest.raises(BadInput, match=f"{adapter}"):
        engine.adapt({"plan": adapter})


def test_the_base_is_known_by_its_hub_id_too(weights: Weights, adapter: Path) -> None:
    spoil(adapter, lambda state, config: config.update(base_model_name_or_path=f"/elsewhere/{weights.folder.name}"))
    engine = LocalEngine(weights, 1)
    engine.adapt({"plan": adapter})
    assert list(engine.adapters.numbers) == ["plan"]
