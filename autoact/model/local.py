"""The local engine: a transformers model with LoRA adapters; the asks of all adapters share its passes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from autoact.errors import ContextFull, ModelFailed
from autoact.model.adapters import NONE, Adapters
from autoact.model.attention import PACKED, check_layers, context_window
from autoact.model.blocked import BlockedWeights
from autoact.model.cache import Branch, Row
from autoact.model.completion import Running, complete_text, forbidden_ids
from autoact.model.engine import Ticket
from autoact.model.likelihood import find_match
from autoact.model.memory import EPISODE, SHARE, free_memory, release_memory, token_bytes
from autoact.model.packing import PackedPass
from autoact.model.rows import WORTH_SHARING, Rows, shared_length
from autoact.model.sampling import Draw, draw_tokens
from autoact.model.store import Weights, load_model
from autoact.model.tokens import ChoiceTree, Tokens
from autoact.project.config import Config
from autoact.script import Answer, Ask, Match
from autoact.threads import Threads
from autoact.trajectory import META

LONGEST_PASS = 256
"""Tokens of prompts that a pass encodes at most: the job obeys commands between passes."""


@dataclass(slots=True, eq=False)
class LocalRunning(Running):
    """An ask that the local engine is answering."""

    kind: str = META
    """The adapter of its cache; META if the base model's cache serves it."""
    branch: Branch | None = None
    """The tokens that an activated adapter encodes."""
    row: Row | None = None
    longest: int = 0
    """The most tokens that it may come to."""
    last_pass: int = 0
    """Number of the last pass that encoded it."""

    @property
    def rest(self) -> int:
        """The number of tokens still to encode."""
        assert self.row is not None
        return len(self.prompt) + len(self.taken) - len(self.row.ids)


