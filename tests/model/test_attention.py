"""An ask that does not fit the context window is refused; layers with a sliding window see their window and no more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma3TextConfig,
    JambaConfig,
    Llama4TextConfig,
    MistralConfig,
    PreTrainedModel,
)

from autoact.errors import ContextFull, ModelFailed, UnknownModel
from autoact.model.attention import check_layers, context_window
from autoact.model.engine import Ticket
from autoact.model.local import LocalEngine, LocalRunning
from autoact.model.store import Weights, load_model
from autoact.script import Answer, Ask, Match, Prompt

PROMPT = Prompt("Answer in steps.", "Who wrote Fidelio?", ("Thought:",))
TICKET = Ticket("t", 0)


def answered(engine: LocalEngine, ask: Ask) -> Answer | ModelFailed:
    engine.submit(TICKET, ask, 1)
    for _ in range(1000):
        for _, answer in engine.step():
            return answer
    raise AssertionError("the engine does not come to an end")


@pytest.fixture
def engine(weights: Weights) -> LocalEngine:
    return LocalEngine(weights, 2)


@pytest.fixture
def length(engine: LocalEngine) -> int:
    return len(engine.tokens.prompt(PROMPT))


# -- the context window ----------------------------------------------------------------------------------------------


def test_the_window_is_the_smaller_limit_of_model_and_tokenizer(tiny: Path, tmp_path: Path) -> None:
    assert LocalEngine(load_model(str(tiny), "cpu"), 1).window == 4096
    folder = tmp_path / "narrow"
    shutil.copytree(tiny, folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "model_max_length": 300}))
    assert LocalEngine(load_model(str(folder), "cpu"), 1).window == 300


def test_no_limit_is_no_window(weights: Weights) -> None:
    assert context_window(object(), weights.tokenizer) is None


@pytest.mark.parametrize("over", [0, 1])
def test_an_answer_must_fit_to_its_last_token(engine: LocalEngine, length: int, over: int) -> None:
    engine.window = length + 20 - over
    answer = answered(engine, Ask("meta", "thought", PROMPT, stop=("\x00",), limit=20))
    assert isinstance(answer, ContextFull if over else Answer)
    if over:
        assert str(answer).endswith(f"take {length + 20} tokens, the model's context window has {length + 19}")


@pytest.mark.parametrize("over", [0, 1])
def test_so_must_the_longest_choice(engine: LocalEngine, length: int, over: int) -> None:
    choices = (" Retrieve\n", " Look up the word opera\n")
    longest = len(engine.tokens.segment(choices[1]))
    engine.window = length + longest - over
    assert isinstance(answered(engine, Ask("meta", "action", PROMPT, choices=choices)), ContextFull if over else Answer)


@pytest.mark.parametrize("over", [0, 1])
def test_so_must_a_match(engine: LocalEngine, over: int) -> None:
    beginnings, text = ("The tool Retrieve reads a page:", "Lookup:"), " Who wrote Fidelio?\n"
    engine.window = len(engine.tokens.plain(beginnings[0])) + len(engine.tokens.segment(text)) - over
    match = Match("meta", "action", PROMPT, choices=(" a", " b"), beginnings=beginnings, text=text)
    assert isinstance(answered(engine, match), ContextFull if over else Answer)


def test_the_others_are_answered(engine: LocalEngine, length: int) -> None:
    engine.window = length + 100
    short = Ask("meta", "thought", PROMPT, limit=5)
    engine.submit(Ticket("short", 0), short, 1)
    long = PROMPT.then(" long" * 200)
    assert isinstance(answered(engine, Ask("meta", "thought", long, limit=5)), ContextFull)
    assert not [running for running in engine.running if running.ticket.unit == "t"]


# -- sliding windows -------------------------------------------------------------------------------------------------

SIZES: dict[str, Any] = dict(
    vocab_size=320, hidden_size=64, intermediate_size=96, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
    max_position_embeddings=4096, initializer_range=0.2, pad_token_id=None, bos_token_id=None, eos_token_id=0,
)  # fmt: skip
SLIDING = {
    "every layer": MistralConfig(num_hidden_layers=2, sliding_window=24, **SIZES),
    "two of three": Gemma3TextConfig(
        num_hidden_layers=3, sliding_window=24, query_pre_attn_scalar=16, **SIZES,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
    ),
}  # fmt: skip


@pytest.fixture(params=list(SLIDING))
def sliding(request: pytest.FixtureRequest, weights: Weights) -> Weights:
    torch.manual_seed(3)
    model: PreTrainedModel = AutoModelForCausalLM.from_config(SLIDING[request.param], attn_implementation="sdpa")
    return Weights(model.eval(), weights.tokenizer, "sliding", weights.folder)


class OpenEngine(LocalEngine):
    """The local engine, keeping the logits each token was chosen from."""

    def __init__(self, weights: Weights):
        super().__init__(weights, 2)
        self.seen: list[torch.Tensor] = []

    def _take(self, asks: list[LocalRunning], logits: torch.Tensor) -> None:
        self.seen += list(logits.clone())[: len(asks)]
        super()._take(asks, logits)


def test_a_sliding_window_is_kept_to_over_a_growing_cache(sliding: Weights) -> None:
    engine, prompt = OpenEngine(sliding), PROMPT
    for _ in range(3):
        ids = engine.tokens.prompt(prompt)
        answer = answered(engine, Ask("meta", "thought", prompt, stop=("\x00",), limit=12))
        assert isinstance(answer, Answer)
        with torch.no_grad():
            logits = sliding.model(torch.tensor([[*ids, *answer.tokens[:-1]]]), use_cache=False).logits[0]
        torch.testing.assert_close(torch.stack(engine.seen), logits[len(ids) - 1 :], atol=1e-3, rtol=0)
        engine.seen.clear()
        prompt = prompt.then(answer.text, "\n", "Action:")


@pytest.mark.parametrize("config", [JambaConfig(), Llama4TextConfig()])
def test_other_layers_are_refused(weights: Weights, config: Any) -> None:
    weights.model.config = config
    with pytest.raises(UnknownModel, match=f"type `{config.model_type}`"):
        check_layers(weights.model)


def test_a_model_with_attention_code_of_its_own_is_refused(weights: Weights) -> None:
    weights.model._supports_attention_backend = False
    with pytest.raises(UnknownModel, match="type `llama` does not run: its attention"):
        LocalEngine(weights, 1)
