"""Computes the likelihood of a text after each of several beginnings."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from autoact.model.tokens import Tokens
from autoact.script import Match

BATCH_SIZE = 16
"""Most beginnings in one forward pass."""


def find_match(model: torch.nn.Module, tokens: Tokens, ask: Match) -> tuple[str, int]:
    """Returns the choice after whose beginning the text is likeliest (the first of equals), and the tokens encoded."""
    beginnings = [tokens.plain(beginning) for beginning in ask.beginnings]
    text = tokens.segment(ask.text)
    found: list[float] = []
    for at in range(0, len(beginnings), BATCH_SIZE):
        found += _log_likelihoods(model, beginnings[at : at + BATCH_SIZE], text)
    best = max(range(len(found)), key=found.__getitem__)
    return ask.choices[best], sum(map(len, beginnings)) + len(beginnings) * len(text)


@torch.inference_mode()
def _log_likelihoods(
    model: torch.nn.Module, beginnings: Sequence[tuple[int, ...]], text: tuple[int, ...]
) -> list[float]:
    """Returns the log-likelihood of `text` after each of the `beginnings`, in nats."""
    rows = [(*one, *text) for one in beginnings]
    longest = max(map(len, rows))
    device = next(model.parameters()).device
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows], device=device)
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits  # (rows, longest, vocabulary)
    wanted = torch.tensor(text, device=device)[:, None]
    return [
        float(logits[row, len(one) - 1 : len(one) - 1 + len(text)].float().log_softmax(-1).gather(1, wanted).sum())
        for row, one in enumerate(beginnings)
    ]
