"""The author: a stronger model on a chat server that writes questions and trajectories in the base model's place.

It takes and returns text. That is enough for lessons, which are tokenised from text, and for nothing else.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from autoact import prompts
from autoact.errors import BadInput, ModelFailed
from autoact.model.engine import Engine, Ticket
from autoact.model.server.adapters import list_models
from autoact.model.server.calls import Calls
from autoact.model.server.client import ServerClient, TryAgain, UnknownName, place, read_key, root_url
from autoact.model.server.replicas import NoServer, Patience, Replica, Replicas
from autoact.project.config import Config
from autoact.script import Answer, Ask, Match, Round, StageScript, root_of

WAIT = 0.02
"""Seconds that a step waits for a reply."""
TRIES = 3
"""Times that an ask is put, with other seeds, until the reply is an answer to it."""
ROOM = 4
"""Tokens that a reply may take for each token of the answer: chat models also write labels, and cut words otherwise."""


class _Message(Struct):
    content: str | None = None


class _Choice(Struct):
    message: _Message


class _Chat(Struct):
    choices: list[_Choice]


@dataclass(slots=True)
class Writing:
    """An ask that is being answered."""

    ticket: Ticket
    ask: Ask
    seed: int
    began: float
    tries: int = 0


class AuthoredEngine:
    """An engine that gives the asks of some stages to the author, and all others to the engine of the base model."""

    def __init__(self, engine: Engine, author: Replicas, calls: Calls, *, model: str, stages: tuple[str, ...]):
        """Takes the author's server, its model's name, and the stages that it writes."""
        self.engine, self.author, self.calls, self.model, self.stages = engine, author, calls, model, stages
        self.name, self.lanes = f"{engine.name}; {', '.join(stages)} by {model}", engine.lanes
        self.units: set[str] = set()
        """Units of those stages."""
        self.writing: dict[int, Writing] = {}

    def watch(self, stage: str, script: StageScript) -> StageScript:
        """Returns a stage's script; if the author writes this stage, its units are noted as they are begun."""
        return self._watch(script) if stage in self.stages else script

    def _watch(self, script: StageScript) -> Generator[Any, Any, None]:
        results: Any = None
        while True:
            try:
                item = script.send(results)
            except StopIteration:
                return
            if isinstance(item, Round):
                self.units |= {unit.name for unit in item.units}
            results = yield item

    # -- the protocol ------------------------------------------------------------------------------------------------

    def submit(self, ticket: Ticket, ask: Ask, seed: int) -> None:
        """Sends an ask to the author or to the engine of the base model, which answers every match."""
        if root_of(ticket.unit) not in self.units or isinstance(ask, Match):
            return self.engine.submit(ticket, ask, seed)
        return self._write(Writing(ticket, ask, seed, time.monotonic()))

    def step(self) -> Iterator[tuple[Ticket, Answer | ModelFailed]]:
        """Yields the answers that are complete. Raises as the engine of the base model does, BadInput and NoServer."""
        yield from self.engine.step()
        for number, message in self.calls.messages(WAIT if self.writing else 0):
            writing = self.writing.pop(number)
            self.calls.stop(number)
            if isinstance(message, BadInput | NoServer):
                raise message
            if isinstance(message, Exception) and not isinstance(message, ModelFailed):
                raise message
            answer = message if isinstance(message, ModelFailed) else self._answer(writing, message)
            if answer is not None:
                yield writing.ticket, answer

    def partial(self) -> Iterator[tuple[Ticket, str, str]]:
        return self.engine.partial()

    def withdraw(self, unit: str) -> None:
        for number in [number for number, one in self.writing.items() if one.ticket.unit == unit]:
            self.calls.stop(number)
            del self.writing[number]
        self.engine.withdraw(unit)

    def forget(self, unit: str) -> None:
        self.engine.forget(unit)

    def adapt(self, adapters: Mapping[str, Path]) -> None:
        self.engine.adapt(adapters)

    def close(self) -> None:
        """Ends the author's requests; the other engine stays open."""
        self.calls.wait(self.author.client.close())
        self.calls.close()

    # -- a reply -----------------------------------------------------------------------------------------------------

    def _write(self, writing: Writing) -> None:
        ask, seed = writing.ask, (writing.seed + writing.tries) % 2**31
        body = {
            "model": self.model, "messages": messages(ask), "max_tokens": ROOM * max(ask.limit, 16), "seed": seed,
            "temperature": ask.sampling.temperature, "top_p": ask.sampling.top_p or 1.0,
        }  # fmt: skip

        async def post(replica: Replica) -> str:
            reply = await self.author.client.post(f"{replica.url}/v1/chat/completions", body)
            try:
                return msgspec.convert(reply, _Chat).choices[0].message.content or ""
            except (msgspec.ValidationError, IndexError) as error:
                raise TryAgain(f"{replica.address} sent something that is no chat completion") from error

        async def answer(send: Callable[[Any], None]) -> None:
            send(await self.author.attempt(writing.ticket.unit, post))

        self.writing[self.calls.start(answer)] = writing

    def _answer(self, writing: Writing, reply: str) -> Answer | ModelFailed | None:
        """Returns the answer in a reply; None when the ask is put again."""
        text = read_reply(writing.ask, reply)
        if text is not None:
            return Answer(text, ms=1000 * (time.monotonic() - writing.began))
        writing.tries += 1
        if writing.tries == TRIES:
            return ModelFailed(f"the author wrote `{reply:.80}`, which is no answer to what it was asked")
        self._write(writing)
        return None


