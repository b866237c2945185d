"""The attention of several samples in one pass: each sees the common beginning and itself, and no other sample."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

SAMPLES = "autoact_samples"
"""The name of `attend_samples` among the attention functions of transformers."""
SHORT = 768
"""Most tokens of a single sample that `attend_samples` is for; the fused attention is faster with more of them."""


def use_sample_attention(model: Any) -> None:
    """Makes a model attend by `attend_samples`; where it gets no bounds, it computes what it did before."""
    model.config.get_text_config(decoder=True)._attn_implementation = SAMPLES


def attend_samples(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, *,
    bounds: Sequence[int] = (), scaling: float | None = None, dropout: float = 0.0, **others: Any,
) -> tuple[Tensor, None]:  # fmt: skip
    """Returns the attention (1, N, heads, head size) of the N tokens of a pass. query: (1, heads, N, head size).

    `bounds` are the ends of the common beginning and of each sample after it. Each is computed apart: one mask over all
    tokens would cost their square. Without bounds the tokens are those of one sample, or have a mask of their own.
    """
    if not bounds:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, dropout=dropout, **others
        )
    parts = []
    for start, end in pairwise((0, *bounds)):
        common, own = slice(min(start, bounds[0])), slice(start, end)
        keys, values = (torch.cat([one[0, :, common], one[0, :, own]], 1) for one in (key, value))
        parts.append(_attend(query[0, :, own], keys, values, scaling or query.shape[-1] ** -0.5, dropout))
    return torch.cat(parts, 1).transpose(0, 1)[None], None


def _attend(query: Tensor, key: Tensor, value: Tensor, scaling: float, dropout: float) -> Tensor:
    """Returns the attention (heads, n, head size) of the last n of m tokens. key and value: (key heads, m, head size).

    For a few hundred tokens on a processor its gradient takes half the time of that of PyTorch's fused attention.
    """
    (heads, count, size), (groups, total) = query.shape, key.shape[:2]
    later = torch.ones(count, total, dtype=torch.bool, device=query.device).triu(total - count + 1)
    hidden = torch.zeros_like(later, dtype=query.dtype).masked_fill_(later, -torch.inf).repeat(heads // groups, 1)
    # the queries that share a key head are rows of one product
    scores = torch.baddbmm(hidden, query.reshape(groups, -1, size), key.transpose(1, 2), alpha=scaling)
    weights = functional.dropout(scores.softmax(-1), dropout)
    return (weights @ value).view(heads, count, size)


AttentionInterface.register(SAMPLES, attend_samples)
AttentionMaskInterface.register(SAMPLES, sdpa_mask)
