"""The engine that asks servers: exact token ids go out and come back, and every rule of an answer is applied here."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from autoact.errors import BadInput, ContextFull, ModelFailed
from autoact.model.completion import Running, complete_text, forbidden_ids, is_early
from autoact.model.engine import Ticket
from autoact.model.server.adapters import ServedAdapters
from autoact.model.server.calls import Calls
from autoact.model.server.client import TryAgain, UnknownName
from autoact.model.server.comparison import Comparison
from autoact.model.server.dialects import Dialect, Generation, ReplyPiece
from autoact.model.server.replicas import NoServer, Replica, Replicas
from autoact.model.server.scoring import log_likelihood
from autoact.model.server.sleep import sleep, wake
from autoact.model.tokens import ChoiceTree
from autoact.project.config import Model
from autoact.script import Answer, Ask, Match
from autoact.trajectory import META

WAIT = 0.05
"""Seconds that a step waits for something to arrive."""
SPARE_REQUESTS = 8
"""Requests that an answer may take beyond one for each token."""

Send = Callable[[Any], None]


class Again:
    """Tells that a request is sent again from its beginning; what has arrived of it does not count."""


@dataclass(slots=True, eq=False)
class ServerRunning(Running):
    """An ask that a server is answering."""

    kept: int = 0
    """Ids that the answer had when its present request began."""
    banned: list[int] = field(default_factory=list)
    """Ids that may not come next, after the server drew one of them."""
    text: str = ""
    """The text of a choice so far, from a server that cannot limit ids."""
    requests: int = 0


class ServerEngine:
    """An engine whose model runs in other processes. See `Engine` for its public methods."""

    def __init__(
        self, replicas: Replicas, dialect: Dialect, comparison: Comparison, calls: Calls, *,
        base: Model, model: str, window: int | None,
    ):  # fmt: skip
        """Takes the base model, its name on the servers, and the most tokens of a prompt with its answer."""
        self.replicas, self.dialect, self.comparison = replicas, dialect, comparison
        self.tokens = comparison.tokens
        self.base, self.model, self.window, self.lanes = base, model, window, base.lanes
        count = len(replicas.all)
        self.name = f"{Path(base.id).name} · {dialect.name} · {count} server{'s' if count > 1 else ''}"
        self.adapters = ServedAdapters(replicas, dialect)
        self.calls, self.asleep = calls, False
        self.running: dict[int, ServerRunning] = {}
        """By the number of the present call."""
        self.complete: list[tuple[Ticket, Answer | ModelFailed]] = []

    # -- the protocol ------------------------------------------------------------------------------------------------

    def submit(self, ticket: Ticket, ask: Ask, seed: int) -> None:
        """Sends an ask to a server. A choice that has only one option is answered at once."""
        self.replicas.place(ticket.unit)
        prompt = self.tokens.prompt(ask.prompt)
        tree = ChoiceTree(self.tokens, ask.choices) if ask.choices else None
        running = ServerRunning(ticket, ask, seed, prompt, tree, tree.forced([]) if tree else [], time.monotonic())
        if isinstance(ask, Match):
            longest = self.tokens.match_size(ask)
        else:
            longest = len(prompt) + (tree.longest if tree else ask.limit)
        if self.window is not None and longest > self.window:
            what = f"prompt and answer may take {longest} tokens, the server's context window has {self.window}"
            self.complete.append((ticket, ContextFull(what)))
        elif ask.adapter not in (META, *self.adapters.names):
            self.complete.append((ticket, ModelFailed(f"no adapter `{ask.adapter}` is loaded")))
        elif isinstance(ask, Match):
            self._match(running, ask)
        elif not self._finish(running):
            self._generate(running)

    def step(self) -> Iterator[tuple[Ticket, Answer | ModelFailed]]:
        """Takes what has arrived, and waits up to WAIT seconds if nothing has. Yields the answers that are complete.

        Raises BadInput or NoServer when the servers cannot be used, after the answers that are complete.
        """
        wrong: BadInput | NoServer | None = None
        for number, message in self.calls.messages(0 if self.complete else WAIT):
            try:
                self._receive(number, message)
            except (BadInput, NoServer) as error:
                wrong = error
        complete, self.complete = self.complete, []
        yield from complete
        if wrong is not None:
            raise wrong

    def partial(self) -> Iterator[tuple[Ticket, str, str]]:
        for running in self.running.values():
            if running.taken and not running.tree:
                yield running.ticket, running.ask.part, self.tokens.text(running.taken).lstrip()

    def withdraw(self, unit: str) -> None:
        """Ends the requests of a unit, which frees the server, and drops its answers."""
        for number in [number for number, one in self.running.items() if one.ticket.unit == unit]:
            self._end_call(number)
        self.complete = [(ticket, answer) for ticket, answer in self.complete if ticket.unit != unit]

    def forget(self, unit: str) -> None:
        """Makes room for another unit on its server, which drops by itself the prefixes that it used longest ago."""
        self.replicas.release(unit)

    def adapt(self, adapters: Mapping[str, Path]) -> None:
        """Loads PEFT folders on every server in place of all adapters. Raises BadInput and ModelFailed."""
        self.calls.wait(self.adapters.change(adapters))

    def sleep(self) -> None:
        """Puts the servers to sleep until `wake`; nothing may be asked meanwhile. Raises BadInput."""
        if not self.asleep:
            self.calls.wait(sleep(self.replicas, self.adapters))
        self.asleep = True

    def wake(self) -> None:
        """Wakes the servers if they were put to sleep. Raises ModelFailed."""
        if self.asleep:
            self.calls.wait(wake(self.replicas))
        self.asleep = False

    def close(self) -> None:
        """Ends all requests and closes the connections."""
        self.calls.wait(self.replicas.client.close())
        self.calls.close()

    # -- requests ----------------------------------------------------------------------------------------------------

    def _generate(self, running: ServerRunning) -> None:
        """Asks for the next tokens of an answer."""
        running.requests += 1
        if running.requests > running.ask.limit + SPARE_REQUESTS:
            why = f"the answer did not end after {running.requests - 1} requests"
            self.complete.append((running.ticket, ModelFailed(why)))
            return
        running.kept, running.text = len(running.taken), ""
        asked, unit = self._next_generation(running), running.ticket.unit
        headers = self._headers(running)

        async def answer(send: Send) -> None:
            await self.replicas.attempt(unit, lambda replica: self._stream(replica, asked, headers, send))

        self._start(running, answer)

    def _start(self, running: ServerRunning, call: Callable[[Send], Coroutine[Any, Any, None]]) -> None:
        self.running[self.calls.start(call)] = running

    def _next_generation(self, running: ServerRunning) -> Generation:
        """Returns the request for what follows the ids that were taken."""
        ask, taken = running.ask, running.taken
        asked = Generation(
            [*running.prompt, *taken], self.adapters.names.get(ask.adapter, self.model), ask.limit - len(taken),
            ask.sampling, running.seed + len(taken),
        )  # fmt: skip
        change = msgspec.structs.replace
        if running.tree and self.dialect.limits_ids:
            return change(asked, limit=1, allowed=running.tree.next(taken))
        if running.tree:
            return change(asked, limit=running.tree.longest + SPARE_REQUESTS, choices=ask.choices, ids=running.prompt)
        if running.banned:
            return change(asked, limit=1, banned=running.banned)
        if not ask.least and "\n" not in ask.stop:
            return asked
        least = max(ask.least - len(taken), int(is_early(self.tokens, ask, taken)))
        return change(asked, ends=self.tokens.breaks, least=least)

    def _headers(self, running: ServerRunning) -> dict[str, str]:
        """Returns headers with the identity of a request, the same whenever it is sent again."""
        ticket = running.ticket
        unit = quote(ticket.unit, safe="~")
        return {"X-Request-Id": f"{unit}/{ticket.n}/{running.requests}-{running.seed:x}", "X-Session-Id": unit}

    async def _stream(self, replica: Replica, asked: Generation, headers: dict[str, str], send: Send) -> None:
        """Sends the pieces of a reply. Raises TryAgain, after `Again`, when the reply breaks off before its end."""
        await self.adapters.require(replica, asked.model)
        url, body = f"{replica.url}{self.dialect.path}", self.dialect.body(asked)
        last: ReplyPiece | None = None
        try:
            async with aclosing(self.replicas.client.stream(url, body, headers)) as stream:
                async for data in stream:
                    piece = self.dialect.read(data)
                    last = _merge(last, piece) if last else piece if piece.ended else None
                    if last is None:
                        send(piece)
        except UnknownName as error:
            if asked.model not in self.adapters.paths:
                raise
            replica.adapters.clear()  # the server was started anew
            send(Again())
            raise TryAgain(str(error)) from error
        except TryAgain:
            if last is None:
                send(Again())
                raise
        if last is None:
            send(Again())
            raise TryAgain(f"{replica.address} cut its reply short")
        send(last)

    def _match(self, running: ServerRunning, ask: Match) -> None:
        """Asks for the likelihoods that find a match."""
        if not self.dialect.scores:
            why = f"a server of the kind {self.dialect.name} does not score texts; set `tool_selection.by` to `names`"
            self.complete.append((running.ticket, ModelFailed(why)))
            return
        beginnings = [self.tokens.plain(beginning) for beginning in ask.beginnings]
        text, model = self.tokens.segment(ask.text), self.adapters.names.get(ask.adapter, self.model)
        unit, headers, client = running.ticket.unit, self._headers(running), self.replicas.client
        running.prefilled = sum(map(len, beginnings)) + len(beginnings) * len(text)

        async def score(beginning: tuple[int, ...], replica: Replica) -> float:
            await self.adapters.require(replica, model)
            url = f"{replica.url}{self.dialect.path}"
            return await log_likelihood(client, url, model, beginning, text, headers)

        async def answer(send: Send) -> None:
            found = [await self.replicas.attempt(unit, partial(score, one)) for one in beginnings]
            send(ask.choices[max(range(len(found)), key=found.__getitem__)])

        self._start(running, answer)

    # -- replies -----------------------------------------------------------------------------------------------------

    def _receive(self, number: int, message: Any) -> None:
        """Takes one message of a call. Raises BadInput and NoServer."""
        running = self.running[number]
        match message:
            case Again():
                running.taken, running.text = running.taken[: running.kept], ""
            case ReplyPiece():
                try:
                    self._take(number, running, message)
                except ModelFailed as error:
                    self._end_call(number)
                    self.complete.append((running.ticket, error))
            case str():
                self._end_call(number)
                self._complete(running, message, running.prefilled)
            case BadInput() | NoServer():
                self._end_call(number)
                raise message
            case ModelFailed():
                self._end_call(number)
                self.complete.append((running.ticket, message))
            case _:
                raise message

    def _take(self, number: int, running: ServerRunning, piece: ReplyPiece) -> None:
        """Takes the ids of a piece until the answer is complete, and asks on when the reply ends before that."""
        if piece.prompt_tokens and running.requests == 1:
            running.prefilled = max(0, min(piece.prompt_tokens, len(running.prompt)) - piece.cached)
        if running.tree and not self.dialect.limits_ids:
            return self._take_text(number, running, piece)
        ids = piece.ids
        if piece.ended and not ids and len(running.taken) == running.kept:
            ids = (self.tokens.end,)  # some servers do not return the token that ends a text
        for one in ids:
            if running.tree and one not in running.tree.next(running.taken):
                raise ModelFailed(
                    f"the server drew the id {one}, which it was told not to: is it a {self.dialect.name}?"
                )
            refused = [] if running.tree else forbidden_ids(self.tokens, running.ask, running.taken)
            if one in refused:
                running.banned = refused
                return self._go_on(number, running)
            running.banned = []
            running.taken.append(one)
            running.taken = running.tree.forced(running.taken) if running.tree else running.taken
            if self._finish(running):
                return self._end_call(number)
        if piece.ended:
            self._go_on(number, running)
        return None

    def _take_text(self, number: int, running: ServerRunning, piece: ReplyPiece) -> None:
        """Takes the text of a choice, and its canonical ids when it is complete."""
        assert running.tree is not None
        running.text += piece.text
        if not piece.ended:
            return
        paths = {choice: path for path, choice in running.tree.paths.items()}
        found = next((one for one in paths if one == running.text), None) or next(
            (one for one in paths if one.strip() == running.text.strip()), None
        )
        if found is None:
            raise ModelFailed(f"the server answered `{running.text:.80}`, which is none of the choices")
        self._end_call(number)
        running.taken = list(paths[found])
        self._finish(running)

    def _go_on(self, number: int, running: ServerRunning) -> None:
        self._end_call(number)
        self._generate(running)

    def _end_call(self, number: int) -> None:
        self.calls.stop(number)
        del self.running[number]

    def _finish(self, running: ServerRunning) -> bool:
        """Adds a complete answer to `complete`; returns whether it is complete."""
        text = complete_text(self.tokens, running.ask, running.tree, running.taken)
        if text is None:
            return False
        self._complete(running, text, len(running.prompt))
        return True

    def _complete(self, running: ServerRunning, text: str, prompt_tokens: int) -> None:
        self.complete.append((running.ticket, running.answer(text, prompt_tokens)))


def _merge(last: ReplyPiece, more: ReplyPiece) -> ReplyPiece:
    """Returns the last piece of a reply with the counts that came after it."""
    return ReplyPiece(
        last.ids + more.ids, last.text + more.text, True, more.prompt_tokens or last.prompt_tokens,
        more.cached or last.cached,
    )  # fmt: skip
