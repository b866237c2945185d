"""A text goes with the beginning after which the model finds it likeliest."""

from __future__ import annotations

import pytest
import torch

from autoact.model import likelihood
from autoact.model.engine import Ticket
from autoact.model.local import LocalEngine
from autoact.model.store import Weights
from autoact.model.tokens import Tokens
from autoact.script import Answer, Ask, Match, Prompt

BEGINNINGS = ("Question: Who wrote", "Action: Retrieve", "Thought:", "Observation: Fidelio is an opera by Beethoven.")
TEXT = " Action: Lookup\n"
ASK = Match(
    "meta", "action", Prompt("s", "u"), choices=("a", "b", "c", "d"), beginnings=BEGINNINGS, text=TEXT
)  # fmt: skip


def alone(weights: Weights, beginning: str) -> float:
    """The text's log-likelihood after one beginning, a token at a time and without padding."""
    tokens = Tokens(weights.tokenizer)
    ids, total = list(tokens.plain(beginning)), 0.0
    for wanted in tokens.segment(TEXT):
        with torch.inference_mode():
            logits = weights.model(input_ids=torch.tensor([ids])).logits[0, -1]
        total += float(logits.log_softmax(-1)[wanted])
        ids.append(wanted)
    return total


def answer(weights: Weights, ask: Ask) -> Answer:
    engine = LocalEngine(weights, lanes=1)
    engine.submit(Ticket("u", 0), ask, 7)
    (done,) = engine.step()
    assert isinstance(done[1], Answer)
    return done[1]


def test_the_likeliest_is_found(weights: Weights) -> None:
    expected = [alone(weights, beginning) for beginning in BEGINNINGS]
    tokens = Tokens(weights.tokenizer)
    begun = [tokens.plain(beginning) for beginning in BEGINNINGS]
    assert likelihood._log_likelihoods(weights.model, begun, tokens.segment(TEXT)) == pytest.approx(expected, abs=1e-3)
    assert answer(weights, ASK).text == ASK.choices[expected.index(max(expected))]


@pytest.mark.parametrize("together", [1, 3])
def test_how_many_are_looked_at_together_changes_nothing(
    weights: Weights, monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    expected = answer(weights, ASK)
    monkeypatch.setattr(likelihood, "BATCH_SIZE", together)
    found = answer(weights, ASK)
    assert (found.text, found.prompt_tokens) == (expected.text, expected.prompt_tokens)


def test_other_asks_go_on(weights: Weights) -> None:
    engine = LocalEngine(weights, lanes=1)
    engine.submit(Ticket("u", 0), Ask("meta", "text", Prompt("s", "u"), limit=3), 7)
    engine.submit(Ticket("v", 0), ASK, 7)
    found: dict[str, object] = {}
    while len(found) < 2:
        found |= {ticket.unit: answered for ticket, answered in engine.step()}
    assert found["v"].text == answer(weights, ASK).text  # type: ignore[attr-defined]
