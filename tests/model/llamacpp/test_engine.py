"""The engine of llama.cpp passes the tests that every engine has to pass, with a tiny model in float32."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")

import torch
from conformance import EngineConformance, Reference, answer_one, make_ask, make_prompt
from peft import LoraConfig, get_peft_model

from autoact.model.engine import Engine
from autoact.model.llamacpp.engine import LlamaEngine
from autoact.model.llamacpp.source import Source
from autoact.model.store import Weights, load_model
from autoact.model.tokens import Tokens

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


class TestLlamaEngine(EngineConformance):
    tie = 0.02
    """The caches of llama.cpp are float16."""

    @pytest.fixture
    def reference(self, weights: Weights) -> Weights:
        return weights

    @pytest.fixture
    def engine(self, source: Source) -> Iterator[Engine]:
        engine = LlamaEngine(source, 4, 3)
        yield engine
        engine.close()


# -- activated adapters ----------------------------------------------------------------------------------------------

OPENINGS = {"plan": "Thought:", "tool": "Argument:", "reflect": "Thought:"}


@pytest.fixture
def activated(weights: Weights, tmp_path: Path) -> dict[str, Path]:
    """Activated adapters of all projections, whose effect is strong."""
    folders: dict[str, Path] = {}
    model = load_model(str(weights.folder), "cpu", "float32").model
    for number, (name, opening) in enumerate(OPENINGS.items()):
        torch.manual_seed(number)
        invocation = list(Tokens(weights.tokenizer).segment(opening))
        settings = LoraConfig(
            task_type="CAUSAL_LM", r=4, target_modules="all-linear", alora_invocation_tokens=invocation
        )
        peft = get_peft_model(model, settings)
        for weight_name, weight in peft.named_parameters():
            if "lora_B" in weight_name:
                torch.nn.init.normal_(weight, std=0.15)
        folders[name] = tmp_path / "activated" / name
        peft.save_pretrained(str(folders[name]))
        model = peft.unload()
    return folders


@pytest.mark.parametrize("temperature", [0.0, 1e-6])
def test_activated_adapters_share_a_cache_that_only_the_base_model_computes(
    source: Source, weights: Weights, activated: dict[str, Path], temperature: float
) -> None:
    """As PEFT computes it: a turn that has ended is the base model's, whoever wrote it."""
    engine = LlamaEngine(source, 1, 3)
    engine.adapt(activated)
    models = {name: Reference(weights, folder) for name, folder in activated.items()}
    prompt, texts = make_prompt("Who wrote Fidelio?", "Thought:"), list[str]()
    for n, name in enumerate(("plan", "tool", "plan", "tool", "reflect", "tool")):
        ask = make_ask(prompt, 7, name, temperature, least=3)
        answer = answer_one(engine, ask, "episode", n)
        models[name].check(ask, answer, 0.05)
        texts.append(answer.text)
        prompt = prompt.then(
            answer.text,
            "\n",
            "Argument:" if name == "plan" else "Observation: no.\n",
            "Thought:"[: 8 * (name != "plan")],
        )
    assert len(set(texts)) > 2
    engine.close()
