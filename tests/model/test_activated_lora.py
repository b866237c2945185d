"""Activated LoRA: adapters that are in use from their invocation on share the base model's cache, and are exact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor

from autoact.model.engine import Ticket
from autoact.model.local import LocalEngine, LocalRunning
from autoact.model.store import Weights, load_model
from autoact.script import Answer, Ask, Prompt

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

INVOCATIONS = {"plan": "Thought:", "tool": "Argument:", "reflect": "Thought:"}
OPENING = Prompt("Answer in steps.", "Who wrote the opera Fidelio, and when was it first played in Vienna? " * 3)
TURNS = (
    ("plan", "Thought:"), ("plan", "\n", "Action:"), ("tool", " Retrieve\n", "Argument:"),
    ("meta", "\nObservation: Fidelio is an opera by Beethoven.\n", "Action:"), ("plan", "\n", "Thought:"),
    ("plan", "\n", "Action:"), ("tool", " Finish\n", "Argument:"), ("reflect", "\nReflect\n", "Thought:"),
    ("reflect", "\nAction: Reflect\n", "Argument:"),
)  # fmt: skip
"""Who speaks, and what is appended to the prompt before; the answers are appended too."""


class OpenEngine(LocalEngine):
    """The local engine, keeping the logits of each answer's tokens."""

    def __init__(self, weights: Weights, lanes: int):
        super().__init__(weights, lanes)
        self.seen: dict[Ticket, list[Tensor]] = {}

    def _take(self, asks: list[LocalRunning], logits: Tensor) -> None:
        for running, row in zip(asks, logits, strict=False):
            self.seen.setdefault(running.ticket, []).append(row.clone())
        super()._take(asks, logits)


@pytest.fixture
def folders(weights: Weights, tmp_path: Path) -> dict[str, Path]:
    """Folders of three activated adapters with a strong effect."""
    return make_adapters(weights, tmp_path)


def make_adapters(weights: Weights, root: Path) -> dict[str, Path]:
    model = load_model(str(weights.folder), "cpu", "float32").model
    for number, (name, text) in enumerate(INVOCATIONS.items()):
        torch.manual_seed(number)
        tokens = weights.tokenizer(text, add_special_tokens=False)["input_ids"]
        settings: Any = {"target_modules": ["q_proj", "v_proj", "down_proj"], "alora_invocation_tokens": tokens}
        peft = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=4, **settings))
        for key, weight in peft.named_parameters():
            if "lora_B" in key:
                torch.nn.init.normal_(weight, std=0.3)
        peft.save_pretrained(str(root / name))
        model = peft.unload()
    return {name: root / name for name in INVOCATIONS}


def answer(engine: LocalEngine, asks: dict[Ticket, Ask]) -> dict[Ticket, Answer]:
    for ticket, ask in asks.items():
        engine.submit(ticket, ask, 1)
    found: dict[Ticket, Any] = {}
    for _ in range(500):
        found.update(engine.step())
        if len(found) == len(asks):
            return found
    raise AssertionError("the engine does not come to an end")


@torch.inference_mode()
def recompute(model: Any, ids: list[int], last: int) -> Tensor:
    """Returns the logits after each of the last ids, by PEFT's own activated LoRA, without a cache."""
    logits: Tensor = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -last:].float()
    return logits


def play(engine: OpenEngine, models: dict[str, Any], units: int) -> list[Answer]:
    """Plays all turns of several episodes at once, and compares every answer with a recomputation."""
    prompts = [OPENING.then(f"Question {number}\n") for number in range(units)]
    answers: list[Answer] = []
    for n, (role, *texts) in enumerate(TURNS):
        prompts = [prompt.then(*texts) for prompt in prompts]
        asks = {
            Ticket(f"t-{number}", n): Ask(role, "thought", prompt, stop=("\x00",), limit=5)
            for number, prompt in enumerate(prompts)
        }
        found = answer(engine, asks)
        for number, (ticket, ask) in enumerate(asks.items()):
            ids = engine.tokens.prompt(ask.prompt)
            wanted = recompute(models[role], [*ids, *found[ticket].tokens[:-1]], len(found[ticket].tokens))
            torch.testing.assert_close(torch.stack(engine.seen[ticket]), wanted, atol=1e-3, rtol=0)
            assert list(found[ticket].tokens) == wanted.argmax(-1).tolist()
            prompts[number] = prompts[number].then(found[ticket].text)
        answers += found.values()
    return answers


@pytest.mark.parametrize("units", [1, 3])
def test_activated_adapters_equal_a_recomputation_and_share_one_cache(
    weights: Weights, folders: dict[str, Path], units: int
) -> None:
    models: dict[str, Any] = {"meta": load_model(str(weights.folder), "cpu", "float32").model}
    for name, folder in folders.items():
        models[name] = PeftModel.from_pretrained(
            load_model(str(weights.folder), "cpu", "float32").model, str(folder)
        ).eval()
    engine = OpenEngine(weights, units)
    engine.adapt(folders)
    answers = play(engine, models, units)
    assert {row.kind for row in engine.rows.rows} == {"meta"}
    assert len({one.text for one in answers[::units]}) > 3
    distinct = units * max(one.prompt_tokens for one in answers)
    assert sum(one.prefilled for one in answers) < 1.25 * distinct  # short turns: much of each is its invocation


def test_an_adapter_that_is_not_invoked_changes_nothing(weights: Weights, folders: dict[str, Path]) -> None:
    engine, ticket = LocalEngine(weights, 1), Ticket("t", 0)
    engine.adapt(folders)
    prompt = OPENING.then("Action:")
    tool = answer(engine, {ticket: Ask("tool", "argument", prompt, limit=8)})[ticket]
    meta = answer(engine, {ticket: Ask("meta", "argument", prompt, limit=8)})[ticket]
    assert tool.tokens == meta.tokens
