"""The attention of a model: its context window, and the masks of layers that see only the latest tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from autoact.errors import UnknownModel

FULL, SLIDING = "full_attention", "sliding_attention"
UNLIMITED = 10**9
"""From this value on, a tokenizer's limit means that none was set."""

Masks = Tensor | dict[str, Tensor]


class Attention:
    """The attention of one model."""

    def __init__(self, config: Any):
        """Takes the `config` of the text model. Raises UnknownModel when layers store more than keys and values."""
        kinds = set(getattr(config, "layer_types", None) or ())
        layers = {type(layer) for layer in DynamicCache(config=config).layers}
        if kinds - {FULL, SLIDING} or layers - {DynamicLayer, DynamicSlidingWindowLayer}:
            known = f"only layers of {FULL} and {SLIDING} can be computed here"
            raise UnknownModel(f"a model of type `{config.model_type}` does not run: {known}")
        self.span: int | None = config.sliding_window if DynamicSlidingWindowLayer in layers else None
        """Tokens that a layer with a sliding window sees, including the current one."""
        self.mixed = bool(kinds)
        """True when the model takes one mask for each kind of layer."""

    def masks(self, positions: Tensor, width: int) -> Masks:
        """Returns masks (B, 1, q, width), true for those of the first `width` tokens that (B, q) positions see."""
        at = torch.arange(width, device=positions.device)
        full = (at <= positions[:, :, None])[:, None]
        if self.span is None:
            return full
        latest = full & (at > positions[:, :, None] - self.span)[:, None]
        return {FULL: full, SLIDING: latest} if self.mixed else latest


def context_window(config: Any, tokenizer: Any) -> int | None:
    """Returns the most tokens of a prompt with its answer; None when neither model nor tokenizer sets a limit."""
    limits = (getattr(config, "max_position_embeddings", None), tokenizer.model_max_length)
    return min((limit for limit in limits if limit and limit < UNLIMITED), default=None)
