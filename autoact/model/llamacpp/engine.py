"""The llama.cpp engine: asks the server for the candidates of one token at a time, and draws as the local engine does.

Every rule of an answer is applied here, so a seed gives the tokens that the local engine would draw. Two tokens whose
logits are nearly equal may change places, since llama.cpp computes a batch in another order than one ask alone.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch

from autoact.errors import BadInput, ContextFull, ModelFailed, UnknownModel
from autoact.model.completion import Running, complete_text, forbidden_ids
from autoact.model.engine import Ticket
from autoact.model.llamacpp.adapters import convert_adapter
from autoact.model.llamacpp.server import LlamaServer, Next
from autoact.model.llamacpp.slots import CacheSlot, SlotOwner, Slots, last_place, shared_length
from autoact.model.llamacpp.source import Source, find_source
from autoact.model.sampling import CANDIDATES, Draw, draw_tokens
from autoact.model.tokens import ChoiceTree, Tokens
from autoact.project.config import Config
from autoact.script import Answer, Ask, Match
from autoact.trajectory import META

ACTIVATED = "*"
"""Stands for every activated adapter: their episodes share one cache, that of the base model."""
NO_ADAPTERS: Mapping[str, Path] = {}
WAIT = 0.05
"""Seconds that a step waits for a token."""
LANES = 4
"""Most episodes at once. More are not worth their memory: llama.cpp gains less from a batch than torch does."""


@dataclass(slots=True, eq=False)
class LlamaRunning(Running):
    """An ask that llama.cpp is answering."""

    slot: CacheSlot | None = None
    """Its slot, once it has one."""


class Followed(NamedTuple):
    """Ids that the server drew."""

    ids: list[int]
    cached: int
    """Ids that the slot's cache had already."""


class Matched(NamedTuple):
    """The choice that a text matches."""

    choice: str
    encoded: int
    """Ids encoded for it."""


Result = Next | Followed | Matched
"""The candidates of a token, or ids that follow, or the choice that matches."""
Reply = tuple[LlamaRunning, CacheSlot, Future[Result]]


