"""Rounded weights: a model in 8 or 4 bits answers about as before, with adapters; a missing package is named."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from autoact.errors import BadInput
from autoact.model.engine import Ticket
from autoact.model.local import LocalEngine
from autoact.model.store import load_model
from autoact.script import Ask, Prompt

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.mark.parametrize("precision", ["8bit", "4bit"])
def test_rounded_weights_answer_with_an_adapter(tiny: Path, tmp_path: Path, precision: str) -> None:
    pytest.importorskip("bitsandbytes", reason="the extra `quantized` is not installed")
    folder = tmp_path / "even"
    shutil.copytree(tiny, folder)
    torch.manual_seed(5)
    config = LlamaConfig.from_pretrained(folder, intermediate_size=128)  # 4 bits on a processor: multiples of 64
    LlamaForCausalLM(config).save_pretrained(folder)
    weights = load_model(str(folder), "cpu", "float32")
    peft = get_peft_model(weights.model, LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj"]))
    peft.save_pretrained(str(tmp_path / "plan"))
    peft.unload()
    rounded = load_model(str(folder), "cpu", precision)
    assert precision in rounded.name
    kind = type(rounded.model.get_submodule("model.layers.0.self_attn.q_proj")).__name__
    assert kind == {"8bit": "Linear8bitLt", "4bit": "Linear4bit"}[precision]
    engine, found = LocalEngine(rounded, 2), dict[Ticket, Any]()
    engine.adapt({"plan": tmp_path / "plan"})
    prompt = Prompt("Answer in steps.", "Who wrote Fidelio?", ("Thought:",))
    for role in ("plan", "meta"):
        engine.submit(Ticket(role, 0), Ask(role, "thought", prompt, stop=("\x00" * 3,), limit=5), 1)
    while len(found) < 2:
        found.update(engine.step())
    assert found[Ticket("plan", 0)].tokens == found[Ticket("meta", 0)].tokens  # an untrained adapter adds nothing
    ids = torch.tensor([engine.tokens.prompt(prompt)])
    with torch.inference_mode():
        near, exact = (model(ids, use_cache=False).logits[0, -1].float() for model in (rounded.model, weights.model))
    assert torch.cosine_similarity(near, exact, dim=0) > 0.8


def test_without_the_package_an_error_says_what_to_install(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r"`4bit` needs bitsandbytes.*pip install 'autoact-studio\[quantized\]'"):
        load_model(str(tiny), "cpu", "4bit")
