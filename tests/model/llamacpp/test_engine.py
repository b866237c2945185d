"""The engine of llama.cpp passes the tests that every engine has to pass, with a tiny model in float32."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")

import numpy as np
import torch
from conformance import (
    CHOICES,
    EngineConformance,
    Reference,
    answer_all,
    answer_one,
    make_adapters,
    make_ask,
    make_prompt,
)  # fmt: skip
from peft import LoraConfig, get_peft_model
from safetensors.numpy import save_file

from autoact.errors import BadInput, ModelFailed, UnknownModel
from autoact.model.engine import Engine, Ticket
from autoact.model.llamacpp.adapters import CONFIG, WEIGHTS
from autoact.model.llamacpp.engine import LlamaEngine
from autoact.model.llamacpp.source import Source, find_source
from autoact.model.store import Weights, load_model
from autoact.model.tokens import Tokens
from autoact.project.config import Model
from autoact.trajectory import META

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


def test_choices_of_an_activated_adapter_follow_its_thought(
    source: Source, weights: Weights, activated: dict[str, Path]
) -> None:
    engine = LlamaEngine(source, 1, 3)
    engine.adapt(activated)
    prompt = make_prompt("Who wrote Fidelio?", "Thought:", " I read.", "\n", "Action:")
    answer = answer_one(engine, make_ask(prompt, adapter="plan", choices=CHOICES))
    logits = Reference(weights, activated["plan"]).logits(prompt, answer.tokens)
    first = {choice: Tokens(weights.tokenizer).segment(choice) for choice in CHOICES}
    at = next(at for at in range(9) if len({ids[at] for ids in first.values()}) > 1)
    best = max(first, key=lambda choice: float(logits[at, first[choice][at]]))
    assert answer.text == best
    engine.close()


# -- refusals --------------------------------------------------------------------------------------------------------


def test_an_adapter_that_is_not_loaded_answers_nothing(source: Source) -> None:
    engine = LlamaEngine(source, 1, 1)
    (answer,) = answer_all(engine, [(Ticket("u", 0), make_ask(make_prompt(), adapter="plan"))]).values()
    assert isinstance(answer, ModelFailed)
    assert "plan" in str(answer)
    engine.close()


def test_an_adapter_of_other_shapes_is_refused(source: Source, tmp_path: Path) -> None:
    engine, folder = LlamaEngine(source, 1, 1), tmp_path / "wide"
    folder.mkdir()
    (folder / CONFIG).write_text('{"r": 2, "lora_alpha": 4}')
    name = "base_model.model.model.layers.0.self_attn.v_proj.lora_{}.weight"
    save_file({name.format("A"): np.ones((2, 99), "f4"), name.format("B"): np.ones((32, 2), "f4")}, folder / WEIGHTS)
    with pytest.raises(BadInput, match="do not fit tiny-llama"):
        engine.adapt({"plan": folder})
    engine.close()


def test_a_file_of_another_vocabulary_is_refused(source: Source) -> None:
    class Shifted:
        """A tokenizer whose ids mean the neighbour's text."""

        def __getattr__(self, name: str) -> object:
            return getattr(source.tokenizer, name)

        def __call__(self, text: str, **how: object) -> object:
            return source.tokenizer(text, **how)

        def decode(self, ids: list[int], **how: object) -> object:
            return source.tokenizer.decode([ids[0] ^ 1], **how)

    server = source.open_server(1, 256)
    with pytest.raises(UnknownModel, match="that of the tokenizer"):
        dataclasses.replace(source, tokenizer=Shifted()).check_vocabulary(server)


def test_a_model_without_a_gguf_file_is_refused(tiny: Path) -> None:
    with pytest.raises(UnknownModel, match="no .gguf file"):
        find_source(Model(str(tiny)))


def test_another_device_is_refused() -> None:
    with pytest.raises(BadInput, match="model.device"):
        find_source(Model(device="cuda"))


def test_without_its_package_the_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r"autoact-studio\[llamacpp\]"):
        find_source(Model())


# -- the embedded model ----------------------------------------------------------------------------------------------


@pytest.mark.model
def test_the_embedded_model_answers_with_adapters_of_its_dequantised_weights(embedded: Weights, tmp_path: Path) -> None:
    """llama.cpp rounds activations to eight bits with these weights, so logits differ by some tenths."""
    folder = make_adapters(embedded, tmp_path, 0.06)["plan"]
    engine = LlamaEngine(find_source(Model()), 1, 1)
    engine.adapt({"plan": folder})
    answers = {name: answer_one(engine, make_ask(make_prompt(), 5, name), name) for name in (META, "plan")}
    assert answers[META].text != answers["plan"].text
    Reference(embedded).check(make_ask(make_prompt()), answers[META], 1.0)
    Reference(embedded, folder).check(make_ask(make_prompt()), answers["plan"], 1.0)
    engine.close()