class LlamaEngine:
    """An engine with one GGUF model. See `Engine` for its public methods."""

    def __init__(self, source: Source, lanes: int, adapters: int):
        """Takes the most episodes at once, and the adapters that each of them may use."""
        self.source, self.lanes, self.base = source, lanes, source.settings
        self.name = f"{source.folder.name} · llama.cpp · {source.file.name}"
        self.tokens = Tokens(source.tokenizer)
        self.numbers: dict[str, int] = {}
        """The server's numbers of the adapters, by name."""
        self.invocations: dict[str, list[int]] = {}
        """The ids from which activated adapters (aLoRA) are active, by name."""
        self.count = lanes * max(1, adapters)
        self.window = source.context(self.count)
        self.server = self._open_server()
        source.check_vocabulary(self.server)
        self.slots = Slots(self.count)
        self.pool = ThreadPoolExecutor(self.count, thread_name_prefix="llama.cpp")
        self.arrived: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        self.running: list[LlamaRunning] = []
        self.complete: list[tuple[Ticket, Answer | ModelFailed]] = []

    # -- the protocol ------------------------------------------------------------------------------------------------

    def submit(self, ticket: Ticket, ask: Ask, seed: int) -> None:
        """Queues an ask. A choice that has only one option is answered at once."""
        prompt = [] if isinstance(ask, Match) else self.tokens.prompt(ask.prompt)
        tree = ChoiceTree(self.tokens, ask.choices) if ask.choices and not isinstance(ask, Match) else None
        running = LlamaRunning(ticket, ask, seed, prompt, tree, tree.forced([]) if tree else [], time.monotonic())
        if isinstance(ask, Match):
            longest = self.tokens.match_size(ask)
        else:
            longest = len(prompt) + (tree.longest if tree else ask.limit)
        if ask.adapter != META and ask.adapter not in self.numbers:
            self.complete.append((ticket, ModelFailed(f"no adapter `{ask.adapter}` is loaded")))
        elif longest > self.window:
            what = f"prompt and answer may take {longest} tokens, the context of this engine has {self.window}"
            self.complete.append((ticket, ContextFull(what)))
        elif isinstance(ask, Match) or not self._finish(running):
            self.running.append(running)
            self._advance(running)

    def step(self) -> Iterator[tuple[Ticket, Answer | ModelFailed]]:
        """Takes the tokens that have arrived, and waits up to WAIT seconds if none has. Yields complete answers."""
        for running, slot, reply in self._replies(WAIT if self.running and not self.complete else 0):
            slot.busy = False
            if running in self.running:
                self._receive(running, slot, reply)
        for running in self.running:
            if running.slot is None:
                self._advance(running)
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
        self.slots.release(unit)

    def adapt(self, adapters: Mapping[str, Path]) -> None:
        """Loads PEFT folders in place of all adapters. The server, which loads them only at its start, is opened anew.

        Raises BadInput for a folder that does not fit the model.
        """
        self.close()
        self.numbers = {name: number for number, name in enumerate(adapters)}
        self.server = self._open_server(adapters)
        self.slots, self.pool = Slots(self.count), ThreadPoolExecutor(self.count, thread_name_prefix="llama.cpp")

    def close(self) -> None:
        """Waits for the tokens that are being computed, and frees the model."""
        self.pool.shutdown()
        self.server.close()

    # -- one ask -----------------------------------------------------------------------------------------------------

    def _open_server(self, folders: Mapping[str, Path] = NO_ADAPTERS) -> LlamaServer:
        """Opens a server with these adapters, in this order. Raises BadInput for one that does not fit the model."""
        with TemporaryDirectory(prefix="autoact-adapters-") as root:
            files = [Path(root) / f"{number}.gguf" for number, _ in enumerate(folders)]
            settings = {
                name: convert_adapter(folder, self.source.folder, file)
                for (name, folder), file in zip(folders.items(), files, strict=True)
            }
            self.invocations = {
                name: one.alora_invocation_tokens for name, one in settings.items() if one.alora_invocation_tokens
            }
            try:
                return self.source.open_server(self.count, self.window, files)
            except UnknownModel as error:
                if not folders:
                    raise
                names = ", ".join(map(str, folders.values()))
                raise BadInput(f"these adapters do not fit {self.source.folder.name}: {names}") from error

    def _advance(self, running: LlamaRunning) -> None:
        """Asks for what comes next, or for a match, once there is a slot."""
        ask, ids = running.ask, running.ids()
        shared = ACTIVATED if ask.adapter in self.invocations else ask.adapter
        running.slot = slot = self.slots.take(SlotOwner(running.ticket.unit, shared), ids)
        if slot is None:
            return
        reply: Future[Result]
        if isinstance(ask, Match):
            reply, slot.ids = self.pool.submit(self._match, ask, slot.index), []
        elif ask.adapter in self.invocations:
            reply = self.pool.submit(self._next_of_branch, running, slot, ids)
        else:
            reply, slot.ids = self.pool.submit(self._next, running, slot.index, ids), ids
        reply.add_done_callback(partial(self._put, running, slot))

    def _put(self, running: LlamaRunning, slot: CacheSlot, reply: Future[Result]) -> None:
        self.arrived.put((running, slot, reply))

    def _replies(self, wait: float) -> Iterator[Reply]:
        """Yields what has arrived; waits at most `wait` seconds for the first."""
        try:
            yield self.arrived.get(timeout=wait) if wait else self.arrived.get_nowait()
            while True:
                yield self.arrived.get_nowait()
        except queue.Empty:
            return

    def _receive(self, running: LlamaRunning, slot: CacheSlot, reply: Future[Result]) -> None:
        """Takes a reply: asks for another token, or completes the answer."""
        try:
            found = reply.result()
        except ModelFailed as error:
            slot.ids = []
            self.running.remove(running)
            self.complete.append((running.ticket, error))
            return None
        if isinstance(found, Matched):
            running.prefilled = found.encoded
            self._complete(running, found.choice, found.encoded)
        else:
            running.prefilled += max(0, len(running.prompt) - found.cached)
            drawn = [(id, None) for id in found.ids] if isinstance(found, Followed) else [self._draw(running, found)]
            for id, chance in drawn:
                running.take(id, chance)
            if not self._finish(running):
                return self._advance(running)
        self.running.remove(running)
        return None

    def _next(self, running: LlamaRunning, slot: int, ids: list[int]) -> Next:
        """Returns the ids that may come next. Runs in a thread."""
        adapter = self.numbers.get(running.ask.adapter)
        if running.tree:
            return self.server.choices(slot, ids, adapter, running.tree.next(running.taken))
        forbidden = set(forbidden_ids(self.tokens, running.ask, running.taken))
        found = self.server.candidates(slot, ids, adapter, CANDIDATES + len(forbidden))
        return Next({one: logit for one, logit in found.logits.items() if one not in forbidden}, found.cached)

    def _next_of_branch(self, running: LlamaRunning, slot: CacheSlot, ids: list[int]) -> Next | Followed:
        """Returns what an activated adapter may write next. Runs in a thread.

        The server encodes everything from the invocation on again for each request. So a greedy answer is one request,
        and only choices and answers that are drawn take one for each token.
        """
        name = running.ask.adapter
        start = last_place(ids, self.invocations[name])
        self._cut_branch(slot, ids, len(ids) if start is None else start, name)
        slot.ids, slot.branch = ids, start
        if running.tree or running.ask.sampling.temperature > 0:
            return self._next(running, slot.index, ids)
        followed = self._follow(running, slot.index, ids)
        return followed if followed.ids else self._next(running, slot.index, ids)

    def _cut_branch(self, slot: CacheSlot, ids: list[int], start: int, name: str) -> None:
        """Removes from a slot's cache what an adapter computed before the place `start`: the base computes it anew.

        The server would keep it. It drops what follows the first other id, and computes no id before an invocation
        with an adapter; so it is asked about another id at that place, and an invocation.
        """
        if slot.branch is None or start <= slot.branch or slot.branch >= shared_length(slot.ids, ids):
            return
        other = [*ids[: slot.branch], self.server.plain, *self.invocations[name]]
        self.server.candidates(slot.index, other, self.numbers[name], 1)

    def _follow(self, running: LlamaRunning, slot: int, ids: list[int]) -> Followed:
        """Returns the likeliest ids that follow, up to the end of the answer or a change of the forbidden ids."""
        ask, taken, found = running.ask, list(running.taken), list[int]()
        forbidden = forbidden_ids(self.tokens, ask, taken)

        def take(token: int) -> bool:
            found.append(token)
            taken.append(token)
            unfinished = complete_text(self.tokens, ask, None, taken) is None
            return unfinished and forbidden_ids(self.tokens, ask, taken) == forbidden

        return Followed(found, self.server.follow(slot, ids, self.numbers[ask.adapter], forbidden, take))

    def _draw(self, running: LlamaRunning, found: Next) -> tuple[int, float | None]:
        """Returns one of the candidates, and its probability."""
        ids, logits = list(found.logits), torch.tensor(list(found.logits.values()))
        allowed = list(range(len(ids))) if running.tree else None
        logits = running.weigh(ids, logits) if running.tree else logits
        one = Draw(running.ask.sampling, running.seed, len(running.taken), allowed)
        ((place, chance),) = draw_tokens(logits[None], [one])
        return ids[place], chance

    def _finish(self, running: LlamaRunning) -> bool:
        """Adds a complete answer to `complete`; returns whether it is complete."""
        text = complete_text(self.tokens, running.ask, running.tree, running.taken)
        if text is None:
            return False
        self._complete(running, text, len(running.prompt))
        return True

    def _complete(self, running: LlamaRunning, text: str, prompt_tokens: int) -> None:
        self.complete.append((running.ticket, running.answer(text, prompt_tokens)))

    def _match(self, ask: Match, slot: int) -> Matched:
        """Returns the choice after whose beginning the text is likeliest, the first of equals. Runs in a thread.

        The server scores one id at a time, so a text takes as long as an answer of its length for each choice.
        """
        text, adapter = self.tokens.segment(ask.text), self.numbers.get(ask.adapter)
        scores, encoded = [], 0
        for beginning in map(self.tokens.plain, ask.beginnings):
            ids = [*beginning, *text]
            places = range(len(beginning), len(ids))
            scores.append(sum(self.server.log_probability(slot, ids[:at], adapter, ids[at]) for at in places))
            encoded += len(ids)
        return Matched(ask.choices[max(range(len(scores)), key=scores.__getitem__)], encoded)


def open_engine(config: Config) -> LlamaEngine:
    """Loads the model that the settings name. Raises BadInput and UnknownModel."""
    lanes = min(config.model.lanes, LANES)
    return LlamaEngine(find_source(config.model), lanes, len(config.differentiation.adapters))
