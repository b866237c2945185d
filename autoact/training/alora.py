"""Computes the loss of an activated LoRA adapter (aLoRA): the frozen base encodes a trajectory, the adapter only turns.

The adapter is active from the last occurrence of its invocation tokens, which open the turn of its role. All tokens
before have the keys and values of the base model: the trunk, which is encoded once, without gradients, for all adapters
and epochs. What follows an invocation is a branch: it sees the trunk before it and itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import torch
from msgspec import Struct
from torch import Tensor
from torch.nn import functional
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

from autoact.errors import BadInput
from autoact.scratchpad import ARGUMENT, THOUGHT
from autoact.training.loss import Pass, Sample, compute_pair_loss
from autoact.training.memory import available_memory
from autoact.training.spans import Encoded, Span

KEPT = 0.5
"""Largest share of the free memory that kept trunks may take."""

Trunk = list[tuple[Tensor, Tensor]]
"""Keys and values (1, heads, tokens, head size) of each layer."""


def invocation_text(parts: Iterable[str]) -> str:
    """Returns the piece of scratchpad that opens the turns of an adapter that writes these parts."""
    return ARGUMENT if all(part.partition(":")[0] == "argument" for part in parts) else THOUGHT


class LossBranch(Struct, frozen=True):
    """An invocation and the spans of a sample that its adapter writes after it."""

    start: int
    """Index of the first invocation token."""
    spans: tuple[Span, ...]

    @property
    def end(self) -> int:
        """The index after the last token that predicts another."""
        return self.spans[-1].end - 1


def find_branches(sample: Sample, invocation: Sequence[int]) -> list[LossBranch]:
    """Returns the branches of a sample. Raises ValueError for a span without an invocation before it."""
    found: dict[int, list[Span]] = {}
    for span in sample.spans:
        found.setdefault(_last_occurrence(sample.encoded.ids[: span.start], tuple(invocation)), []).append(span)
    return [LossBranch(start, tuple(spans)) for start, spans in found.items()]


def _last_occurrence(ids: tuple[int, ...], wanted: tuple[int, ...]) -> int:
    for at in range(len(ids) - len(wanted), -1, -1):
        if ids[at : at + len(wanted)] == wanted:
            return at
    raise ValueError("no invocation tokens before a span")


class BranchRow(Struct, frozen=True):
    """Branches of one trajectory in one row of N tokens."""

    ids: list[int]
    positions: list[int]
    """(N,): the position of each token in the trajectory."""
    starts: list[int]
    """(N,): the start of each token's branch, which is the number of trunk tokens that it sees."""
    places: list[int]
    """Indices of the tokens before those that carry loss."""
    targets: list[int]
    """The ids of the tokens that carry loss."""

    def mask(self, trunk: int) -> Tensor:
        """Returns the mask (1, 1, N, trunk + N): the trunk before the branch, and the branch up to the token itself."""
        starts, at = torch.tensor(self.starts), torch.arange(len(self.ids))
        before = torch.arange(trunk) < starts[:, None]
        own = (starts == starts[:, None]) & (at <= at[:, None])
        return torch.cat([before, own], 1)[None, None]


def pack_branches(encoded: Encoded, branches: Sequence[LossBranch]) -> BranchRow:
    """Packs branches of one trajectory in one row."""
    row = BranchRow([], [], [], [], [])
    for branch in branches:
        moved = len(row.ids) - branch.start
        for span in branch.spans:
            row.places.extend(range(span.start - 1 + moved, span.end - 1 + moved))
            row.targets.extend(encoded.ids[span.start : span.end])
        row.ids.extend(encoded.ids[branch.start : branch.end])
        row.positions.extend(range(branch.start, branch.end))
        row.starts.extend([branch.start] * (branch.end - branch.start))
    return row