class LocalEngine:
    """An engine with one causal model of transformers. See `Engine` for its public methods."""

    def __init__(self, weights: Weights, lanes: int, free: int | None = None):
        """Takes the most episodes in progress, and the free bytes of the device; None when they are unknown.

        Has fewer lanes when the caches of all would not fit. Raises UnknownModel for a model that cannot be computed.
        """
        self.weights, self.model, self.name = weights, weights.model, weights.name
        self.tokens = Tokens(weights.tokenizer)
        check_layers(weights.model)
        self.config = weights.model.config.get_text_config()
        self.window = context_window(self.config, weights.tokenizer)
        self.space = None if free is None else int(free * SHARE) // token_bytes(self.config, self.model.dtype)
        """The most tokens in all rows of the cache; None for no limit."""
        self.lanes = self._fit_lanes(lanes)
        self.threads = Threads()
        self.running: list[LocalRunning] = []
        self.complete: list[tuple[Ticket, Answer | ModelFailed]] = []
        self.adapters = Adapters()
        self.blocked = BlockedWeights(weights.model)
        self.rows = self._new_rows()
        self.passes = 0

    # -- the protocol ------------------------------------------------------------------------------------------------

    def submit(self, ticket: Ticket, ask: Ask, seed: int) -> None:
        """Queues an ask. A match, and a choice that has only one option, are answered at once."""
        prompt = self.tokens.prompt(ask.prompt)
        tree = ChoiceTree(self.tokens, ask.choices) if ask.choices else None
        if isinstance(ask, Match):
            longest = self.tokens.match_size(ask)
        else:
            longest = len(prompt) + (tree.longest if tree else ask.limit)
        if self.window is not None and longest > self.window:
            what = f"prompt and answer may take {longest} tokens, the model's context window has {self.window}"
            self.complete.append((ticket, ContextFull(what)))
        elif not self.rows.fits(longest):
            what = f"prompt and answer may take {longest} tokens, for which there is no memory on this device"
            self.complete.append((ticket, ContextFull(what)))
        elif ask.adapter != META and ask.adapter not in self.adapters.numbers:
            self.complete.append((ticket, ModelFailed(f"no adapter `{ask.adapter}` is loaded")))
        elif isinstance(ask, Match):
            self.complete.append((ticket, self._match(ask)))
        else:
            taken = tree.forced([]) if tree else []
            kind = META if ask.adapter in self.adapters.invocations else ask.adapter
            branch = self.adapters.find_branch(ask.adapter, prompt)
            running = LocalRunning(
                ticket,
                ask,
                seed,
                prompt,
                tree,
                taken,
                time.monotonic(),
                kind=kind,
                branch=branch,
                longest=longest,
            )
            if not self._finish(running):
                self.running.append(running)

    def step(self) -> Iterator[tuple[Ticket, Answer | ModelFailed]]:
        """Runs a pass over the asks of all adapters, and draws a token for each ask that is then fully encoded."""
        if self.threads.adapt():
            torch.set_num_threads(self.threads.count)
        if self.running:
            self._take(*self._encode(self._next_pass()))
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
        self.rows.forget(unit)

    def adapt(self, adapters: Mapping[str, Path]) -> None:
        """Loads PEFT folders in place of all adapters, and clears the caches.

        Raises BadInput for a folder that does not fit the model.
        """
        self.release()
        self.adapters.load(self.weights, adapters)
        self.rows = self._new_rows()

    def release(self) -> None:
        """Removes adapters and caches from the model, before training or before other adapters are loaded."""
        self.adapters.clear()
        self.blocked.remove()
        self.rows = self._new_rows()
        release_memory()

    # -- one step ----------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def _take(self, asks: list[LocalRunning], logits: Tensor) -> None:
        """Draws the next token of each of these asks. logits: (asks, vocabulary)."""
        if not asks:
            return
        draws = [self._draw(running) for running in asks]
        for row, (running, draw) in enumerate(zip(asks, draws, strict=True)):
            if draw.allowed is not None:
                logits[row, draw.allowed] = running.weigh(draw.allowed, logits[row, draw.allowed])
        for running, (chosen, chance) in zip(asks, draw_tokens(logits, draws), strict=True):
            running.take(chosen, chance)
        ended = {id(running) for running in asks if self._finish(running)}
        self.running = [running for running in self.running if id(running) not in ended]

    def _draw(self, running: LocalRunning) -> Draw:
        ask, taken = running.ask, running.taken
        allowed = running.tree.next(taken) if running.tree else None
        forbidden = () if running.tree else forbidden_ids(self.tokens, ask, taken)
        return Draw(ask.sampling, running.seed, len(taken), allowed, forbidden)

    def _finish(self, running: LocalRunning) -> bool:
        """Adds a complete answer to `complete`; returns whether it is complete."""
        text = complete_text(self.tokens, running.ask, running.tree, running.taken)
        if text is None:
            return False
        self.complete.append((running.ticket, running.answer(text)))
        return True

    @torch.inference_mode()
    def _match(self, ask: Match) -> Answer:
        began = time.monotonic()
        number = NONE if ask.adapter in self.adapters.invocations else self.adapters.numbers.get(ask.adapter, NONE)
        self.adapters.choose(torch.tensor([number]))
        text, count = find_match(self.model, self.tokens, ask)
        return Answer(text, (), count, count, 1000 * (time.monotonic() - began))

    # -- encoding ----------------------------------------------------------------------------------------------------

    def _new_rows(self) -> Rows:
        """Returns empty rows: for each lane one for the base model, and one for each adapter that shares no cache."""
        kinds = 1 + len(self.adapters.numbers) - len(self.adapters.invocations)
        return Rows(self.config.num_hidden_layers, self.lanes * kinds, self.space)

    def _fit_lanes(self, lanes: int) -> int:
        """Returns how many of these lanes have memory for an episode; the name then tells when they are fewer."""
        most = lanes if self.space is None else max(1, self.space // min(EPISODE, self.window or EPISODE))
        if most < lanes:
            self.name += f" · {most} of {lanes} lanes, as the memory for caches is short"
        return min(lanes, most)

    @torch.inference_mode()
    def _next_pass(self) -> list[tuple[LocalRunning, int]]:
        """Returns the asks of the next pass, each with the number of its tokens to encode.

        Every ask with one token left takes part; longer ones share LONGEST_PASS, those that waited longest first.
        """
        self._assign_rows()
        left, chosen = LONGEST_PASS, list[tuple[LocalRunning, int]]()
        ready = [running for running in self.running if running.row is not None]
        for running in sorted(ready, key=lambda running: (running.rest > 1, running.last_pass)):
            count = min(running.rest, left) if running.rest > 1 else 1
            if count:
                chosen.append((running, count))
                left -= count if running.rest > 1 else 0
        return sorted(chosen, key=lambda one: one[0].row.index if one[0].row else 0)

    def _assign_rows(self) -> None:
        """Gives rows to asks that have none, except to those that can soon take over tokens from another ask."""
        busy = {running.row.index for running in self.running if running.row is not None}
        for running in self.running:
            if running.row is not None or self._waits_for_another(running):
                continue
            ids = running.ids()
            row = self.rows.take(running.kind, running.ticket.unit, ids, running.longest, running.branch, busy)
            if row is None:
                return
            running.row = row
            busy = {one.row.index for one in self.running if one.row is not None}
            running.prefilled += max(0, len(running.prompt) - len(row.ids))

    def _waits_for_another(self, running: LocalRunning) -> bool:
        """Returns whether another ask is about to encode many tokens that this one begins with too."""
        ids = running.ids()
        most = len(ids) - 1 if running.branch is None else running.branch.at
        for other in self.running:
            if other.row is None or other.kind != running.kind or other.rest < WORTH_SHARING:
                continue
            coming = min(shared_length(other.prompt, ids), most, other.branch.at if other.branch else most)
            if coming >= len(other.row.ids) + WORTH_SHARING and coming >= self._encoded(running) + WORTH_SHARING:
                return True
        return False

    def _encoded(self, running: LocalRunning) -> int:
        """Returns how many of an ask's tokens its unit's own row has already."""
        rows = self.rows.rows
        own = (row for row in rows if row.unit == running.ticket.unit and row.kind == running.kind)
        return max((shared_length(row.ids, running.prompt) for row in own), default=0)

    @torch.inference_mode()
    def _encode(self, chosen: list[tuple[LocalRunning, int]]) -> tuple[list[LocalRunning], Tensor]:
        """Runs one pass over the next tokens of these asks.

        Returns the asks that are now fully encoded, and their logits (asks, vocabulary).
        """
        self.passes += 1
        rows = [running.row for running, _ in chosen if running.row is not None]
        fresh = [running.ids()[-running.rest :][:count] for running, count in chosen]
        packed = PackedPass(self.rows.cache, rows, fresh, self.model.device)
        self._choose_adapters(chosen)
        done = [number for number, (running, count) in enumerate(chosen) if running.rest == count]
        logits = self._compute(packed, packed.lasts[done] if done else packed.lasts[:1])
        for (running, _), row, ids in zip(chosen, rows, fresh, strict=True):
            row.ids += ids
            running.last_pass = self.passes
        return [chosen[number][0] for number in done], logits

    def _compute(self, packed: PackedPass, places: Tensor) -> Tensor:
        """Returns the logits (places, vocabulary) of a pass, as float32."""
        before, self.config._attn_implementation = self.config._attn_implementation, PACKED
        self.blocked.add()
        try:
            output = self.model(
                input_ids=packed.ids, position_ids=packed.positions, past_key_values=self.rows.cache, use_cache=True,
                logits_to_keep=places.to(self.model.device), packed=packed,
            )  # fmt: skip
        finally:
            self.config._attn_implementation = before  # training and matches use the model's own
            self.adapters.choose(None)
        logits: Tensor = output.logits[0].float()
        return logits

    def _choose_adapters(self, chosen: list[tuple[LocalRunning, int]]) -> None:
        """Sets the adapter of every token of the pass."""
        numbers: list[int] = []
        for running, count in chosen:
            assert running.row is not None
            number = self.adapters.numbers.get(running.ask.adapter, NONE)
            first = len(running.row.ids)
            begin = 0 if running.branch is None else running.branch.at
            if running.branch is None and running.ask.adapter in self.adapters.invocations:
                number = NONE  # never invoked
            plain = max(0, min(count, begin - first))
            numbers += [NONE] * plain + [number] * (count - plain)
        self.adapters.choose(torch.tensor(numbers))


def open_engine(config: Config) -> LocalEngine:
    """Loads the model that the settings name. Raises UnknownModel."""
    settings = config.model
    weights = load_model(settings.id, settings.device, settings.precision)
    return LocalEngine(weights, settings.lanes, free_memory(weights.model.device))
