"""Estimates the memory that a pass of training needs, and saves memory when there is too little."""

from __future__ import annotations

from typing import Any

import torch

from autoact.model.memory import free_memory
from autoact.training.attention import SHORT

UNKNOWN = 4 << 30
"""Bytes that are taken as free where the system does not say."""

USED = 0.8
"""Largest share of the free memory that a pass may need without checkpointing."""
STATES, INNER_STATES = 14, 4
"""Vectors that a layer keeps of each token for the gradient, of the model's size and of its MLP's, with adapters on all
its linear layers."""
ATTENDED = SHORT // 2
"""Tokens to which a token attends by weights that are kept, on average."""


def available_memory(device: torch.device) -> int:
    """Returns the free bytes of a device; UNKNOWN where the system does not tell."""
    free = free_memory(device)
    return UNKNOWN if free is None else free


def save_memory(model: Any, tokens: int) -> bool:
    """Switches gradient checkpointing on if a pass over so many tokens would not fit; returns whether it did.

    A layer then keeps only its input and computes the rest again for the gradient: equal bytes, a third more time.
    """
    short = pass_memory(model, tokens) > USED * available_memory(model.device)
    if short and model.supports_gradient_checkpointing:
        model.activation_checkpointing_enable()
        return True
    return False


def pass_memory(model: Any, tokens: int) -> int:
    """Returns about how many bytes a pass over so many tokens keeps for the gradient."""
    config = model.config.get_text_config(decoder=True)
    inner = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    inner *= getattr(config, "num_experts_per_tok", None) or 1
    size = torch.finfo(model.dtype).bits // 8 if model.dtype.is_floating_point else 2
    kept = STATES * config.hidden_size + INNER_STATES * inner + ATTENDED * config.num_attention_heads
    return int(tokens * config.num_hidden_layers * kept * size)
