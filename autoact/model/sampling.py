"""Draws the next token of an answer, which depends only on its own logits and seed."""

from __future__ import annotations

import random

import torch
from torch import Tensor

from autoact.script import Sampling

CANDIDATES = 64
"""Likeliest tokens considered in a draw; the others have a negligible probability at usual temperatures."""


def draw(logits: Tensor, sampling: Sampling, seed: int, index: int, allowed: list[int] | None = None) -> int:
    """Returns the id of token `index` of an answer. logits: (vocabulary,). Temperature 0 takes the likeliest.

    The random number is a pure function of (seed, index), so a resumed answer gets the same tokens.
    """
    if allowed is not None:
        ids = torch.tensor(allowed, device=logits.device)
        logits = logits[ids]
    else:
        logits, ids = logits.topk(min(CANDIDATES, logits.numel()))
    if sampling.temperature <= 0:
        return int(ids[logits.argmax()])
    order = logits.argsort(descending=True, stable=True)
    weights = torch.softmax(logits[order].double() / sampling.temperature, dim=0).tolist()
    return int(ids[order[_pick(weights, sampling.top_p, random.Random(f"{seed}/{index}").random())]])


def _pick(weights: list[float], top_p: float, chance: float) -> int:
    """Returns the index that `chance` (0 to 1) selects among the first weights that together reach `top_p`."""
    nucleus, total = 0, 0.0
    while nucleus < len(weights) and total < top_p:
        total += weights[nucleus]
        nucleus += 1
    mark, reached = chance * total, 0.0
    for index in range(nucleus):
        reached += weights[index]
        if mark < reached:
            return index
    return nucleus - 1
