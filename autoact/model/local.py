"""The local engine: a transformers model with LoRA adapters, one growing cache an episode, all asks in one batch."""

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
from autoact.model.engine import Ticket
from autoact.model.likelihood import find_match, match_tokens
from autoact.model.sampling import draw
from autoact.model.store import Weights, load
from autoact.model.tokens import ChoiceTree, Tokens
from autoact.project.config import Model
from autoact.script import Answer, Ask, Match
from autoact.threads import Threads
from autoact.trajectory import META

WIDE = 64
"""From here on a pass over one row keeps the processor busy by itself; shorter ones share a pass."""
LONGEST_PASS = 256
"""Tokens of one row that a pass encodes at most: between passes the job looks for commands."""


@dataclass(slots=True)
class Row:
    """One episode's place in a cache block."""

    index: int
    unit: str | None = None
    ids: list[int] = field(default_factory=list)
    """Token ids whose keys and values the row holds."""
    used: int = 0


@dataclass(slots=True)
class Running:
    """An ask on its way to an answer."""

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
    """(vocabulary,) for the next token, when everything so far is encoded."""
    prefilled: int = 0
    served: int = 0
    """Number of the last pass it was in."""

    def ids(self) -> list[int]:
        return self.prompt + self.taken


class LocalEngine:
    """Engine over one transformers causal model. See engine.py for the contract."""

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

    # -- the contract ------------------------------------------------------------------------------------------------

    def submit(self, ticket: Ticket, ask: Ask, seed: int) -> None:
        """Queue an ask; a choice that needs no model is answered at once, and so is a match."""
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
            self.complete.append((ticket, self._matched(ask)))
        else:
            taken = tree.forced([]) if tree else []
            running = Running(ticket, ask, seed, prompt, tree, taken, time.monotonic())
            if not self._finish(running):
                self.running.append(running)

    def step(self) -> Iterator[tuple[Ticket, Answer | ModelFailed]]:
        """One forward pass for the adapter that most wait for; a token for each of its asks that is then encoded."""
        if self.threads.adapt():
            torch.set_num_threads(self.threads.count)
        if self.running:
            adapter = self._busiest()
            self._activate(adapter)
            for running in self._encoded(adapter, self._next_pass(adapter)):
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
                    row.unit = None  # its ids stay: the next episode may share a beginning

    def adapt(self, adapters: Mapping[str, Path]) -> None:
        """Load PEFT folders, replacing adapters of the same names; their caches are void.

        Raises BadInput for a folder that does not fit the model.
        """
        self.release()
        for adapter, folder in adapters.items():
            self.peft = load_adapter(self.weights, self.peft, adapter, folder)
        if self.peft is not None:
            self.peft.eval()
            self._set_adapter(self.active)

    def release(self) -> None:
        """Drop adapters and caches and give the bare model back, for training or other adapters."""
        if self.peft is not None:
            self.model = self.peft.unload()
        self.peft, self.active = None, META
        self.caches.clear()
        heap.release_memory()

    # -- one step ----------------------------------------------------------------------------------------------------

    def _busiest(self) -> str:
        """The adapter with the most asks; the present one wins ties, since changing adapters walks every module."""
        counts: dict[str, int] = {}
        for running in self.running:
            counts[running.ask.adapter] = counts.get(running.ask.adapter, 0) + 1
        return max(counts, key=lambda adapter: (counts[adapter], adapter == self.active))

    def _rows_for(self, adapter: str) -> list[Running]:
        """The asks of an adapter that have a row or get one now; when there are more than rows, the last ones wait."""
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
            running.logits[self._forbidden(running)] = -torch.inf
        allowed = running.tree.next(running.taken) if running.tree else None
        chosen = draw(running.logits, running.ask.sampling, running.seed, len(running.taken), allowed)
        running.taken.append(chosen)
        if running.tree:
            running.taken = running.tree.forced(running.taken)
        running.logits = None

    def _forbidden(self, running: Running) -> list[int]:
        """Ids that may not come next: those that end an answer too early, and those that complete a barred word."""
        ask, taken = running.ask, running.taken
        early = len(taken) < ask.least or (ask.least > 0 and not self.tokens.text(taken).strip())
        return (self.tokens.breaks if early else []) + self.tokens.closing(taken, ask.barred)

    def _finish(self, running: Running) -> bool:
        """Whether the answer is complete; if so it waits in `complete`."""
        text = self._answer(running)
        if text is None:
            return False
        ms = 1000 * (time.monotonic() - running.began)
        answer = Answer(text, tuple(running.taken), len(running.prompt), running.prefilled, ms)
        self.complete.append((running.ticket, answer))
        return True

    def _answer(self, running: Running) -> str | None:
        """The answer's text once it is complete: a whole choice, a stop string, the end token or the limit."""
        if running.tree:
            return running.tree.chosen(running.taken)
        if not running.taken:
            return None
        text = self.tokens.text(running.taken)
        body = text.lstrip()  # small models like to open with an empty line: a stop counts after the first word
        stops = [at for stop in running.ask.stop if (at := body.find(stop)) >= 0]
        if stops:
            return body[: min(stops)].rstrip()
        if running.taken[-1] == self.tokens.end or len(running.taken) >= running.ask.limit:
            return body.rstrip()
        return None

    def _matched(self, ask: Match) -> Answer:
        began = time.monotonic()
        self._activate(ask.adapter)
        text, count = find_match(self.model, self.tokens, ask)
        return Answer(text, (), count, count, 1000 * (time.monotonic() - began))

    # -- encoding ----------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def _next_pass(self, adapter: str) -> list[Running]:
        """The ask that has waited longest for a pass, and those with about as many tokens to encode."""
        groups: dict[int, list[Running]] = {}
        for running in sorted(self._rows_for(adapter), key=lambda running: running.served):
            begins = running.row is None and all(row.unit != running.ticket.unit for row in self._block(adapter)[1])
            rest = self._settle(adapter, running)
            alone = rest > WIDE
            groups.setdefault(-len(groups) if alone else rest.bit_length(), []).append(running)
            if alone and (begins or len(groups) == 1):
                break  # what comes behind may begin as this one does, and then copies that
        group = next(iter(groups.values()))
        return sorted(group, key=lambda running: running.row.index if running.row else 0)

    def _settle(self, adapter: str, running: Running) -> int:
        """Find the ask's row, keep what it shares with the ask, and count the tokens still to encode."""
        cache, rows = self._block(adapter)
        ids = running.ids()
        if running.row is None:
            running.row = row = self._row(rows, running.ticket.unit)
            donor = max(rows, key=lambda other: (_shared(other.ids, ids), other is row))
            shared = min(_shared(donor.ids, ids), len(ids) - 1)  # the last token is encoded for its logits
            if donor is not row:
                cache.copy(donor.index, row.index, shared)
            row.ids = ids[:shared]
            running.prefilled += max(0, len(running.prompt) - shared)
        return len(ids) - len(running.row.ids)

    def _row(self, rows: list[Row], unit: str) -> Row:
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
    def _encoded(self, adapter: str, asks: list[Running]) -> list[Running]:
        """One forward pass over the tokens these rows lack, padded at the right to the longest, or over the next of
        them where they are many. Those asks of which nothing is left to encode have their logits."""
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
        masks = self.attention.masks(positions, width)  # what a padded place writes is overwritten later
        padded = torch.tensor([ids + [0] * (longest - len(ids)) for ids in fresh], device=self.model.device)
        lasts = sorted({len(ids) - 1 for ids in fresh})
        output = self.model(
            input_ids=padded, position_ids=positions, attention_mask=masks, past_key_values=cache, use_cache=True,
            logits_to_keep=torch.tensor(lasts, device=self.model.device),
        )  # fmt: skip
        for index, (running, row, ids) in enumerate(zip(asks, rows, fresh, strict=True)):
            running.logits, running.served = output.logits[index, lasts.index(len(ids) - 1)].float(), self.passes
            row.ids += ids
        return [running for running in asks if running.row and len(running.row.ids) == len(running.ids())]


def open_engine(settings: Model) -> LocalEngine:
    """Loads the model that the settings name. Raises UnknownModel."""
    return LocalEngine(load(settings.id, settings.device, settings.precision), settings.lanes)


def _shared(left: list[int], right: list[int]) -> int:
    """Length of the common beginning."""
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count
