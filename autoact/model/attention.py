"""What a model's layers attend to: its context window, and the masks of layers that see only the latest tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from autoact.errors import UnknownModel

FULL, SLIDING = "full_attention", "sliding_attention"
UNLIMITED = 10**9
"""From here on a tokenizer's limit means that nobody set one."""

Masks = Tensor | dict[str, Tensor]


class Attention:
    """The attention of one model."""

    def __init__(self, config: Any):
        """`config` is that of the text model. Raises UnknownModel when layers keep anything but keys and values."""
        kinds = set(getattr(config, "layer_types", None) or ())
        layers = {type(layer) for layer in DynamicCache(config=config).layers}
        if kinds - {FULL, SLIDING} or layers - {DynamicLayer, DynamicSlidingWindowLayer}:
            known = f"only layers of {FULL} and {SLIDING} can be computed here"
            raise UnknownModel(f"a model of type `{config.model_type}` does not run: {known}")
        self.span: int | None = config.sliding_window if DynamicSlidingWindowLayer in layers else None
        """Tokens that a layer with a sliding window sees, the present one included."""
        self.mixed = bool(kinds)
        """Whether the model wants a mask for each kind of layer."""

    def masks(self, positions: Tensor, width: int) -> Masks:
        """Which of the first `width` tokens are seen from (B, q) positions: (B, 1, q, width), true where one is."""
        at = torch.arange(width, device=positions.device)
        full = (at <= positions[:, :, None])[:, None]
        if self.span is None:
            return full
        latest = full & (at > positions[:, :, None] - self.span)[:, None]
        return {FULL: full, SLIDING: latest} if self.mixed else latest


def context_window(config: Any, tokenizer: Any) -> int | None:
    """Most tokens of a prompt and its answer together; None when neither model nor tokenizer sets a limit."""
    limits = (getattr(config, "max_position_embeddings", None), tokenizer.model_max_length)
    return min((limit for limit in limits if limit and limit < UNLIMITED), default=None)
