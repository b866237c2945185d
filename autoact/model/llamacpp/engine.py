"""The llama.cpp engine: asks the server for the candidates of one token at a time, and draws as the local engine does.

Every rule of an answer is applied here, so a seed gives the tokens that the local engine would draw. Two tokens whose
logits are nearly equal may change places, since llama.cpp computes a batch in another order than one ask alone.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from autoact.errors import BadInput, ContextFull, ModelFailed, UnknownModel
from autoact.model.completion import complete_text, forbidden_ids
from autoact.model.engine import Ticket
from autoact.model.likelihood import match_tokens
from autoact.model.llamacpp.adapters import convert_adapter
from autoact.model.llamacpp.server import Next, Server
from autoact.model.llamacpp.slots import Owner, Slot, Slots
from autoact.model.llamacpp.source import Source, find_source
from autoact.model.sampling import CANDIDATES, draw
from autoact.model.tokens import ChoiceTree, Tokens
from autoact.project.config import Config
from autoact.script import Answer, Ask, Match

WAIT = 0.05
"""Seconds that a step waits for a token."""
LANES = 4
"""Most episodes at once. More are not worth their memory: llama.cpp gains less from a batch than torch does."""


@dataclass(slots=True)
class Running:
    """An ask that is being answered."""

    ticket: Ticket
    ask: Ask
    seed: int
    prompt: list[int]
    tree: ChoiceTree | None
    taken: list[int]
    """Ids of the answer so far."""
    began: float
    slot: Slot | None = None
    """Its slot, once it has one."""
    prefilled: int = 0

    def ids(self) -> list[int]:
        return self.prompt + self.taken


Reply = tuple[Running, Slot, "Future[Next] | Future[str]"]


class LlamaEngine:
    """An engine with one GGUF model. See `Engine` for its public methods."""

    def __init__(self, source: Source, lanes: int, adapters: int):
        """Takes the most episodes at once, and the adapters that each of them may use."""
        self.source, self.lanes, self.base = source, lanes, source.settings
        self.name = f"{source.folder.name} · llama.cpp · {source.file.name}"
        self.tokens = Tokens(source.tokenizer)
        self.numbers: dict[str, int] = {}
        """The server's numbers of the adapters, by name."""
        self.count = lanes * max(1, adapters)
        self.window = source.context(self.count)
        self.server = self._open_server()
        source.check_vocabulary(self.server)
        self.slots = Slots(self.count)
        self.pool = ThreadPoolExecutor(self.count, thread_name_prefix="llama.cpp")
        self.arrived: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        self.running: list[Running] = []
        self.complete: list[tuple[Ticket, Answer | ModelFailed]] = []

    # -- the protocol ------------------------------------------------------------------------------------------------

    def submit(self, ticket: Ticket, ask: Ask, seed: int) -> None:
        """Queues an ask. A choice that has only one option is answered at once."""
        prompt = [] if isinstance(ask, Match) else self.tokens.prompt(ask.prompt)
        tree = ChoiceTree(self.tokens, ask.choices) if ask.choices and not isinstance(ask, Match) else None
        running = Running(ticket, ask, seed, prompt, tree, tree.forced([]) if tree else [], time.monotonic())
        if isinstance(ask, Match):
            longest = match_tokens(self.tokens, ask)
        else:
            longest = len(prompt) + (tree.longest if tree else ask.limit)
        if longest > self.window:
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
        self.server = self._open_server(list(adapters.values()))
        self.slots, self.pool = Slots(self.count), ThreadPoolExecutor(self.count, thread_name_prefix="llama.cpp")

    def close(self) -> None:
        """Waits for the tokens that are being computed, and frees the model."""
        self.pool.shutdown()
        del self.server

    # -- one ask -----------------------------------------------------------------------------------------------------

    def _open_server(self, folders: Sequence[Path] = ()) -> Server:
        with TemporaryDirectory(prefix="autoact-adapters-") as root:
            files = [Path(root) / f"{number}.gguf" for number, _ in enumerate(folders)]
            for folder, file in zip(folders, files, strict=True):
                settings = convert_adapter(folder, self.source.folder, file)
                if settings.alora_invocation_tokens:
                    raise BadInput("an activated LoRA, which this engine does not run", file=folder)
            try:
                return self.source.open_server(self.count, self.window, files)
            except UnknownModel as error:
                if not folders:
                    raise
                names = ", ".join(folder.name for folder in folders)
                raise BadInput(f"these adapters do not fit {self.source.folder.name}: {names}") from error

    def _advance(self, running: Running) -> None:
        """Asks for the next token, or for a match, once there is a slot."""
        ask, adapter = running.ask, self.numbers.get(running.ask.adapter)
        ids = running.ids()
        running.slot = slot = self.slots.take(Owner(running.ticket.unit, ask.adapter), ids)
        if slot is None:
            return
        reply: Future[Next] | Future[str]
        if isinstance(ask, Match):
            reply, slot.ids = self.pool.submit(self._match, ask, slot.index, adapter), []
        else:
            reply, slot.ids = self.pool.submit(self._next, running, slot.index, ids, adapter), ids
        reply.add_done_callback(partial(self._put, running, slot))

    def _put(self, running: Running, slot: Slot, reply: Future[Next] | Future[str]) -> None:
        self.arrived.put((running, slot, reply))

    def _replies(self, wait: float) -> Iterator[Reply]:
        """Yields what has arrived; waits at most `wait` seconds for the first."""
        try:
            yield self.arrived.get(timeout=wait) if wait else self.arrived.get_nowait()
            while True:
                yield self.arrived.get_nowait()
        except queue.Empty:
            return

    def _receive(self, running: Running, slot: Slot, reply: Future[Next] | Future[str]) -> None:
        """Takes a reply: asks for another token, or completes the answer."""
        try:
            found = reply.result()
        except ModelFailed as error:
            slot.ids = []
            self.running.remove(running)
            self.complete.append((running.ticket, error))
            return None
        if isinstance(found, str):
            self._complete(running, found, running.prefilled)
        else:
            self._take(running, found)
            if not self._finish(running):
                return self._advance(running)
        self.running.remove(running)
        return None

    def _next(self, running: Running, slot: int, ids: list[int], adapter: int | None) -> Next:
        """Returns the ids that may come next. Runs in a thread."""
        if running.tree:
            return self.server.choices(slot, ids, adapter, running.tree.next(running.taken))
        forbidden = set(forbidden_ids(self.tokens, running.ask, running.taken))
        found = self.server.candidates(slot, ids, adapter, CANDIDATES + len(forbidden))
        return Next({one: logit for one, logit in found.logits.items() if one not in forbidden}, found.cached)

    def _take(self, running: Running, found: Next) -> None:
        """Draws a token among the candidates."""
        running.prefilled += max(0, len(running.prompt) - found.cached)
        ids, logits = list(found.logits), torch.tensor(list(found.logits.values()))
        allowed = list(range(len(ids))) if running.tree else None
        running.taken.append(ids[draw(logits, running.ask.sampling, running.seed, len(running.taken), allowed)])
        if running.tree:
            running.taken = running.tree.forced(running.taken)

    def _finish(self, running: Running) -> bool:
        """Adds a complete answer to `complete`; returns whether it is complete."""
        text = complete_text(self.tokens, running.ask, running.tree, running.taken)
        if text is None:
            return False
        self._complete(running, text, len(running.prompt))
        return True

    def _complete(self, running: Running, text: str, prompt_tokens: int) -> None:
        ms = 1000 * (time.monotonic() - running.began)
        answer = Answer(text, tuple(running.taken), prompt_tokens, running.prefilled, ms)
        self.complete.append((running.ticket, answer))

    def _match(self, ask: Match, slot: int, adapter: int | None) -> str:
        """Returns the choice after whose beginning the text is likeliest, the first of equals. Runs in a thread.

        The server scores one id at a time, so a text takes as long as an answer of its length for each choice.
        """
        text = self.tokens.segment(ask.text)
        scores = []
        for beginning in map(self.tokens.plain, ask.beginnings):
            ids = [*beginning, *text]
            places = range(len(beginning), len(ids))
            scores.append(sum(self.server.log_probability(slot, ids[:at], adapter, ids[at]) for at in places))
        return ask.choices[max(range(len(scores)), key=scores.__getitem__)]


def open_engine(config: Config) -> LlamaEngine:
    """Loads the model that the settings name. Raises BadInput and UnknownModel."""
    lanes = min(config.model.lanes, LANES)
    return LlamaEngine(find_source(config.model), lanes, len(config.differentiation.adapters))
