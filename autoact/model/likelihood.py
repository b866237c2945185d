"""How likely a model finds a text after each of several beginnings."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from autoact.model.tokens import Tokens
from autoact.script import Match

TOGETHER = 16
"""Beginnings in one pass."""


def find_match(model: torch.nn.Module, tokens: Tokens, ask: Match) -> tuple[str, int]:
    """The choice that the text goes with, the first of equals, and how many tokens it took to find out."""
    begun = [tokens.plain(beginning) for beginning in ask.beginnings]
    said = tokens.segment(ask.text)
    found: list[float] = []
    for at in range(0, len(begun), TOGETHER):
        found += _log_likelihoods(model, begun[at : at + TOGETHER], said)
    best = max(range(len(found)), key=found.__getitem__)
    return ask.choices[best], sum(map(len, begun)) + len(begun) * len(said)


def match_tokens(tokens: Tokens, ask: Match) -> int:
    """Tokens of the longest row that a match is found with."""
    return max(len(tokens.plain(beginning)) for beginning in ask.beginnings) + len(tokens.segment(ask.text))


@torch.inference_mode()
def _log_likelihoods(model: torch.nn.Module, begun: Sequence[tuple[int, ...]], said: tuple[int, ...]) -> list[float]:
    """Of `said` after each beginning, in nats."""
    rows = [(*one, *said) for one in begun]
    longest = max(map(len, rows))
    device = next(model.parameters()).device
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows], device=device)
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits  # (rows, longest, vocabulary)
    wanted = torch.tensor(said, device=device)[:, None]
    return [
        float(logits[row, len(one) - 1 : len(one) - 1 + len(said)].float().log_softmax(-1).gather(1, wanted).sum())
        for row, one in enumerate(begun)
    ]
