"""The local engine: a transformers model with LoRA adapters, one cache row for each episode, all asks in one batch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from autoact.errors import ContextFull, ModelFailed
from autoact.model import heap
from autoact.model.adapters import load_adapter
from autoact.model.attention import Attention, context_window
from autoact.model.cache import RowCache
from autoact.model.completion import complete_text, forbidden_ids
from autoact.model.engine import Ticket
from autoact.model.likelihood import find_match, match_tokens
from autoact.model.sampling import draw
from autoact.model.store import Weights, load_model
from autoact.model.tokens import ChoiceTree, Tokens
from autoact.project.config import Config
from autoact.script import Answer, Ask, Match
from autoact.threads import Threads
from autoact.trajectory import META

WHOLE_PASS = 64
"""Tokens from which a pass over one row uses the whole processor; shorter rows share a pass."""
LONGEST_PASS = 256
"""Most tokens of one row that a pass encodes: the job obeys commands between passes."""


@dataclass(slots=True)
class Row:
    """One row of a cache block, for one episode at a time."""

    index: int
    unit: str | None = None
    ids: list[int] = field(default_factory=list)
    """Token ids whose keys and values the row holds."""
    used: int = 0
    """The clock when an ask last took the row."""


@dataclass(slots=True)
class Running:
    """An ask that is being answered."""

    ticket: Ticket
    ask: Ask
    seed: int
    prompt: list[int]
    tree: ChoiceTree | None
    taken: list[int]
    """Ids generated so far."""
    began: float
    row: Row | None = None
    logits: Tensor | None = None
    """(vocabulary,) of the next token, once all tokens so far are encoded."""
    prefilled: int = 0
    last_pass: int = 0
    """Number of the last pass that encoded it."""

    def ids(self) -> list[int]:
        return self.prompt + self.taken


class LocalEngine:
    """An engine with one causal model of transformers. See `Engine` for its public methods."""

    def __init__(self, weights: Weights, lanes: int):
        self.weights, self.lanes = weights, lanes
        self.model, self.name = weights.model, weights.name
        self.tokens = Tokens(weights.tokenizer)
        config = weights.model.config.get_text_config()
        self.attention, self.window = Attention(config), context_window(config, weights.tokenizer)
        self.threads = Threads()
        self.running: list[Running] = []
        self.complete: list[tuple[Ticket, Answer | ModelFailed]] = []
        self.caches: dict[str, tuple[RowCache, list[Row]]] = {}
        self.active = META
        self.peft: Any = None
        self.clock = self.passes = 0

    # -- the protocol ------------------------------------------------------------------------------------------------

    def submit(self, ticket: Ticket, ask: Ask, seed: int) -> None:
        """Queues an ask. A match, and a choice that has only one option, are answered at once."""
        prompt = self.tokens.prompt(ask.prompt)
        tree = ChoiceTree(self.tokens, ask.choices) if ask.choices else None
        if isinstance(ask, Match):
            longest = match_tokens(self.tokens, ask)
        else:
            longest = len(prompt) + (tree.longest if tree else ask.limit)
        if self.window is not None and longest > self.window:
            what = f"prompt and answer may take {longest} tokens, the model's context window has {self.window}"
            self.complete.append((ticket, ContextFull(what)))
        elif isinstance(ask, Match):
            self.complete.append((ticket, self._match(ask)))
        else:
            taken = tree.forced([]) if tree else []
            running = Running(ticket, ask, seed, prompt, tree, taken, time.monotonic())
            if not self._finish(running):
                self.running.append(running)

    def step(self) -> Iterator[tuple[Ticket, Answer | ModelFailed]]:
        """Runs a pass for the adapter with the most asks, and draws a token for each ask that is then fully encoded."""
        if self.threads.adapt():
            torch.set_num_threads(self.threads.count)
        if self.running:
            adapter = self._busiest()
            self._activate(adapter)
            for running in self._encode(adapter, self._next_pass(adapter)):
                self._take(running)
            self.running = [running for running in self.running if not self._finish(running)]
        complete, self.complete = self.complete, []
        yield from complete

    def partial(self) -> Iterator[tuple[Ticket, str, str]]:
        for running in self.running:
            if running.taken and not running.tree:
                yield running.ticket, running.ask.part, self.tokens.text(running.taken).lstrip()

    def withdraw(self, unit: str) -> None:
        self.running = [running for running in self.running if running.ticket.unit != unit]
        self.complete = [(ticket, answer) for ticket, answer in self.complete if ticket.unit != unit]

    def forget(self, unit: str) -> None:
        for _, rows in self.caches.values():
            for row in rows:
                if row.unit == unit:
                    row.unit = None  # its ids stay: the next episode may begin with the same tokens

    def adapt(self, adapters: Mapping[str, Path]) -> None:
        """Loads PEFT folders in place of all adapters, and clears the caches.

        Raises BadInput for a folder that does not fit the model.
        """
        self.release()
        for adapter, folder in adapters.items():
            self.peft = load_adapter(self.weights, self.peft, adapter, folder)
        if self.peft is not None:
            self.peft.eval()
            self._set_adapter(self.active)

    def release(self) -> None:
        """Removes adapters and caches from the model, before training or before other adapters are loaded."""
        if self.peft is not None:
            self.model = self.peft.unload()
        self.peft, self.active = None, META
        self.caches.clear()
        heap.release_memory()

    # -- one step ----------------------------------------------------------------------------------------------------

    def _busiest(self) -> str:
        """Returns the adapter with the most asks; of equals the active one, since a change visits every module."""
        counts: dict[str, int] = {}
        for running in self.running:
            counts[running.ask.adapter] = counts.get(running.ask.adapter, 0) + 1
        return max(counts, key=lambda adapter: (counts[adapter], adapter == self.active))

    def _rows_for(self, adapter: str) -> list[Running]:
        """Returns the asks of an adapter that have a row or can get one; when rows are too few, the last asks wait."""
        asks = [running for running in self.running if running.ask.adapter == adapter]
        asks.sort(key=lambda running: running.row is None)
        return asks[: self.lanes]

    def _activate(self, adapter: str) -> None:
        if adapter != self.active:
            self._set_adapter(adapter)

    def _set_adapter(self, adapter: str) -> None:
        if adapter == META:
            if self.peft is not None:
                self.peft.base_model.disable_adapter_layers()
        else:
            self.peft.base_model.enable_adapter_layers()
            self.peft.set_adapter(adapter, inference_mode=True)
        self.active = adapter

    @torch.inference_mode()
    def _take(self, running: Running) -> None:
        assert running.logits is not None
        if not running.tree:
            running.logits[forbidden_ids(self.tokens, running.ask, running.taken)] = -torch.inf
        allowed = running.tree.next(running.taken) if running.tree else None
        chosen = draw(running.logits, running.ask.sampling, running.seed, len(running.taken), allowed)
        running.taken.append(chosen)
        if running.tree:
            running.taken = running.tree.forced(running.taken)
        running.logits = None

    def _finish(self, running: Running) -> bool:
        """Adds a complete answer to `complete`; returns whether it is complete."""
        text = complete_text(self.tokens, running.ask, running.tree, running.taken)
        if text is None:
            return False
        ms = 1000 * (time.monotonic() - running.began)
        answer = Answer(text, tuple(running.taken), len(running.prompt), running.prefilled, ms)
        self.complete.append((running.ticket, answer))
        return True

    def _match(self, ask: Match) -> Answer:
        began = time.monotonic()
        self._activate(ask.adapter)
        text, count = find_match(self.model, self.tokens, ask)
        return Answer(text, (), count, count, 1000 * (time.monotonic() - began))

    # -- encoding ----------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def _next_pass(self, adapter: str) -> list[Running]:
        """Returns the ask that has waited longest for a pass, and asks with about as many tokens to encode."""
        groups: dict[int, list[Running]] = {}
        for running in sorted(self._rows_for(adapter), key=lambda running: running.last_pass):
            begins = running.row is None and all(row.unit != running.ticket.unit for row in self._block(adapter)[1])
            rest = self._assign_row(adapter, running)
            alone = rest > WHOLE_PASS
            groups.setdefault(-len(groups) if alone else rest.bit_length(), []).append(running)
            if alone and (begins or len(groups) == 1):
                break  # later asks may begin with the same tokens; they then copy them from this row
        group = next(iter(groups.values()))
        return sorted(group, key=lambda running: running.row.index if running.row else 0)

    def _assign_row(self, adapter: str, running: Running) -> int:
        """Assigns a row to an ask and keeps the tokens that both share; returns the number still to encode."""
        cache, rows = self._block(adapter)
        ids = running.ids()
        if running.row is None:
            running.row = row = self._find_row(rows, running.ticket.unit)
            donor = max(rows, key=lambda other: (_shared_length(other.ids, ids), other is row))
            shared = min(_shared_length(donor.ids, ids), len(ids) - 1)  # the last token is encoded for its logits
            if donor is not row:
                cache.copy(donor.index, row.index, shared)
            row.ids = ids[:shared]
            running.prefilled += max(0, len(running.prompt) - shared)
        return len(ids) - len(running.row.ids)

    def _find_row(self, rows: list[Row], unit: str) -> Row:
        row = next((row for row in rows if row.unit == unit), None)
        if row is None:
            busy = {id(running.row) for running in self.running}
            free = (row for row in rows if id(row) not in busy)
            row = min(free, key=lambda row: (row.unit is not None, row.used))
            row.unit = unit
        self.clock += 1
        row.used = self.clock
        return row

    def _block(self, adapter: str) -> tuple[RowCache, list[Row]]:
        if adapter not in self.caches:
            cache = RowCache(
                self.model.config.get_text_config(), self.lanes, dtype=self.model.dtype, device=self.model.device
            )
            self.caches[adapter] = cache, [Row(index) for index in range(self.lanes)]
        return self.caches[adapter]

    @torch.inference_mode()
    def _encode(self, adapter: str, asks: list[Running]) -> list[Running]:
        """Runs one pass over the next tokens of these asks (at most LONGEST_PASS each), padded at the right.

        Returns the asks that are now fully encoded; these have their logits.
        """
        self.passes += 1
        cache, _ = self._block(adapter)
        rows = [running.row for running in asks if running.row is not None]
        fresh = [
            running.ids()[len(row.ids) : len(row.ids) + LONGEST_PASS] for running, row in zip(asks, rows, strict=True)
        ]
        longest = max(len(ids) for ids in fresh)
        starts = torch.tensor([len(row.ids) for row in rows], device=self.model.device)
        positions = starts[:, None] + torch.arange(longest, device=self.model.device)
        width = int(positions.max()) + 1
        cache.aim([row.index for row in rows], positions, width)
        masks = self.attention.masks(positions, width)  # the keys and values of padding are overwritten later
        padded = torch.tensor([ids + [0] * (longest - len(ids)) for ids in fresh], device=self.model.device)
        lasts = sorted({len(ids) - 1 for ids in fresh})
        output = self.model(
            input_ids=padded, position_ids=positions, attention_mask=masks, past_key_values=cache, use_cache=True,
            logits_to_keep=torch.tensor(lasts, device=self.model.device),
        )  # fmt: skip
        for index, (running, row, ids) in enumerate(zip(asks, rows, fresh, strict=True)):
            running.logits, running.last_pass = output.logits[index, lasts.index(len(ids) - 1)].float(), self.passes
            row.ids += ids
        return [running for running in asks if running.row and len(running.row.ids) == len(running.ids())]


def open_engine(config: Config) -> LocalEngine:
    """Loads the model that the settings name. Raises UnknownModel."""
    settings = config.model
    return LocalEngine(load_model(settings.id, settings.device, settings.precision), settings.lanes)


def _shared_length(left: list[int], right: list[int]) -> int:
    """Returns the length of the common beginning."""
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count
