"""What is planned equals what transformers, peft and the engine allocate, as far as they can be asked without a GPU."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import torch

from autoact.model.memory_plan import needs
from autoact.model.memory_plan.architecture import count
from autoact.model.memory_plan.needs import Workload
from autoact.training import loss, memory

TOKENS = 1_024
TARGETS = {"phi3": ("qkv_proj",)}


def test_the_pass_is_that_of_the_trainer() -> None:
    assert needs.SPAN_PASS == loss.PASS
    assert needs.ATTENDED == memory.ATTENDED


@pytest.mark.parametrize(
    "name",
    [
        "meta-llama/Llama-2-7b-hf", "meta-llama/Llama-3.1-70B-Instruct", "Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen3-8B",
        "Qwen/Qwen3-30B-A3B", "mistralai/Mixtral-8x7B-Instruct-v0.1", "google/gemma-3-1b-it",
        "microsoft/Phi-3-mini-4k-instruct", "allenai/OLMo-2-1124-7B-Instruct",
    ],
)  # fmt: skip
def test_activations_are_those_that_autograd_stores(name: str, configurations: dict[str, Any]) -> None:
    """A GPU's: attention on the meta device takes the kernel that repeatable training takes on a GPU.

    There the mask of dropout has a byte for each number in place of four.
    """
    config = configurations[name]
    targets = TARGETS.get(config["model_type"], ("q_proj", "v_proj"))
    stored = (stored_bytes(config, 4, targets) - stored_bytes(config, 2, targets)) / 2
    model, load = count(config), Workload(TOKENS, targets=targets)
    masks = 3 * TOKENS * sum(matrix.inputs for matrix in needs.targeted(model, targets))
    assert needs.activation_bytes(model, "bfloat16", load) + masks == pytest.approx(stored, rel=0.01)


def stored_bytes(config: dict[str, Any], layers: int, targets: tuple[str, ...]) -> int:
    """The bytes that a training pass of a model with so many layers stores for its gradients. Nothing is computed."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM

    few = {key: value for key, value in config.items() if key != "layer_types"} | {"num_hidden_layers": layers}
    with torch.device("meta"):
        base: Any = AutoModelForCausalLM.from_config(AutoConfig.for_model(**few), dtype=torch.bfloat16)
        lora = LoraConfig(task_type="CAUSAL_LM", r=8, lora_alpha=16, lora_dropout=0.05, target_modules=list(targets))
        with pytest.warns(FutureWarning, match="is_gradient_checkpointing"):
            model: Any = get_peft_model(base, lora).train()
        seen = {weight.untyped_storage()._cdata: weight for weight in model.parameters()}
        stored: dict[int, torch.Tensor] = {}

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            identity = tensor.untyped_storage()._cdata
            if identity not in seen:
                stored[identity] = tensor
            return tensor

        row = torch.zeros(1, TOKENS, dtype=torch.long)
        mask = torch.ones(1, 1, TOKENS, TOKENS, dtype=torch.bool)
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            model(input_ids=row, attention_mask=mask, position_ids=row, use_cache=False, logits_to_keep=1)
    return sum(tensor.untyped_storage().nbytes() for tensor in stored.values())


def test_keys_and_values_of_grouped_heads_and_sliding_windows(configurations: dict[str, Any]) -> None:
    llama, gemma = (
        count(configurations[name]) for name in ("meta-llama/Llama-3.1-8B-Instruct", "google/gemma-3-1b-it")
    )
    assert needs.token_bytes(llama, "bfloat16") == 32 * 2 * 8 * 128 * 2
    assert needs.cache_bytes(llama, "bfloat16", Workload(1000)) == 1000 * needs.token_bytes(llama, "bfloat16")
    full, sliding = 4, 22
    served = Workload(2048, windowed=True)
    assert needs.cache_bytes(gemma, "bfloat16", served) == 2 * 256 * 2 * (full * 2048 + sliding * 512)
    assert needs.cache_bytes(gemma, "bfloat16", Workload(2048)) == 2 * 256 * 2 * 26 * 2048


def test_quantised_weights(configurations: dict[str, Any]) -> None:
    """The embeddings keep 16 bits, and so do the experts of a mixture, which quantisers leave alone."""
    llama, mixtral = (
        count(configurations[name]) for name in ("meta-llama/Llama-2-7b-hf", "mistralai/Mixtral-8x7B-Instruct-v0.1")
    )
    tables = 2 * 2 * 32000 * 4096
    assert needs.weight_bytes(llama, "4bit") - tables == pytest.approx(llama.projected * 4.5 / 8, rel=0.01)
    assert needs.weight_bytes(llama, "8bit") - tables == pytest.approx(llama.projected, rel=0.01)
    assert needs.weight_bytes(mixtral, "4bit") > 0.95 * needs.weight_bytes(mixtral, "bfloat16")


def test_adapters_are_those_of_peft(configurations: dict[str, Any]) -> None:
    model = count(configurations["HuggingFaceTB/SmolLM2-135M-Instruct"])
    assert needs.adapter_parameters(model, Workload(TOKENS)) == 30 * 8 * (576 + 576 + 576 + 192)
    everything = Workload(TOKENS, targets=("all-linear",))
    assert needs.adapter_parameters(model, everything) == 30 * 8 * (2 * (576 + 576 + 576 + 192) + 3 * (576 + 1536))


MEASURE = """
import json, sys, torch
from pathlib import Path
from autoact.model import store
from autoact.model.memory import release_memory
from peft import LoraConfig, get_peft_model
from transformers import StaticCache

def resident():
    release_memory()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

@torch.inference_mode()
def use(model):
    model(input_ids=torch.zeros(1, 2, dtype=torch.long))

folder, lanes, tokens = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
tiny = store.load_model(sys.argv[4], "cpu", "float32").model
use(get_peft_model(tiny, LoraConfig(task_type="CAUSAL_LM", r=8, target_modules=["q_proj", "v_proj"])))
before = resident()
model = store.load_model(folder, "cpu", "float32").model
use(model)
weights = resident()
cache = StaticCache(model.config, max_cache_len=tokens)
cache.early_initialization(lanes, 3, 64, torch.float32, torch.device("cpu"))
for layer in cache.layers:
    layer.keys.fill_(1.0), layer.values.fill_(1.0)
caches = resident()
lora = LoraConfig(task_type="CAUSAL_LM", r=8, target_modules=["q_proj", "v_proj"])
peft = get_peft_model(model, lora, adapter_name="plan")
for name in ("tool", "reflect"):
    peft.add_adapter(name, lora)
print(json.dumps([weights - before, caches - weights, resident() - caches]))
"""


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_processor_allocates_what_is_planned(embedded: Any, tiny: Any, configurations: dict[str, Any]) -> None:
    """The embedded model in 32 bits, 24 full caches and three adapters, each within 15 % of what memory grew by."""
    lanes, tokens = 24, 512
    command = [sys.executable, "-W", "ignore", "-c", MEASURE, str(embedded.folder), str(lanes), str(tokens), str(tiny)]
    measured = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    model = count(configurations["HuggingFaceTB/SmolLM2-135M-Instruct"])
    planned = [
        needs.weight_bytes(model, "float32"),
        lanes * needs.cache_bytes(model, "float32", Workload(tokens)),
        needs.adapter_bytes(model, Workload(tokens)),
    ]
    assert measured[:2] == pytest.approx(planned[:2], rel=0.15)
    assert sum(measured) == pytest.approx(sum(planned), rel=0.15)
    assert measured[2] < 10 * planned[2]  # the smallest: modules of Python around 5 MB of numbers
