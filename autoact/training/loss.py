"""The loss of trajectories: several in one forward pass, in which what they begin with is encoded once."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any

import torch
from msgspec import Struct
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from autoact.training.spans import Encoded, Span

PASS = 1_024
"""Tokens of several trajectories in one pass at most. What it must remember for the gradient grows with their square
where a GPU is told to repeat its sums: its attention then keeps a weight for each pair, in every head and layer."""
COMMON = -1
"""The owner of tokens that all trajectories of a pass begin with."""
CLOSE = 0.05
"""Difference of logits, relative to their size, that is put down to rounding in 16 bits."""


class Sample(Struct, frozen=True):
    """One trajectory with the spans that carry loss for the adapter in training."""

    encoded: Encoded
    spans: tuple[Span, ...]

    @property
    def ids(self) -> tuple[int, ...]:
        """As many tokens as the loss depends on."""
        return self.encoded.ids[: self.spans[-1].end]

    @property
    def tokens(self) -> int:
        """Those that carry loss."""
        return sum(span.end - span.start for span in self.spans)


class PackedRow(Struct, frozen=True):
    """Samples in one row of N tokens: what they have in common, then what each goes on with."""

    ids: list[int]
    positions: list[int]
    """(N,): of each token in its own sample."""
    owners: list[int]
    """(N,): the sample that each token is of, or COMMON."""
    places: list[int]
    """Tokens after which one follows that carries loss."""
    targets: list[int]
    """What follows them."""

    @property
    def mask(self) -> Tensor:
        """(1, 1, N, N), true where the row's token sees the column's: those before it in its own sample."""
        owners, at = torch.tensor(self.owners), torch.arange(len(self.ids))
        mine = (owners == owners[:, None]) | (owners == COMMON)
        return (mine & (at <= at[:, None]))[None, None]


def span_losses(model: Any, samples: Sequence[Sample], *, together: bool) -> Iterator[Tensor]:
    """Summed cross-entropy over the samples' spans, in nats, pass by pass; `together` packs them where `packs` says so.

    In sum equal to that over the published recipe's separate samples, one for each span, and so is its gradient:
    attention is causal, and no sample sees another. Logits are computed at loss-bearing places only.
    """
    for group in group_samples(samples) if together else ([sample] for sample in samples):
        row = pack_samples(group)
        targets = torch.tensor(row.targets, device=model.device)
        yield functional.cross_entropy(_logits(model, row), targets, reduction="sum")


def group_samples(samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    """The samples of each pass: as many as there is room for, in their order."""
    group: list[Sample] = []
    for sample in samples:
        if group and len(pack_samples([*group, sample]).ids) > PASS:
            yield group
            group = []
        group.append(sample)
    if group:
        yield group


def pack_samples(samples: Sequence[Sample]) -> PackedRow:
    """Lay samples out in one row; a single one has its whole in common with itself."""
    common = _common(samples)
    row = PackedRow([*samples[0].ids[:common]], [*range(common)], [COMMON] * common, [], [])
    for owner, sample in enumerate(samples):
        moved, rest = len(row.ids) - common, sample.ids[common:]
        for span in sample.spans:
            row.places.extend(at if at < common else at + moved for at in range(span.start - 1, span.end - 1))
            row.targets.extend(sample.ids[span.start : span.end])
        row.ids.extend(rest)
        row.positions.extend(range(common, len(sample.ids)))
        row.owners.extend([owner] * len(rest))
    return row


def _common(samples: Sequence[Sample]) -> int:
    """With how many tokens all begin."""
    alike = takewhile(lambda ids: len(set(ids)) == 1, zip(*(sample.ids for sample in samples), strict=False))
    return sum(1 for _ in alike)


def can_pack(model: Any) -> bool:
    """Whether a model takes a mask and positions of our own, and makes of them what we mean.

    Attention must reach back to the beginning in every layer, through kernels that know any mask; and a few tokens
    packed must have the logits that they have alone.
    """
    config = model.config.get_text_config(decoder=True)
    layers = DynamicCache(config=config).layers
    plain = bool(layers) and all(type(layer) is DynamicLayer for layer in layers)
    known = "position_ids" in inspect.signature(model.forward).parameters
    if not (plain and known and config._attn_implementation in ("sdpa", "eager")):
        return False
    words = tuple(number % config.vocab_size for number in range(1, 97))
    long, short = (
        Sample(Encoded(ids, ()), (Span("thought", "", len(ids) - 1, len(ids)),))
        for ids in (words[:72], words[:8] + words[72:])
    )
    with torch.inference_mode():
        alone = torch.cat([_logits(model, pack_samples([sample])) for sample in (long, short)])
        both = _logits(model, pack_samples([long, short]))
    return bool((alone - both).norm() <= CLOSE * alone.norm())


def _logits(model: Any, row: PackedRow) -> Tensor:
    """(places, vocabulary), in 32 bits. The model's own mask and positions do for a single sample, and are faster."""
    several = row.owners[-1] != COMMON
    output = model(
        input_ids=torch.tensor([row.ids], device=model.device),
        attention_mask=row.mask.to(model.device) if several else None,
        position_ids=torch.tensor([row.positions], device=model.device) if several else None,
        use_cache=False,
        logits_to_keep=torch.tensor(row.places, device=model.device),
    )
    logits: Tensor = output.logits[0].float()
    return logits
