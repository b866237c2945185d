"""Weights of linear layers in the blocked layout of oneDNN, which computes with no other.

For a plain weight it makes a blocked copy at each call. With few tokens in a pass, that takes longer than the product.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from autoact.model.memory import free_memory

SHARE = 0.25
"""The largest share of the free memory that the blocked copies may take: the plain weights are needed for training."""


class BlockedWeights:
    """Blocked copies of a model's weights, which its linear layers compute with until they are removed."""

    def __init__(self, model: torch.nn.Module):
        self.model = model
        self.layers: list[Any] = []

    def add(self) -> None:
        """Makes the copies, if they are of use: on a processor, in bfloat16, and while there is memory for them."""
        if self.layers:
            return
        linear = (layer for layer in self.model.modules() if isinstance(layer, torch.nn.Linear))
        found: list[Any] = [layer for layer in linear if _has_form(layer)]
        free = free_memory(torch.device("cpu"))
        if free is not None and sum(layer.weight.nbytes for layer in found) > SHARE * free:
            return
        for layer in found:
            blocked = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), None)
            layer.forward = partial(_multiply, blocked, layer.bias)
        self.layers = found

    def remove(self) -> None:
        """Makes the layers compute with their plain weights again, which have gradients."""
        for layer in self.layers:
            del layer.forward
        self.layers = []


def _has_form(layer: torch.nn.Linear) -> bool:
    """Returns whether a plain linear layer gives equal products, bit by bit, with a blocked copy of its weight.

    A layer whose method was replaced, as for a model that is spread over several devices, is not plain.
    """
    plain = type(layer) is torch.nn.Linear and "forward" not in vars(layer)
    return (
        plain
        and layer.weight.device.type == "cpu"
        and layer.weight.dtype == torch.bfloat16
        and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    )


def _multiply(blocked: Tensor, bias: Tensor | None, inputs: Tensor) -> Tensor:
    """Returns the output of a layer; see torch.nn.functional.linear."""
    output: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, blocked, bias, "none", [], "")
    return output