class TrunkLayer(DynamicLayer):
    """Shows one layer's part of a trunk before the keys and values of a pass, and keeps nothing of the pass."""

    def __init__(self, keys: Tensor, values: Tensor):
        super().__init__()  # type: ignore[no-untyped-call]
        self.keys, self.values, self.is_initialized = keys, values, True

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Returns keys and values (1, heads, trunk + q, head size)."""
        assert self.keys is not None
        assert self.values is not None
        return torch.cat([self.keys, key_states], 2), torch.cat([self.values, value_states], 2)


class Trunks:
    """The trunks of trajectories, kept while memory allows and else encoded again; both give equal bytes.

    A trunk ends where the trajectory's last span begins, whichever adapter asks for it, because another length would
    round differently.
    """

    def __init__(self, budget: int | None = None):
        """`budget` is the memory for kept trunks in bytes; None for a share of what is free when the first is made."""
        self.budget = budget
        self.kept: dict[tuple[int, ...], Trunk] = {}

    def find(self, model: Any, encoded: Encoded) -> Trunk:
        """Returns the trunk of a trajectory. `model` is a PEFT model, whose adapter is disabled meanwhile."""
        ids = encoded.ids[: encoded.spans[-1].start]
        trunk = self.kept.get(ids)
        if trunk is None:
            if self.budget is None:
                self.budget = int(KEPT * available_memory(model.device))
            trunk = _encode(model, ids)
            size = sum(tensor.nbytes for layer in trunk for tensor in layer)
            if size <= self.budget:
                self.budget -= size
                self.kept[ids] = trunk
        return trunk

    def clear(self) -> None:
        """Forgets all trunks."""
        self.kept.clear()
        self.budget = None


def _encode(model: Any, ids: Sequence[int]) -> Trunk:
    """Encodes tokens with the base model alone, without dropout."""
    training = model.training
    model.eval()
    cache: Any = DynamicCache()
    with torch.no_grad(), model.disable_adapter():
        one_logit = torch.tensor([0], device=model.device)  # as the number 1, the last layer would copy all its weights
        model(
            input_ids=torch.tensor([ids], device=model.device), past_key_values=cache, use_cache=True,
            logits_to_keep=one_logit,
        )  # fmt: skip
    model.train(training)
    return [(layer.keys, layer.values) for layer in cache.layers]


class BranchLoss:
    """The loss of an activated adapter; `packed` needs a model that `can_pack`."""

    def __init__(self, invocation: Sequence[int], trunks: Trunks, *, packed: bool):
        self.invocation, self.trunks, self.packed = invocation, trunks, packed

    def passes(self, model: Any, samples: Sequence[Sample]) -> list[Pass]:
        """Returns the passes over the samples: one for each, or one for each branch where they cannot be packed.

        A sample with a failed try always has a single one.
        """
        found: list[Pass] = []
        for sample in samples:
            if sample.against is not None:
                found.append(partial(self._pair_loss, model, sample, sample.against))
            else:
                found += [partial(self._loss, model, sample.encoded, group) for group in self._group(sample)]
        return found

    def _group(self, sample: Sample) -> list[list[LossBranch]]:
        branches = find_branches(sample, self.invocation)
        return [branches] if self.packed else [[branch] for branch in branches]

    def _pair_loss(self, model: Any, kept: Sample, failed: Sample) -> Tensor:
        losses = [self._loss(model, one.encoded, group, "none") for one in (kept, failed) for group in self._group(one)]
        return compute_pair_loss(kept, failed, -torch.cat(losses))

    def _loss(self, model: Any, encoded: Encoded, branches: Sequence[LossBranch], reduction: str = "sum") -> Tensor:
        """Returns the cross-entropy of some branches of one trajectory, in nats: summed, or of each token."""
        row = pack_branches(encoded, branches)
        longest, several = max(row.starts), len(branches) > 1
        layers: list[Any] = [
            TrunkLayer(keys[:, :, :longest], values[:, :, :longest])
            for keys, values in self.trunks.find(model, encoded)
        ]
        output = model(
            input_ids=torch.tensor([row.ids], device=model.device),
            attention_mask=row.mask(longest).to(model.device) if several else None,
            position_ids=torch.tensor([row.positions], device=model.device) if several else None,
            past_key_values=Cache(layers=layers),
            use_cache=True,
            logits_to_keep=torch.tensor(row.places, device=model.device),
        )
        targets = torch.tensor(row.targets, device=model.device)
        return functional.cross_entropy(output.logits[0].float(), targets, reduction=reduction)


def check_cache(model: Any) -> None:
    """Raises BadInput for a model whose layers store more than keys and values: no branch can begin from those."""
    kinds = set(getattr(model.config.get_text_config(decoder=True), "layer_types", None) or ())
    if kinds - {"full_attention", "sliding_attention"}:
        what = f"a model of type `{model.config.model_type}` has no keys and values to begin a branch from"
        raise BadInput(f"{what}; use `lora`", key="differentiation.adapter")
