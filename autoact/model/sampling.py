"""Draws the next tokens of many answers at once; each depends only on its own logits and seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from autoact.script import Sampling

CANDIDATES = 64
"""Likeliest tokens considered in a draw; the others have a negligible probability at usual temperatures."""


class Draw(NamedTuple):
    """A token to draw: the one with this number in its answer."""

    sampling: Sampling
    seed: int
    number: int
    allowed: Sequence[int] | None = None
    """The only ids that may be drawn; None for any."""
    forbidden: Sequence[int] = ()


@torch.inference_mode()
def draw_tokens(logits: Tensor, draws: Sequence[Draw]) -> list[tuple[int, float]]:
    """Returns an id for each row of logits (B, vocabulary), which it changes, and the probability of the id.

    Temperature 0 takes the likeliest. The probability is that among the ids that may be drawn, at temperature 1.

    The random number is a pure function of (seed, number), so a resumed answer gets the same tokens.
    """
    _hide(logits, draws)
    totals = logits.logsumexp(-1, keepdim=True).cpu()
    most = max(CANDIDATES, *(len(one.allowed or ()) for one in draws))
    best, ids = (found.cpu() for found in logits.topk(min(most, logits.shape[-1])))
    ids, order = ids.sort(dim=-1)  # of equally likely tokens, the first comes first, whatever else is in the batch
    best, order = best.gather(1, order).sort(dim=-1, descending=True, stable=True)
    ids = ids.gather(1, order)
    places = _pick(best, draws)
    drawn = ids.gather(1, places[:, None])[:, 0].tolist()
    return list(zip(drawn, (best - totals).gather(1, places[:, None])[:, 0].exp().tolist(), strict=True))


def _hide(logits: Tensor, draws: Sequence[Draw]) -> None:
    """Sets the logits of tokens that may not be drawn to minus infinity."""
    rows = [row for row, one in enumerate(draws) for _ in one.forbidden]
    if rows:
        logits[rows, [id for one in draws for id in one.forbidden]] = -torch.inf
    bound = [row for row, one in enumerate(draws) if one.allowed is not None]
    if bound:
        hidden = torch.zeros(logits.shape, dtype=torch.bool)
        hidden[bound] = True
        allowed = [(row, id) for row in bound for id in draws[row].allowed or ()]
        hidden[[row for row, _ in allowed], [id for _, id in allowed]] = False
        logits.masked_fill_(hidden.to(logits.device), -torch.inf)


def _pick(best: Tensor, draws: Sequence[Draw]) -> Tensor:
    """Returns the place (B,) of the drawn token among the likeliest ones (B, candidates), in falling order.

    Draws among the first ones that together reach `top_p`.
    """
    warm = torch.tensor([max(one.sampling.temperature, 0.0) for one in draws], dtype=torch.float64)
    chances = torch.tensor([random.Random(f"{one.seed}/{one.number}").random() for one in draws], dtype=torch.float64)
    reach = torch.tensor([one.sampling.top_p for one in draws], dtype=torch.float64)
    scaled = (best.double() - best[:, :1].double()) / warm.clamp_min(1e-9)[:, None]
    sums = scaled.softmax(-1).cumsum(-1)
    before = torch.cat([torch.zeros(len(sums), 1, dtype=sums.dtype), sums[:, :-1]], 1)
    nucleus = (before < reach[:, None]).sum(1).clamp_min(1)
    marks = chances * sums.gather(1, nucleus[:, None] - 1)[:, 0]
    places = torch.minimum((sums <= marks[:, None]).sum(1), nucleus - 1)
    return places.masked_fill(warm <= 0, 0)
