"""A packed pass: the new tokens of several rows in one row of N tokens, without padding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from autoact.model.cache import Prefix, Row, RowCache

Place = slice | Tensor
"""Selects tokens of the pass, or rows of the cache."""
SHORT = 16
"""Most new tokens of a row that is padded and computed together with others."""
Masks = dict[int | None, Tensor | None]
"""Masks to add to scores, by the tokens that a sliding window sees; None where all is seen."""


class PackedPass:
    """The tokens of one pass, and which keys each of them sees."""

    def __init__(self, cache: RowCache, rows: Sequence[Row], fresh: Sequence[Sequence[int]], device: torch.device):
        """Takes the new token ids of each row, at least one, and makes the cache write there."""
        self.cache = cache
        counts = [len(ids) for ids in fresh]
        widths = [len(row.ids) - row.shared + count for row, count in zip(rows, counts, strict=True)]
        cache.reserve(1 + max(row.index for row in rows), max(widths))
        begins = [sum(counts[:number]) for number in range(len(counts))]
        owners = torch.repeat_interleave(torch.arange(len(rows)), torch.tensor(counts))
        starts = torch.tensor([len(row.ids) for row in rows]) - torch.tensor(begins)
        positions = torch.arange(sum(counts)) + starts[owners]
        shared = torch.tensor([row.shared for row in rows])[owners]
        cache.write_rows = torch.tensor([row.index for row in rows])[owners].to(device)
        cache.write_at = (positions - shared).to(device)
        self.ids = torch.tensor([one for ids in fresh for one in ids], device=device)[None]
        self.positions = positions.to(device)[None]
        """(1, N)"""
        self.lasts = torch.tensor([begin + count - 1 for begin, count in zip(begins, counts, strict=True)])
        """The index of each row's last token."""
        short: dict[int, list[int]] = {}
        self.rows: list[Part] = []
        for number, (row, count) in enumerate(zip(rows, counts, strict=True)):
            if count > SHORT:
                self.rows.append(RowPart(row, slice(begins[number], begins[number] + count), positions))
            else:
                short.setdefault(min(count, 2), []).append(number)
        for group in short.values():
            tokens = [torch.arange(begins[number], begins[number] + counts[number]) for number in group]
            self.rows.append(ShortPart([rows[number] for number in group], tokens, positions, device))
        self.prefixes = [
            PrefixPart(prefix, [row if row.prefix is prefix else None for row in rows], owners, positions, device)
            for prefix in dict.fromkeys(row.prefix for row in rows if row.prefix is not None)
        ]


