"""Computes the loss of trajectories, several in one forward pass that encodes their common beginning once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import takewhile
from typing import Any, Protocol

import torch
from msgspec import Struct
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from autoact.training.spans import Encoded, Span

PASS = 1_024
"""Most tokens of several trajectories in one pass. On a GPU with deterministic sums the memory for the gradient grows
with their square: attention then stores a weight for each pair of tokens, in every head and layer."""
COMMON = -1
"""The owner of the tokens that all trajectories of a pass begin with."""
TOLERANCE = 0.05
"""Largest difference of logits, relative to their size, that rounding in 16 bits explains."""

Pass = Callable[[], Tensor]
"""One forward pass; returns the summed cross-entropy of the spans in it, in nats."""


class Loss(Protocol):
    """A way to compute the loss of samples."""

    def passes(self, model: Any, samples: Sequence[Sample]) -> list[Pass]:
        """Returns the passes that together have the loss of all samples; each is independent of the others."""


class Sample(Struct, frozen=True):
    """One trajectory with the spans that carry loss for the adapter in training."""

    encoded: Encoded
    spans: tuple[Span, ...]

    @property
    def ids(self) -> tuple[int, ...]:
        """The tokens up to the end of the last span; the loss depends on no others."""
        return self.encoded.ids[: self.spans[-1].end]

    @property
    def tokens(self) -> int:
        """The number of tokens that carry loss."""
        return sum(span.end - span.start for span in self.spans)


class PackedRow(Struct, frozen=True):
    """Samples in one row of N tokens: their common beginning, then the rest of each."""

    ids: list[int]
    positions: list[int]
    """(N,): the position of each token in its own sample."""
    owners: list[int]
    """(N,): the index of each token's sample, or COMMON."""
    places: list[int]
    """Indices of the tokens before those that carry loss."""
    targets: list[int]
    """The ids of the tokens that carry loss."""

    @property
    def mask(self) -> Tensor:
        """The mask (1, 1, N, N): each token sees itself and those before it in its own sample."""
        owners, at = torch.tensor(self.owners), torch.arange(len(self.ids))
        mine = (owners == owners[:, None]) | (owners == COMMON)
        return (mine & (at <= at[:, None]))[None, None]


class SpanLoss:
    """The loss of an adapter that is active on all tokens; `packed` needs a model that `can_pack`.

    The sum and its gradient equal those of the published recipe, which has a separate sample for each span: attention
    is causal, and no sample sees another. Logits are computed only where the next token carries loss.
    """

    def __init__(self, *, packed: bool):
        self.packed = packed

    def passes(self, model: Any, samples: Sequence[Sample]) -> list[Pass]:
        """Returns the passes over the samples; see `Loss`."""
        groups = group_samples(samples) if self.packed else ([sample] for sample in samples)
        return [partial(_span_loss, model, group) for group in groups]


def _span_loss(model: Any, samples: Sequence[Sample]) -> Tensor:
    row = pack_samples(samples)
    targets = torch.tensor(row.targets, device=model.device)
    return functional.cross_entropy(_logits(model, row), targets, reduction="sum")


def group_samples(samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    """Yields the samples of each pass: as many as PASS allows, in order."""
    group: list[Sample] = []
    for sample in samples:
        if group and len(pack_samples([*group, sample]).ids) > PASS:
            yield group
            group = []
        group.append(sample)
    if group:
        yield group


def pack_samples(samples: Sequence[Sample]) -> PackedRow:
    """Packs samples in one row; the tokens of a single sample are all common."""
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
    """Returns the number of tokens that all samples begin with."""
    alike = takewhile(lambda ids: len(set(ids)) == 1, zip(*(sample.ids for sample in samples), strict=False))
    return sum(1 for _ in alike)


def can_pack(model: Any) -> bool:
    """Returns whether a model gives correct results with the mask and positions of packed samples.

    Every layer must attend to all earlier tokens, with kernels that accept any mask; and the logits of a small packed
    row must equal those of its samples alone.
    """
    config = model.config.get_text_config(decoder=True)
    layers = DynamicCache(config=config).layers
    plain = bool(layers) and all(type(layer) is DynamicLayer for layer in layers)
    known = "position_ids" in inspect.signature(model.forward).parameters
    if not (plain and known and config._attn_implementation in ("sdpa", "eager")):
        return False
    words = tuple(number % config.vocab_size for number in range(1, 25))  # few: this is done for every adapter
    long, short = (
        Sample(Encoded(ids, ()), (Span("thought", "", len(ids) - 1, len(ids)),))
        for ids in (words[:18], words[:2] + words[18:])
    )
    with torch.inference_mode():
        alone = torch.cat([_logits(model, pack_samples([sample])) for sample in (long, short)])
        both = _logits(model, pack_samples([long, short]))
    return bool((alone - both).norm() <= TOLERANCE * alone.norm())


def _logits(model: Any, row: PackedRow) -> Tensor:
    """Returns logits (places, vocabulary) in 32 bits. A single sample uses the model's own mask, which is faster."""
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
