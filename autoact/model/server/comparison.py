"""Compares servers with the base model whose weights are here, by the likeliest tokens after one prompt."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoact.errors import BadInput, ModelFailed
from autoact.model.memory import release_memory
from autoact.model.server.client import URLS, ServerClient, TryAgain, UnknownName, place
from autoact.model.server.dialects import Dialect, Generation
from autoact.model.server.probe import Facts
from autoact.model.server.replicas import Replicas
from autoact.model.store import Weights, find_tokenizer, load_model, stored_bytes
from autoact.model.tokens import Tokens
from autoact.project.config import Model
from autoact.script import Prompt

LENGTH = 8
"""Tokens that are compared."""
TIE = 0.5
"""The most by which the logit of a server's token may be below the largest one here. Of the embedded model's tokens
none is short in bfloat16 or when its weights are rounded to 8 bits, and one by 1.3 when they are rounded to 4 bits."""
LARGEST = 2**30
"""Bytes of stored weights from which none are loaded only to compare: up to here that takes a few seconds on the
processor, and twice this memory for weights of 16 bits."""
PROMPT = Prompt("Answer in one sentence.", "Who wrote the opera Fidelio, and where was it first played?")


def is_comparable(model: Model, dialect: Dialect) -> bool:
    """Returns whether servers must draw the tokens of the weights here: not if either may be rounded to few bits."""
    return dialect.name != "llamacpp" and model.precision not in ("8bit", "4bit")


def find_small_weights(name: str) -> Path | None:
    """Returns the folder of a model's weights; None when they are not here or too large to be loaded for this."""
    folder = find_tokenizer(name)  # without weights where only the tokenizer was downloaded
    return folder if 0 < stored_bytes(folder) <= LARGEST else None


async def ask_servers(replicas: Replicas, facts: Facts, dialect: Dialect, tokens: Tokens) -> dict[str, tuple[int, ...]]:
    """Returns the likeliest tokens after PROMPT of each server that is in use, by URL. Raises BadInput."""
    asked = Generation(tokens.prompt(PROMPT), facts.model, LENGTH)
    used = [one for one in replicas.all if not one.failures]
    found = await asyncio.gather(
        *(_ask(replicas.client, one.url, dialect, asked) for one in used), return_exceptions=True
    )
    drawn: dict[str, tuple[int, ...]] = {}
    for replica, result in zip(used, found, strict=True):
        if isinstance(result, TryAgain):
            print(f"{replica.address} is not compared with the weights here: {result}", file=sys.stderr)
        elif isinstance(result, BaseException):
            raise result
        else:
            drawn[replica.url] = result or (tokens.end,)  # some servers do not return the token that ends a text
    return drawn


async def _ask(client: ServerClient, url: str, dialect: Dialect, asked: Generation) -> tuple[int, ...]:
    ids: list[int] = []
    try:
        async with aclosing(client.stream(f"{url}{dialect.path}", dialect.body(asked), {})) as stream:
            async for data in stream:
                ids.extend(dialect.read(data).ids)
    except (UnknownName, ModelFailed) as error:
        raise BadInput(f"{error}; expected completions of token ids", key=URLS) from error
    return tuple(ids)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answers of servers to PROMPT, to be compared with the weights of their model."""

    drawn: Mapping[str, Sequence[int]]
    """Their tokens, by URL; empty where they cannot be compared."""
    tokens: Tokens
    name: str
    """The base model's name in this run's settings, for messages."""

    def check_stored(self) -> None:
        """Loads the weights if they are here and small, compares the servers with them, and frees them.

        Raises BadInput. Larger ones are compared when a training has loaded them.
        """
        if not self.drawn or (folder := find_small_weights(self.name)) is None:
            return
        weights = load_model(str(folder), "cpu", "float32")
        try:
            self.check(weights)
        finally:
            del weights
            release_memory()

    def check(self, weights: Weights) -> None:
        """Raises BadInput, with both texts, when a server's token is more than TIE below the likeliest one here.

        Each token is judged after those that the server drew before it, so a near tie decides nothing about the rest.
        """
        prompt = self.tokens.prompt(PROMPT)
        for url, ids in self.drawn.items():
            rows = zip(_logits(weights.model, prompt, ids), ids, strict=True)
            short = [float(row.max() - row[one]) if one < len(row) else TIE + 1 for row, one in rows]
            if max(short) > TIE:
                self._refuse(url, ids, _continue(weights.model, prompt))

    def _refuse(self, url: str, theirs: Sequence[int], ours: Sequence[int]) -> None:
        texts = [self.tokens.text(list(ids)).strip() for ids in (theirs, ours)]
        what = f"{place(url)} serves another model than `{self.name}`: to `{PROMPT.user}` it answers `{texts[0]}`"
        raise BadInput(
            f"{what}, the weights here `{texts[1]}`; `model.id` and the servers must name the same model", key=URLS
        )


def _logits(model: Any, prompt: Sequence[int], ids: Sequence[int]) -> Any:
    """Returns the logits (len(ids), vocabulary) from which each id is drawn."""
    import torch

    with torch.inference_mode():
        taken = torch.tensor([[*prompt, *ids[:-1]]], device=model.device)
        return model(input_ids=taken, use_cache=False).logits[0, -len(ids) :].float()


def _continue(model: Any, prompt: Sequence[int]) -> list[int]:
    """Returns the LENGTH likeliest tokens after a prompt."""
    ids: list[int] = []
    for _ in range(LENGTH):
        ids.append(int(_logits(model, [*prompt, *ids], [0]).argmax()))
    return ids