class Part:
    """Some tokens of a pass and the keys that they may see."""

    def __init__(self, tokens: Place, at: Tensor, keys_at: Tensor, seen: Tensor):
        """Takes the tokens' positions (..., n, 1), those of the keys (..., n or 1, width), and which of them exist."""
        self.tokens, self.at, self.keys_at, self.seen = tokens, at, keys_at, seen
        self.masks: Masks = {}

    def attend(
        self, queries: Tensor, keys: Tensor, values: Tensor, scaling: float | None, window: int | None
    ) -> tuple[Tensor, Tensor]:
        """Returns the attention (n, heads, size) of the part's tokens, and the logarithms of its softmax sums."""
        raise NotImplementedError

    def place(self, device: torch.device) -> Place:
        """Returns the part's tokens, as an index on a device: a model may be spread over several."""
        return self.tokens if isinstance(self.tokens, slice) else self.tokens.to(device)

    def mask(self, window: int | None, like: Tensor) -> Tensor | None:
        """Returns the mask (..., n, width) to add to the scores: zero, or a large negative number for keys not seen."""
        if window not in self.masks:
            seen = self.seen if window is None else self.seen & (self.keys_at > self.at - window)
            hidden = torch.zeros(seen.shape).masked_fill_(~seen, torch.finfo(like.dtype).min / 2)
            self.masks[window] = None if bool(seen.all()) else hidden.to(like)
        mask = self.masks[window]
        return mask if mask is None or mask.device == like.device else mask.to(like.device)

    def attend_together(
        self, queries: Tensor, keys: Tensor, values: Tensor, scaling: float | None, window: int | None
    ) -> tuple[Tensor, Tensor]:
        """Has all tokens attend to the same keys (1, key heads, width, size)."""
        heads, (count, _, size) = keys.shape[1], queries.shape
        # the query heads of a key head become more tokens: no key is repeated
        grouped = queries.view(count, heads, -1, size).permute(1, 2, 0, 3).reshape(1, heads, -1, size)
        mask = self.mask(window, queries)
        if mask is not None:
            mask = mask.repeat(grouped.shape[2] // count, 1)[None, None]
        output, sums = attend_with_sums(grouped, keys, values, mask, scaling)
        output = output.view(heads, -1, count, output.shape[-1]).permute(2, 0, 1, 3).reshape(count, -1, size)
        return output, sums.reshape(heads, -1, count).permute(2, 0, 1).reshape(count, -1)


class RowPart(Part):
    """Several new tokens of one row."""

    def __init__(self, row: Row, tokens: slice, positions: Tensor):
        at = positions[tokens, None]
        keys_at = torch.arange(row.shared, int(at[-1]) + 1)[None]
        super().__init__(tokens, at, keys_at, keys_at <= at)
        self.row = row

    def attend(
        self, queries: Tensor, keys: Tensor, values: Tensor, scaling: float | None, window: int | None
    ) -> tuple[Tensor, Tensor]:
        width, index = self.keys_at.shape[1], self.row.index
        own_keys, own_values = (block[index : index + 1, :, :width] for block in (keys, values))
        return self.attend_together(queries[self.place(queries.device)], own_keys, own_values, scaling, window)


class ShortPart(Part):
    """A few new tokens of each of several rows, padded to the longest."""

    def __init__(self, rows: Sequence[Row], tokens: Sequence[Tensor], positions: Tensor, device: torch.device):
        every = torch.cat(list(tokens))
        counts = torch.tensor([len(one) for one in tokens])
        longest = int(counts.max())
        own = torch.arange(longest).clamp_max(counts[:, None] - 1)  # padding repeats a row's last token
        padded = (counts.cumsum(0) - counts)[:, None] + own
        at = positions[every][padded][:, :, None]
        shared = torch.tensor([row.shared for row in rows])[:, None, None]
        keys_at = shared + torch.arange(int((at - shared).max()) + 1)
        super().__init__(slice(None) if len(every) == len(positions) else every.to(device), at, keys_at, keys_at <= at)
        self.longest = longest
        self.padded, self.real = padded.to(device), (torch.arange(longest) < counts[:, None]).to(device)
        indices = [row.index for row in rows]
        first = indices[0]
        adjacent = indices == list(range(first, first + len(indices)))
        self.indices: Place = slice(first, first + len(indices)) if adjacent else torch.tensor(indices, device=device)

    def attend(
        self, queries: Tensor, keys: Tensor, values: Tensor, scaling: float | None, window: int | None
    ) -> tuple[Tensor, Tensor]:
        width, heads = self.keys_at.shape[2], keys.shape[1]
        own_keys, own_values = (self._select(block[:, :, :width]) for block in (keys, values))
        chosen = queries[self.place(queries.device)]
        if self.longest > 1:
            chosen = chosen[self.padded.to(chosen.device)]
        rows, size = len(own_keys), chosen.shape[-1]
        grouped = chosen.view(rows, self.longest, heads, -1, size).permute(0, 2, 3, 1, 4).reshape(rows, heads, -1, size)
        mask = self.mask(window, queries)
        if mask is not None:
            mask = mask.repeat(1, grouped.shape[2] // self.longest, 1)[:, None]
        output, sums = attend_with_sums(grouped, own_keys, own_values, mask, scaling)
        output = output.view(rows, heads, -1, self.longest, size).permute(0, 3, 1, 2, 4)
        sums = sums.view(rows, heads, -1, self.longest).permute(0, 3, 1, 2)
        real = self.real.to(output.device)
        return output[real].flatten(1, 2), sums[real].flatten(1, 2)

    def _select(self, block: Tensor) -> Tensor:
        """Returns the part's rows of a block, in place when they are adjacent."""
        if isinstance(self.indices, slice):
            return block[self.indices]
        return block.index_select(0, self.indices.to(block.device))


class PrefixPart(Part):
    """The tokens of all rows that share a prefix."""

    def __init__(
        self, prefix: Prefix, users: Sequence[Row | None], owners: Tensor, positions: Tensor, device: torch.device
    ):
        shared = torch.tensor([row.shared if row else 0 for row in users])
        using = torch.tensor([row is not None for row in users])[owners]
        self.prefix, self.width = prefix, int(shared.max())
        keys_at = torch.arange(self.width)[None]
        tokens: Place = slice(None) if bool(using.all()) else using.nonzero()[:, 0]
        chosen = owners[tokens]
        seen = keys_at < shared[chosen][:, None]
        super().__init__(
            tokens if isinstance(tokens, slice) else tokens.to(device), positions[tokens][:, None], keys_at, seen
        )

    def attend(
        self, queries: Tensor, keys: Tensor, values: Tensor, scaling: float | None, window: int | None
    ) -> tuple[Tensor, Tensor]:
        keys, values = keys[:, :, : self.width], values[:, :, : self.width]
        return self.attend_together(queries[self.place(queries.device)], keys, values, scaling, window)


def attend_with_sums(
    queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, scaling: float | None
) -> tuple[Tensor, Tensor]:
    """Returns attention (B, heads, n, size), and the logarithms of its softmax sums (B, heads, n) in float32."""
    if queries.device.type == "cpu" and queries.shape[-1] == values.shape[-1]:
        flash: Any = partial(torch.ops.aten._scaled_dot_product_flash_attention_for_cpu, attn_mask=mask, scale=scaling)
        output, sums = flash(queries, keys, values)
        return output, sums
    scores = (queries @ keys.transpose(-1, -2)).float() * (scaling or queries.shape[-1] ** -0.5)
    if mask is not None:
        scores = scores + mask
    sums = scores.logsumexp(-1)
    return (scores - sums[..., None]).exp().to(values.dtype) @ values, sums
