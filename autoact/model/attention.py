"""The attention of a model: its context window, the kinds of layers that can be computed, and its packed form."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from autoact.errors import UnknownModel
from autoact.model.packing import PackedPass

FULL, SLIDING = "full_attention", "sliding_attention"
UNLIMITED = 10**9
"""From this value on, a tokenizer's limit means that none was set."""
PACKED = "autoact_packed"
"""The name of `attend_packed` among the attention functions of transformers."""


def check_layers(model: Any) -> None:
    """Raises UnknownModel when layers store more than keys and values, or compute attention in their own code."""
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ())
    layers = {type(layer) for layer in DynamicCache(config=config).layers}
    known = f"only layers of {FULL} and {SLIDING} can be computed here"
    capped = getattr(config, "attn_logit_softcapping", None)
    if kinds - {FULL, SLIDING} or layers - {DynamicLayer, DynamicSlidingWindowLayer} or capped:
        raise UnknownModel(f"a model of type `{config.model_type}` does not run: {known}")
    if not model._supports_attention_backend:
        raise UnknownModel(f"a model of type `{config.model_type}` does not run: its attention cannot be replaced")


def context_window(config: Any, tokenizer: Any) -> int | None:
    """Returns the most tokens of a prompt with its answer; None when neither model nor tokenizer sets a limit."""
    limits = (getattr(config, "max_position_embeddings", None), tokenizer.model_max_length)
    return min((limit for limit in limits if limit and limit < UNLIMITED), default=None)


def attend_packed(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, *,
    packed: PackedPass, scaling: float | None = None, sliding_window: int | None = None, **_: Any,
) -> tuple[Tensor, None]:  # fmt: skip
    """Returns the attention of the N tokens of a packed pass: (1, N, heads, head size). query: (1, heads, N, size).

    The keys and values of the pass are already in its cache. Attention to a shared prefix and to the tokens of the own
    row are computed apart, and then added in proportion to their softmax sums.
    """
    layer = packed.cache.blocks[module.layer_idx]
    queries = query[0].transpose(0, 1)  # (N, heads, head size)
    output = torch.empty_like(queries, memory_format=torch.contiguous_format)
    sums = torch.empty(queries.shape[:2], dtype=torch.float32, device=query.device)
    for part in packed.rows:
        found, logs = part.attend(queries, layer.keys, layer.values, scaling, sliding_window)
        place = part.place(query.device)
        output[place], sums[place] = found, logs
    for shared in packed.prefixes:
        keys, values = shared.prefix.layers[module.layer_idx]
        found, logs = shared.attend(queries, keys, values, scaling, sliding_window)
        place = shared.place(query.device)
        own = output[place]
        weight = torch.sigmoid(logs - sums[place])[:, :, None]
        output[place] = own + ((found - own) * weight).to(own.dtype)
    return output[None], None


AttentionInterface.register(PACKED, attend_packed)
