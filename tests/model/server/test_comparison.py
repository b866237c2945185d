"""Servers beside the weights that are here: another model with the same tokenizer is refused, a near tie is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from model_server import ModelServer

from autoact.errors import BadInput, ModelFailed
from autoact.model.server import comparison
from autoact.model.server.comparison import LENGTH, PROMPT, TIE, Comparison
from autoact.model.server.engine import ServerEngine
from autoact.model.store import Weights, load_model
from autoact.model.tokens import Tokens
from autoact.project.config import Differentiation
from autoact.script import Card, Train
from autoact.training.lazy import open_trainer

Start = Callable[..., ModelServer]
Open = Callable[..., ServerEngine]


@pytest.fixture
def other(weights: Weights) -> Weights:
    """Another model with the tiny model's tokenizer."""
    torch.manual_seed(99)
    model = type(weights.model)(weights.model.config).eval()
    return Weights(model, weights.tokenizer, "other", weights.folder)


def greedy(weights: Weights) -> tuple[int, ...]:
    """The likeliest tokens of a model after the prompt."""
    prompt = torch.tensor([Tokens(weights.tokenizer).prompt(PROMPT)])
    made = weights.model.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=LENGTH, do_sample=False, pad_token_id=0
    )
    return tuple(made[0, prompt.shape[1] :].tolist())


def test_the_same_model_is_asked_for_eight_tokens(start: Start, open_servers: Open, weights: Weights) -> None:
    server = start()
    open_servers(server)
    (asked,) = [body for path, body, _ in server.asked if path == "/v1/completions"]
    assert (asked["max_tokens"], asked["temperature"]) == (LENGTH, 0.0)
    Comparison({server.url: greedy(weights)}, Tokens(weights.tokenizer), "tiny").check(weights)


def test_another_model_with_the_same_tokenizer_is_refused(
    start: Start, open_servers: Open, weights: Weights, other: Weights
) -> None:
    right, wrong = start(), ModelServer(other)
    tokens = Tokens(weights.tokenizer)
    try:
        with pytest.raises(BadInput, match=r"^key `server\.urls`: http://127.* serves another model than") as refused:
            open_servers(right, wrong)
    finally:
        wrong.kill()
    message = str(refused.value)
    assert wrong.url in message
    assert right.url not in message
    for model in (weights, other):
        assert f"`{tokens.text(list(greedy(model))).strip()}`" in message


def test_a_token_that_is_nearly_the_likeliest_is_accepted(weights: Weights) -> None:
    tokens = Tokens(weights.tokenizer)
    first = comparison._logits(weights.model, tokens.prompt(PROMPT), [0])[0]
    order = first.argsort(descending=True).tolist()
    short = {token: float(first.max() - first[token]) for token in order[1:]}
    far = next(token for token, by in short.items() if by > TIE)
    with pytest.raises(BadInput, match="serves another model"):
        Comparison({"http://127.0.0.1:1": (far,)}, tokens, "tiny").check(weights)
    with pytest.raises(BadInput, match="serves another model"):
        Comparison({"http://127.0.0.1:1": (len(first) + 5,)}, tokens, "tiny").check(weights)
    head = weights.model.get_output_embeddings().weight
    with torch.no_grad():  # the second token becomes as good as the first, but for rounding
        head[order[1]] = head[order[0]] * 0.999
    Comparison({"http://127.0.0.1:1": (order[1],)}, tokens, "tiny").check(weights)


@pytest.mark.parametrize("how", ["large", "few bits"])
def test_weights_that_cannot_be_compared_are_not_loaded(
    how: str, start: Start, open_servers: Open, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(name: str, *how: str) -> Weights:
        loaded.append(name)
        return load_model(name, *how)

    monkeypatch.setattr(comparison, "load_model", load)
    open_servers(start())
    assert len(loaded) == 1
    if how == "large":
        monkeypatch.setattr(comparison, "LARGEST", 1)
        open_servers(start())
    else:
        open_servers(start(dialect="llamacpp"))
    assert len(loaded) == 1


def test_weights_that_were_too_large_are_compared_before_they_are_trained(
    start: Start, open_servers: Open, weights: Weights, other: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "LARGEST", 1)
    wrong = ModelServer(other)
    request = Train("plan", (), Card("Answer the question.", ()))
    try:
        engine = open_servers(wrong)
        with pytest.raises(BadInput, match="serves another model than"):
            next(open_trainer(engine, Differentiation(), seed=1, root=tmp_path).train(request))
    finally:
        wrong.kill()
    with pytest.raises(ModelFailed, match="nothing to learn from"):
        next(open_trainer(open_servers(start()), Differentiation(), seed=1, root=tmp_path).train(request))
