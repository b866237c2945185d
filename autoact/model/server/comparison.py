"""Compares servers with the base model whose weights are here, by the likeliest tokens after one prompt."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from autoact.errors import BadInput, ModelFailed
from autoact.model import heap
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


def find_small_weights(model: Model, dialect: Dialect) -> Path | None:
    """Returns the folder of the base model's weights; None when they are not here or too large to compare.

    None also where a server may round the weights to a few bits, which changes its tokens.
    """
    if dialect.name == "llamacpp" or model.precision in ("8bit", "4bit"):
        return None
    folder = find_tokenizer(model.id)  # without weights where only the tokenizer was downloaded
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


def compare(folder: Path, drawn: Mapping[str, Sequence[int]], tokens: Tokens, name: str) -> None:
    """Loads the weights of a folder, compares the tokens of servers with them, and frees them. Raises BadInput."""
    weights = load_model(str(folder), "cpu", "float32")
    try:
        check_tokens(weights, drawn, tokens, name)
    finally:
        del weights
        heap.release_memory()


def check_tokens(weights: Weights, drawn: Mapping[str, Sequence[int]], tokens: Tokens, name: str) -> None:
    """Raises BadInput, with both texts, when a server's token is more than TIE below the likeliest one here.

    Each token is judged after those that the server drew before it, so that a near tie decides nothing about the rest.
    """
    prompt = tokens.prompt(PROMPT)
    for url, ids in drawn.items():
        logits = _logits(weights.model, prompt, ids)
        short = [
            float(row.max() - row[one]) if one < len(row) else TIE + 1 for row, one in zip(logits, ids, strict=True)
        ]
        if max(short) > TIE:
            theirs, ours = tokens.text(list(ids)), tokens.text(_continue(weights.model, prompt))
            what = f"{place(url)} serves another model than `{name}`: to `{PROMPT.user}` it answers `{theirs.strip()}`"
            raise BadInput(
                f"{what}, the weights here `{ours.strip()}`; `model.id` and the servers must name the same model",
                key=URLS,
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
