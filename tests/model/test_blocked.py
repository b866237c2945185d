"""Blocked weights: equal products in bfloat16, gone before training, and only where there is memory for them."""

from __future__ import annotations

import pytest
import torch

from autoact.model import blocked
from autoact.model.blocked import BlockedWeights

needs_bfloat16 = pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="this processor has no products in bfloat16"
)


def make_model(dtype: torch.dtype = torch.bfloat16) -> torch.nn.Sequential:
    torch.manual_seed(3)
    layers = torch.nn.Linear(64, 96), torch.nn.SiLU(), torch.nn.Linear(96, 48, bias=False)
    return torch.nn.Sequential(*layers).to(dtype)


@needs_bfloat16
@pytest.mark.parametrize("tokens", [1, 5, 24, 200])
def test_products_are_equal_bit_by_bit(tokens: int) -> None:
    model, inputs = make_model(), torch.randn(1, tokens, 64).bfloat16()
    with torch.inference_mode():
        plain = model(inputs)
        weights = BlockedWeights(model)
        weights.add()
        assert len(weights.layers) == 2
        assert torch.equal(model(inputs), plain)


@needs_bfloat16
def test_layers_have_gradients_again_after_removal() -> None:
    model, inputs = make_model(), torch.randn(4, 64).bfloat16()
    weights = BlockedWeights(model)
    weights.add()
    weights.remove()
    model(inputs).sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())
    assert weights.layers == []


@needs_bfloat16
def test_nothing_is_copied_when_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model()
    size = sum(layer.weight.nbytes for layer in model if isinstance(layer, torch.nn.Linear))
    for free, copied in ((int(size / blocked.SHARE) - 8, 0), (int(size / blocked.SHARE) + 8, 2)):
        monkeypatch.setattr(blocked, "free_memory", lambda device, free=free: free)
        weights = BlockedWeights(model)
        weights.add()
        assert len(weights.layers) == copied


@needs_bfloat16
def test_a_layer_with_a_method_of_its_own_keeps_it() -> None:
    model = make_model()

    def forward(inputs: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(inputs), 96, dtype=inputs.dtype)

    model[0].forward = forward  # type: ignore[method-assign]
    weights = BlockedWeights(model)
    weights.add()
    assert weights.layers == [model[2]]
    weights.remove()
    assert model[0].forward is forward


def test_other_precisions_keep_their_weights() -> None:
    weights = BlockedWeights(make_model(torch.float32))
    weights.add()
    assert weights.layers == []
