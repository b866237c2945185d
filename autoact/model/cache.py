"""Key/value caches of many episodes: a row for each, and prefixes that several rows begin with and share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import Cache
from transformers.cache_utils import CacheLayerMixin

GROWTH = 128
"""Tokens by which full rows grow."""

Pair = tuple[Tensor, Tensor]
"""Keys and values of one layer, each (1, heads, tokens, head size)."""


class Branch(NamedTuple):
    """The part of a row that an activated adapter has encoded."""

    adapter: str
    at: int
    """The position of its first token."""


@dataclass(slots=True, eq=False)
class Prefix:
    """The keys and values of tokens that several rows begin with."""

    kind: str
    ids: list[int]
    layers: list[Pair]
    used: int = 0
    """The clock when an ask last used it."""


@dataclass(slots=True, eq=False)
class Row:
    """One row of the cache, for one episode at a time."""

    index: int
    kind: str
    """The adapter that encoded its tokens; META for the base model, which activated adapters share."""
    unit: str | None = None
    ids: list[int] = field(default_factory=list)
    """All tokens that are encoded, the shared ones included."""
    prefix: Prefix | None = None
    shared: int = 0
    """Tokens that are in the prefix; the row itself holds those after them."""
    branch: Branch | None = None
    used: int = 0
    """The clock when an ask last took the row."""


class RowLayer(CacheLayerMixin):
    """Keys and values of one layer: (rows, heads, tokens, head size), allocated at its first pass."""

    def __init__(self, cache: RowCache):
        super().__init__()  # type: ignore[no-untyped-call]
        self.cache = cache
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> Pair:
        """Writes (1, heads, N, size) at the cache's rows and places, and returns them: attention reads the block."""
        rows, places = self.cache.write_rows, self.cache.write_at
        for name, states in (("keys", key_states), ("values", value_states)):
            block = getattr(self, name)
            if block is None:
                block = _allocate(states, self.cache.rows, self.cache.capacity)
                setattr(self, name, block)
            block[rows.to(block.device), :, places.to(block.device)] = states[0].transpose(0, 1)
        return key_states, value_states

    def resize(self, indices: list[int]) -> None:
        """Gives the block the cache's rows and capacity; the first rows are those that had these indices."""
        for name in ("keys", "values"):
            old = getattr(self, name)
            if old is not None:
                block = _allocate(old, self.cache.rows, self.cache.capacity)
                kept = [index for index in indices if index < len(old)]
                block[: len(kept), :, : old.shape[2]] = old if len(kept) == len(old) else old[kept]
                setattr(self, name, block)

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Does nothing: `update` allocates the block."""

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Returns the number of keys to attend to, and the offset of the first."""
        return self.cache.capacity, 0

    def get_seq_length(self) -> int:
        """Returns the tokens for which a row has space."""
        return self.cache.capacity

    def get_max_length(self) -> int:
        """Returns -1: rows grow without a limit."""
        return -1


class RowCache(Cache):
    """Rows of equal capacity in all layers. `write_rows` and `write_at` (N) place the tokens of the next pass."""

    def __init__(self, layers: int):
        self.rows = self.capacity = 0
        self.write_rows = self.write_at = torch.empty(0)
        self.blocks = [RowLayer(self) for _ in range(layers)]
        super().__init__(layers=list(self.blocks))

    def reserve(self, rows: int, tokens: int) -> None:
        """Allocates space for `tokens` in each of `rows`."""
        if rows <= self.rows and tokens <= self.capacity:
            return
        self.rows, self.capacity = max(self.rows, rows), self.capacity_for(tokens)
        for layer in self.blocks:
            layer.resize(list(range(self.rows)))

    def capacity_for(self, tokens: int) -> int:
        """Returns the tokens that each row has space for when it has space for `tokens`."""
        return max(self.capacity, -(-tokens // GROWTH) * GROWTH)

    def keep(self, indices: list[int]) -> None:
        """Removes all rows but these, which get the indices from 0 on."""
        self.rows = len(indices)
        for layer in self.blocks:
            layer.resize(indices)

    def read(self, row: Row, start: int, stop: int) -> list[Pair]:
        """Returns copies of the keys and values at positions `start` to `stop` of a row, those of its prefix included.

        Each is (1, heads, stop - start, head size).
        """
        first, last = max(0, start - row.shared), max(0, stop - row.shared)
        pairs: list[Pair] = []
        for number, layer in enumerate(self.blocks):
            assert layer.keys is not None
            assert layer.values is not None
            parts = [(block[row.index, None, :, first:last]) for block in (layer.keys, layer.values)]
            if row.prefix is not None and start < row.shared:
                before = row.prefix.layers[number]
                end = min(stop, row.shared)
                parts = [
                    torch.cat([shared[:, :, start:end], own], 2) for shared, own in zip(before, parts, strict=True)
                ]
            pairs.append((parts[0].clone(), parts[1].clone()))
        return pairs

    def write(self, row: Row, pairs: list[Pair]) -> None:
        """Writes keys and values as the first ones that the row itself holds."""
        count = pairs[0][0].shape[2]
        self.reserve(max(self.rows, row.index + 1), count)
        for layer, pair in zip(self.blocks, pairs, strict=True):
            for block, states in zip((layer.keys, layer.values), pair, strict=True):
                assert block is not None
                block[row.index, :, :count] = states[0]

    def share(self, row: Row, tokens: int) -> Prefix:
        """Moves the first `tokens` of a row into a prefix that other rows can use, and returns it."""
        prefix = Prefix(row.kind, row.ids[:tokens], self.read(row, 0, tokens))
        if tokens < len(row.ids):
            self.write(row, self.read(row, tokens, len(row.ids)))
        row.prefix, row.shared = prefix, tokens
        return prefix


def _allocate(like: Tensor, rows: int, tokens: int) -> Tensor:
    """Returns zeros, which have no infinite values, and whose unused pages take no memory."""
    return torch.zeros(rows, like.shape[1], tokens, like.shape[3], dtype=like.dtype, device=like.device)
