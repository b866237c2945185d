"""Every family of models answers as it would alone: greedy tokens equal those of the model without a cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    MixtralConfig,
    Olmo2Config,
    OlmoConfig,
    Phi3Config,
    PhiConfig,
    PreTrainedConfig,
    Qwen3Config,
    Qwen3MoeConfig,
    SmolLM3Config,
)

from autoact.errors import ContextFull
from autoact.model.engine import Ticket
from autoact.model.local import LocalEngine
from autoact.model.store import Weights
from autoact.script import Answer, Ask, Prompt, Sampling

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

SIZES: dict[str, Any] = dict(
    vocab_size=320, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=2048, initializer_range=0.2, pad_token_id=None, bos_token_id=None, eos_token_id=0,
)  # fmt: skip
GROUPED: dict[str, Any] = {**SIZES, "num_key_value_heads": 2}
EXPERTS: dict[str, Any] = {**GROUPED, "num_experts_per_tok": 2}
LAYERS = ["sliding_attention", "full_attention"]
FAMILIES: dict[str, PreTrainedConfig] = {
    "llama": LlamaConfig(**GROUPED, rope_parameters={"rope_type": "default", "rope_theta": 500000.0}),
    "qwen3": Qwen3Config(**GROUPED, head_dim=32),
    "mistral": MistralConfig(**GROUPED, sliding_window=24),
    "gemma3": Gemma3TextConfig(
        **GROUPED, head_dim=16, sliding_window=24, query_pre_attn_scalar=16, layer_types=LAYERS
    ),
    "phi": PhiConfig(**SIZES),
    "phi3": Phi3Config(**GROUPED),
    "smollm": LlamaConfig(**{**SIZES, "hidden_size": 72, "num_attention_heads": 9}, num_key_value_heads=3),
    "smollm3": SmolLM3Config(**GROUPED, no_rope_layers=[1, 0]),
    "olmo": OlmoConfig(**SIZES),
    "olmo2": Olmo2Config(**GROUPED),
    "gpt2": GPT2Config(
        vocab_size=320, n_embd=64, n_layer=2, n_head=4, n_positions=640, initializer_range=0.2, eos_token_id=0
    ),
    "mixtral": MixtralConfig(**EXPERTS, num_local_experts=4),
    "qwen3_moe": Qwen3MoeConfig(**EXPERTS, num_experts=4, moe_intermediate_size=32, head_dim=16),
}  # fmt: skip
NO_SYSTEM = """{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}
<{{ m.role }}> {{ m.content }}<end>{% endfor %}<assistant>"""
NEVER = ("\x00" * 3,)
"""A stop text that never comes."""
PROMPT = Prompt("Answer in steps.", "Who wrote the opera Fidelio, and when was it first played? " * 2, ("Thought:",))


def make(config: PreTrainedConfig, weights: Weights) -> Weights:
    """Returns random weights of a family with the tiny tokenizer."""
    torch.manual_seed(3)
    model: Any = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
    return Weights(model.eval(), weights.tokenizer, config.model_type, weights.folder)


@pytest.fixture(params=list(FAMILIES))
def family(request: pytest.FixtureRequest, weights: Weights) -> Weights:
    return make(FAMILIES[request.param], weights)


@torch.inference_mode()
def greedy(model: Any, ids: list[int], count: int, end: int) -> list[int]:
    """Returns the model's own answer, from a pass over all tokens for each of it."""
    taken: list[int] = []
    while len(taken) < count and (not taken or taken[-1] != end):
        taken.append(int(model(input_ids=torch.tensor([[*ids, *taken]]), use_cache=False).logits[0, -1].argmax()))
    return taken


def play(engine: LocalEngine, models: dict[str, Any]) -> None:
    """Plays two turns of three episodes at once, which begin alike, and compares every answer."""
    prompts = [PROMPT.then(" It is old." * number) for number in range(3)]
    for n in range(2):
        asks = {
            Ticket(f"t-{number}", n): Ask(role, "thought", prompt, stop=NEVER, limit=7)
            for number, (prompt, role) in enumerate(zip(prompts, [*models, *models, *models], strict=False))
        }
        for ticket, ask in asks.items():
            engine.submit(ticket, ask, 1)
        found: dict[Ticket, Any] = {}
        while len(found) < len(asks):
            found.update(engine.step())
        for number, (ticket, ask) in enumerate(asks.items()):
            wanted = greedy(models[ask.adapter], engine.tokens.prompt(ask.prompt), 7, engine.tokens.end)
            assert list(found[ticket].tokens) == wanted
            prompts[number] = prompts[number].then(found[ticket].text, "\nObservation: yes\n", "Thought:")


def test_a_family_answers_as_it_would_alone(family: Weights) -> None:
    engine = LocalEngine(family, 3)
    play(engine, {"meta": family.model})
    assert engine.rows.prefixes


@pytest.mark.parametrize(
    ("name", "target"), [("gpt2", "c_attn"), ("phi", "dense"), ("gemma3", "q_proj"), ("mixtral", "o_proj")]
)
def test_a_family_with_an_adapter(weights: Weights, tmp_path: Path, name: str, target: str) -> None:
    family, folder = make(FAMILIES[name], weights), tmp_path / "plan"
    lora = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=[target], fan_in_fan_out=name == "gpt2")
    peft = get_peft_model(family.model, lora)
    for key, weight in peft.named_parameters():
        if "lora_B" in key:
            torch.nn.init.normal_(weight, std=0.3)
    peft.save_pretrained(str(folder))
    peft.unload()
    engine = LocalEngine(family, 3)
    engine.adapt({"plan": folder})
    ask = Ask("plan", "thought", PROMPT, stop=NEVER, limit=9)
    engine.submit(Ticket("t", 0), ask, 1)
    found: dict[Ticket, Any] = {}
    while not found:
        found.update(engine.step())
    engine.release()
    alone = PeftModel.from_pretrained(family.model, str(folder)).eval()
    wanted = greedy(alone, engine.tokens.prompt(PROMPT), 9, engine.tokens.end)
    assert list(found[Ticket("t", 0)].tokens) == wanted


def test_learned_positions_are_a_limit(weights: Weights) -> None:
    engine = LocalEngine(make(FAMILIES["gpt2"], weights), 1)
    assert engine.window == 640
    engine.submit(Ticket("t", 0), Ask("meta", "thought", PROMPT.then(" long" * 300), limit=5), 1)
    ((_, answer),) = engine.step()
    assert isinstance(answer, ContextFull)


@pytest.mark.parametrize("template", [None, NO_SYSTEM])
def test_a_model_without_a_system_role_or_a_template(weights: Weights, template: str | None) -> None:
    weights.tokenizer.chat_template = template
    engine = LocalEngine(weights, 3)
    assert not engine.tokens.system_role
    assert "Answer in steps." in weights.tokenizer.decode(engine.tokens.prompt(PROMPT))
    play(engine, {"meta": weights.model})


def test_a_large_vocabulary_is_drawn_from(weights: Weights) -> None:
    """Ids beyond the tokenizer's own, with which many models pad their vocabulary, decode to nothing."""
    config = LlamaConfig(**{**GROUPED, "vocab_size": 131_072})
    engine = LocalEngine(make(config, weights), 2)
    for number in range(2):
        ask = Ask("meta", "thought", PROMPT, limit=6, least=3, sampling=Sampling(1.0, 0.95))
        engine.submit(Ticket(f"t-{number}", 0), ask, number)
    found: dict[Ticket, Any] = {}
    while len(found) < 2:
        found.update(engine.step())
    assert all(isinstance(answer, Answer) for answer in found.values())