def messages(ask: Ask) -> list[dict[str, str]]:
    """Returns the conversation that asks for the continuation of a prompt."""
    prompt, text = ask.prompt, "".join(ask.prompt.segments)
    if ask.choices:
        options = ", ".join(choice.strip() for choice in ask.choices)
        user = prompts.fill("author_choose", user=prompt.user, text=text, options=options)
    else:
        user = prompts.fill("author_continue", user=prompt.user, text=text)
    turns = [*chain(*prompt.shown), user]
    roles = ("user", "assistant")
    return [
        {"role": "system", "content": prompt.system},
        *({"role": roles[index % 2], "content": content} for index, content in enumerate(turns)),
    ]


def read_reply(ask: Ask, reply: str) -> str | None:
    """Returns the answer in a reply: a choice, or the text before a stop; None when it is no answer to the ask."""
    label = ask.prompt.segments[-1].strip() if ask.prompt.segments else ""
    text = reply.strip()
    if label:
        text = text.rpartition(label)[2].strip() if text.startswith(label) else text
    if ask.choices:
        longest_first = sorted(ask.choices, key=len, reverse=True)
        return next((one for one in longest_first if one.strip().casefold() == text.casefold().rstrip(".")), None)
    stops = [at for stop in ask.stop if (at := text.find(stop)) >= 0]
    text = text[: min(stops)].rstrip() if stops else text
    barred = any(re.match(rf"{re.escape(word)}\b", text, re.IGNORECASE) for word in ask.barred)
    return None if barred or (ask.least and not text) else text


def open_author(config: Config, engine: Engine, patience: Patience | None = None) -> Engine:
    """Returns an engine with the author that the settings name, or the given one when they name none. Raises BadInput.

    The author is checked as little as a chat server allows: it must list its model.
    """
    settings = config.author
    if not settings.url:
        return engine
    if not settings.model:
        raise BadInput("expected the name of the author's model", key="author.model")
    url = root_url(settings.url, "author.url")
    client, calls = ServerClient(settings.timeout, read_key(settings.key, [url], "author"), "author.url"), Calls()

    async def check(url: str) -> None:
        try:
            models = await list_models(client, url)
        except (UnknownName, ModelFailed) as error:
            raise BadInput(f"{error}; expected an OpenAI-compatible server", key="author.url") from error
        if settings.model not in models:
            raise BadInput(f"{place(url)} lists no model `{settings.model}`", key="author.model")

    try:
        calls.wait(check(url))
    except TryAgain as error:
        raise BadInput(f"the author does not answer: {error}", key="author.url") from error
    return AuthoredEngine(
        engine, Replicas([url], client, check, patience), calls, model=settings.model, stages=settings.stages
    )
