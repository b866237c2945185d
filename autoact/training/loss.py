"""Computes the loss of trajectories, several in one forward pass that encodes their common beginning once."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import takewhile
from typing import Any, Protocol

import msgspec
import torch
from msgspec import Struct
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from autoact.training.attention import SAMPLES, SHORT, use_sample_attention
from autoact.training.spans import Encoded, Span

PASS = 1_024
"""Most tokens of several trajectories in one pass: the memory for the gradient grows with them."""
PREFERENCE = 0.25
"""The weight of the term that makes failed tries less likely."""
CERTAIN = 0.999
"""The probability from which an odds ratio grows no more: its gradient grows without limit near 1."""
TOLERANCE = 0.05
"""Largest difference of logits, relative to their size, that rounding in 16 bits explains."""

Pass = Callable[[], Tensor]
"""A forward pass, or two for a sample and its failed try; returns the summed loss of the samples in it, in nats."""


class Loss(Protocol):
    """A way to compute the loss of samples."""

    def passes(self, model: Any, samples: Sequence[Sample]) -> list[Pass]:
        """Returns the passes that together have the loss of all samples; each is independent of the others."""


class Sample(Struct, frozen=True):
    """One trajectory with the spans that carry loss for the adapter in training."""

    encoded: Encoded
    spans: tuple[Span, ...]
    against: Sample | None = None
    """A failed try of the same question, to become less likely than this trajectory."""

    @property
    def ids(self) -> tuple[int, ...]:
        """The tokens up to the end of the last span; the loss depends on no others."""
        return self.encoded.ids[: self.spans[-1].end]

    @property
    def tokens(self) -> int:
        """The number of tokens that carry loss, without those of a failed try."""
        return sum(span.end - span.start for span in self.spans)

    @property
    def pass_tokens(self) -> int:
        """The most tokens of its pass, with those of a failed try."""
        return len(self.ids) + (len(self.against.ids) if self.against else 0)

    def compare(self, failed: Sample) -> Sample:
        """Returns this sample with a failed try; itself if no tokens that carry loss differ in both."""
        comparable = self.spans and failed.spans and all(map(any, compared_tokens(self, failed)))
        return msgspec.structs.replace(self, against=failed) if comparable else self


def compared_tokens(kept: Sample, failed: Sample) -> list[list[bool]]:
    """Returns for each loss-bearing token of a sample, and of its failed try, whether the preference depends on it.

    These are the tokens after those that both begin with, in the parts for which the failed try carries loss: an
    adapter that also judges answers prefers none of its reflections.
    """
    common, parts = _common([kept, failed]), {span.part for span in failed.spans}
    return [
        [at >= common and span.part in parts for span in one.spans for at in range(span.start, span.end)]
        for one in (kept, failed)
    ]


def compute_pair_loss(kept: Sample, failed: Sample, likelihoods: Tensor) -> Tensor:
    """Returns the loss of a sample with a failed try: cross-entropy, and the preference once for each of its tokens.

    So the loss per token is ORPO's L_SFT + PREFERENCE * L_OR (arXiv 2403.07691, section 4.2, equation 6).
    `likelihoods` are the log-likelihoods of the loss-bearing tokens of the sample, then of the failed try.
    """
    parts = likelihoods[: kept.tokens], likelihoods[kept.tokens :]
    means = [_mean(part, compared) for part, compared in zip(parts, compared_tokens(kept, failed), strict=True)]
    return PREFERENCE * kept.tokens * odds_ratio_loss(*means) - parts[0].sum()


def _mean(values: Tensor, chosen: Sequence[bool]) -> Tensor:
    return (values * torch.tensor(chosen, device=values.device)).sum() / sum(chosen)


def odds_ratio_loss(kept: Tensor, failed: Tensor) -> Tensor:
    """Returns L_OR = -log sigmoid(log odds(kept) - log odds(failed)) (ORPO, arXiv 2403.07691, section 4.2, equation 7).

    Both are mean log-likelihoods per token, log P, and odds = P / (1 - P).
    """
    return -functional.logsigmoid(_log_odds(kept) - _log_odds(failed))


def _log_odds(mean: Tensor) -> Tensor:
    bounded = mean.clamp(max=math.log(CERTAIN))
    return bounded - torch.log(-torch.expm1(bounded))


class PackedRow(Struct, frozen=True):
    """Samples in one row of N tokens: their common beginning, then the rest of each."""

    ids: list[int]
    positions: list[int]
    """(N,): the position of each token in its own sample."""
    bounds: list[int]
    """The ends of the common beginning and of the rest of each sample; a rest without tokens has none."""
    places: list[int]
    """Indices of the tokens before those that carry loss."""
    targets: list[int]
    """The ids of the tokens that carry loss."""


class SpanLoss:
    """The loss of an adapter that is active on all tokens; `packed` needs a model that `can_pack`.

    The sum and its gradient equal those of the published recipe, which has a separate sample for each span: attention
    is causal, and no sample sees another. Logits are computed only where the next token carries loss.
    """

    def __init__(self, *, packed: bool):
        self.packed = packed

    def passes(self, model: Any, samples: Sequence[Sample]) -> list[Pass]:
        """Returns the passes over the samples; see `Loss`. A sample with a failed try has one of its own."""
        groups = self._group([sample for sample in samples if sample.against is None])
        pairs = [(sample, sample.against) for sample in samples if sample.against is not None]
        return [
            *(partial(self._span_loss, model, group) for group in groups),
            *(partial(self._pair_loss, model, *pair) for pair in pairs),
        ]

    def _group(self, samples: Sequence[Sample]) -> list[list[Sample]]:
        return list(group_samples(samples)) if self.packed else [[sample] for sample in samples]

    def _pair_loss(self, model: Any, kept: Sample, failed: Sample) -> Tensor:
        losses = [self._span_loss(model, group, "none") for group in self._group([kept, failed])]
        return compute_pair_loss(kept, failed, -torch.cat(losses))

    def _span_loss(self, model: Any, samples: Sequence[Sample], reduction: str = "sum") -> Tensor:
        row = pack_samples(samples)
        targets = torch.tensor(row.targets, device=model.device)
        return functional.cross_entropy(_logits(model, row, packed=self.packed), targets, reduction=reduction)


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
    row = PackedRow([*samples[0].ids[:common]], [*range(common)], [common], [], [])
    for sample in samples:
        moved, rest = len(row.ids) - common, sample.ids[common:]
        for span in sample.spans:
            row.places.extend(at if at < common else at + moved for at in range(span.start - 1, span.end - 1))
            row.targets.extend(sample.ids[span.start : span.end])
        row.ids.extend(rest)
        row.positions.extend(range(common, len(sample.ids)))
        if rest:
            row.bounds.append(len(row.ids))
    return row


def _common(samples: Sequence[Sample]) -> int:
    """Returns the number of tokens that all samples begin with."""
    alike = takewhile(lambda ids: len(set(ids)) == 1, zip(*(sample.ids for sample in samples), strict=False))
    return sum(1 for _ in alike)


def can_pack(model: Any) -> bool:
    """Returns whether a model gives correct results with the attention and positions of packed samples.

    Every layer must attend to all earlier tokens, by a function that can be replaced; and the logits of a small packed
    row must equal those of its samples alone.
    """
    config = model.config.get_text_config(decoder=True)
    layers = DynamicCache(config=config).layers
    plain = bool(layers) and all(type(layer) is DynamicLayer for layer in layers)
    known = "position_ids" in inspect.signature(model.forward).parameters
    replaceable = config._attn_implementation in ("sdpa", "eager", SAMPLES) and model._supports_attention_backend
    if not (plain and known and replaceable):
        return False
    words = tuple(number % config.vocab_size for number in range(1, 25))  # few: this is done for every adapter
    long, short = (
        Sample(Encoded(ids, ()), (Span("thought", "", len(ids) - 1, len(ids)),))
        for ids in (words[:18], words[:2] + words[18:])
    )
    with torch.inference_mode():
        alone = torch.cat([_logits(model, pack_samples([sample]), packed=False) for sample in (long, short)])
        both = _logits(model, pack_samples([long, short]), packed=True)
    return bool((alone - both).norm() <= TOLERANCE * alone.norm())


def _logits(model: Any, row: PackedRow, *, packed: bool) -> Tensor:
    """Returns logits (places, vocabulary) in 32 bits. `packed` rows have one sample or several."""
    more: dict[str, Any] = {}
    if packed and (len(row.bounds) > 1 or len(row.ids) <= SHORT):
        use_sample_attention(model)
        more = {"position_ids": torch.tensor([row.positions], device=model.device), "bounds": row.bounds}
    output = model(
        input_ids=torch.tensor([row.ids], device=model.device), use_cache=False,
        logits_to_keep=torch.tensor(row.places, device=model.device), **more,
    )  # fmt: skip
    logits: Tensor = output.logits[0].float()
    return logits
