"""Computes, on a server, the likelihood of a text after each of several beginnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from autoact.model.server.client import ServerClient, TryAgain

BATCH_SIZE = 32
"""Most positions of one request. Servers return the log-probabilities of at most 128 different ids."""


class _Logprobs(Struct):
    top_logprobs: list[dict[str, float]]


class _Choice(Struct):
    index: int
    logprobs: _Logprobs


class _Scores(Struct):
    choices: list[_Choice]


async def log_likelihood(
    client: ServerClient, url: str, model: str, beginning: Sequence[int], text: Sequence[int], headers: dict[str, str]
) -> float:
    """Returns the log-likelihood of `text` after `beginning`, in nats. Raises as `Client.post` does.

    Each position is a prompt of its own whose next token is scored, because a prompt that is echoed with its
    log-probabilities is encoded without the server's cache.
    """
    found = 0.0
    for first in range(0, len(text), BATCH_SIZE):
        wanted = text[first : first + BATCH_SIZE]
        prompts = [[*beginning, *text[: first + index]] for index in range(len(wanted))]
        body = {
            "model": model, "prompt": prompts, "max_tokens": 1, "temperature": 0.0, "logprobs": 1,
            "logprob_token_ids": sorted(set(wanted)), "return_tokens_as_token_ids": True,
        }  # fmt: skip
        found += sum(_read(await client.post(url, body, headers), wanted))
    return found


def _read(reply: Any, wanted: Sequence[int]) -> list[float]:
    """Returns the log-probability of each wanted id. Raises TryAgain for a reply without them."""
    try:
        scores = {one.index: one.logprobs.top_logprobs[0] for one in msgspec.convert(reply, _Scores).choices}
        return [scores[index][f"token_id:{token}"] for index, token in enumerate(wanted)]
    except (msgspec.ValidationError, KeyError, IndexError) as error:
        raise TryAgain("the server did not return the log-probabilities of the given ids") from error
