"""Key/value caches of many episodes in one block of memory: one row for each episode, its tokens without gaps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import Cache, PretrainedConfig
from transformers.cache_utils import CacheLayerMixin

GROWTH = 128
"""Tokens by which a full block grows."""


class RowLayer(CacheLayerMixin):
    """Keys and values of one layer: (rows, heads, tokens, head size). The cache selects what is written and read."""

    def __init__(self, cache: RowCache):
        super().__init__()  # type: ignore[no-untyped-call]
        self.cache = cache
        self.is_initialized = True

    def reserve(self, rows: int, heads: int, tokens: int, size: int) -> None:
        """Enlarges the block. Filled with zeros, it has no infinite values, and its unused pages take no memory."""
        for name in ("keys", "values"):
            old = getattr(self, name)
            block = torch.zeros(rows, heads, tokens, size, dtype=self.cache.dtype, device=self.cache.device)
            if old is not None:
                block[: old.shape[0], :, : old.shape[2]] = old
            setattr(self, name, block)

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Writes (B, heads, q, size) at the cache's rows and positions; returns all keys and values to attend to."""
        assert self.keys is not None
        assert self.values is not None
        cache = self.cache
        self.keys[cache.write_rows, :, cache.write_at] = key_states.transpose(1, 2)
        self.values[cache.write_rows, :, cache.write_at] = value_states.transpose(1, 2)
        if isinstance(cache.read_rows, slice):
            return self.keys[cache.read_rows, :, : cache.width], self.values[cache.read_rows, :, : cache.width]
        keys = self.keys[:, :, : cache.width].index_select(0, cache.read_rows)
        return keys, self.values[:, :, : cache.width].index_select(0, cache.read_rows)

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Does nothing: `reserve` allocates the block."""

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Returns the number of keys to attend to, and the offset of the first."""
        return self.cache.width, 0

    def get_seq_length(self) -> int:
        """Returns the tokens of the longest row."""
        return self.cache.width

    def get_max_length(self) -> int:
        """Returns -1: the block grows without a limit."""
        return -1


class RowCache(Cache):
    """A block of rows, shared by all layers. `aim` selects the rows and positions of the next forward pass."""

    def __init__(self, config: PretrainedConfig, rows: int, *, dtype: torch.dtype, device: torch.device):
        self.dtype, self.device = dtype, device
        self.heads = config.num_key_value_heads
        self.size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self.rows, self.capacity, self.width = rows, 0, 0
        self.write_rows = self.write_at = torch.empty(0)
        self.read_rows: slice | Tensor = slice(0, 0)
        self.blocks = [RowLayer(self) for _ in range(config.num_hidden_layers)]
        super().__init__(layers=list(self.blocks))

    def reserve(self, tokens: int) -> None:
        """Allocates space for `tokens` in every row."""
        if tokens <= self.capacity:
            return
        self.capacity = -(-tokens // GROWTH) * GROWTH
        for layer in self.blocks:
            layer.reserve(self.rows, self.heads, self.capacity, self.size)

    def aim(self, rows: list[int], positions: Tensor, width: int) -> None:
        """Sets the next pass to write `rows` (B) at `positions` (B, q) and to attend to the first `width` tokens.

        Adjacent rows are read in place; other rows are copied together first.
        """
        self.reserve(width)
        self.width = width
        index = torch.tensor(rows, device=self.device)
        self.write_rows, self.write_at = index[:, None], positions
        adjacent = rows == list(range(rows[0], rows[0] + len(rows)))
        self.read_rows = slice(rows[0], rows[0] + len(rows)) if adjacent else index

    def copy(self, source: int, target: int, tokens: int) -> None:
        """Copies the first `tokens` of row `source` to row `target`."""
        for layer in self.blocks:
            for block in (layer.keys, layer.values):
                assert block is not None
                block[target, :, :tokens] = block[source, :, :tokens]
