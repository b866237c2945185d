"""The kinds of servers: which fields a request has, how a reply reads, and what each of them can do."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from autoact.model.server.client import TryAgain, reason
from autoact.script import Sampling

CANDIDATES = 64
"""Likeliest tokens considered in a draw, as in the local engine."""
BAN = -100.0
"""The smallest bias that servers accept; a token with it has a negligible probability."""


class Generation(Struct, frozen=True):
    """A request to continue token ids."""

    ids: Sequence[int]
    model: str
    """The name of the base model or of an adapter on the server."""
    limit: int
    """Most new tokens."""
    sampling: Sampling = Sampling()
    seed: int = 0
    ends: Sequence[int] = ()
    """Ids after which the server stops."""
    least: int = 0
    """Fewest new tokens before one of `ends`."""
    banned: Sequence[int] = ()
    allowed: Sequence[int] = ()
    """If not empty, the new token is one of these."""
    choices: tuple[str, ...] = ()
    """If not empty, the new text is one of these: for servers that cannot limit the ids."""


class ReplyPiece(Struct, frozen=True):
    """A part of a reply."""

    ids: tuple[int, ...] = ()
    text: str = ""
    ended: bool = False
    """True in the last piece."""
    prompt_tokens: int = 0
    """0 in pieces that do not tell."""
    cached: int = 0
    """Prompt tokens that the server had in its cache."""


class Dialect:
    """A server whose completions take and return token ids as vLLM's do."""

    name = "vllm"
    path = "/v1/completions"
    limits_ids = True
    """Whether it can limit the next token to given ids. If not, choices are limited as texts."""
    scores = True
    """Whether it returns the log-probabilities of given ids."""
    load, unload = "/v1/load_lora_adapter", "/v1/unload_lora_adapter"
    """The endpoints that change adapters; empty where they are fixed when the server starts."""
    allows_loading = "VLLM_ALLOW_RUNTIME_LORA_UPDATING=1 and --enable-lora"
    """The options that the server must be started with so that it loads adapters."""

    def body(self, asked: Generation) -> dict[str, Any]:
        """Returns the body of a request for a stream."""
        body = {
            "model": asked.model, "prompt": list(asked.ids), "max_tokens": asked.limit, "seed": asked.seed % 2**31,
            **self._sampling(asked.sampling), "return_token_ids": True,
            "stream": True, "stream_options": {"include_usage": True},
        }  # fmt: skip
        if asked.ends:
            body |= {"stop_token_ids": list(asked.ends), "min_tokens": min(asked.least, asked.limit)}
        if asked.banned:
            body["logit_bias"] = {str(one): BAN for one in asked.banned}
        if asked.allowed:
            body["allowed_token_ids"] = list(asked.allowed)
        if asked.choices:
            body |= self.limit_text(asked.choices)
        return body

    def _sampling(self, sampling: Sampling) -> dict[str, Any]:
        """Returns all settings of a draw: a model's own defaults would replace those that are left out."""
        return {
            "temperature": sampling.temperature, "top_p": sampling.top_p or 1.0, "top_k": CANDIDATES, "min_p": 0.0,
            "repetition_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0,
        }  # fmt: skip

    def limit_text(self, choices: tuple[str, ...]) -> dict[str, Any]:
        """Returns the fields that limit the new text to one of the choices."""
        return {"structured_outputs": {"choice": list(choices)}}

    def read(self, data: bytes) -> ReplyPiece:
        """Returns one piece of a stream. Raises TryAgain for data that is no piece of a completion."""
        try:
            found = msgspec.json.decode(data, type=_Completion)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise TryAgain("the server sent something that is no completion") from error
        if found.error is not None:
            raise TryAgain(f"the server broke off: {reason(data)}")
        if found.choices is None:
            raise TryAgain("the server sent something that is no completion")
        usage = found.usage or _Usage()
        cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else 0
        if not found.choices:
            return ReplyPiece(prompt_tokens=usage.prompt_tokens, cached=cached or 0)
        first = found.choices[0]
        return ReplyPiece(
            first.token_ids or (), first.text or "", first.finish_reason is not None, usage.prompt_tokens, cached or 0
        )


class Sglang(Dialect):
    """SGLang's completions: choices by a regular expression, no scores by token id in them."""

    name = "sglang"
    limits_ids = scores = False
    load, unload = "/load_lora_adapter", "/unload_lora_adapter"
    allows_loading = "--enable-lora"

    def limit_text(self, choices: tuple[str, ...]) -> dict[str, Any]:
        """Returns the fields that limit the new text to one of the choices."""
        return {"regex": "(" + "|".join(map(re.escape, choices)) + ")"}


class LlamaCpp(Dialect):
    """The server of llama.cpp: its own endpoint streams token ids."""

    name = "llamacpp"
    path = "/completion"
    limits_ids = scores = False
    load = unload = ""
    allows_loading = ""

    def body(self, asked: Generation) -> dict[str, Any]:
        """Returns the body of a request for a stream."""
        body = {
            "prompt": list(asked.ids), "n_predict": asked.limit, "seed": asked.seed % 2**31, "stream": True,
            "return_tokens": True, "timings_per_token": True,
            "cache_prompt": True, "repeat_penalty": 1.0, **self._sampling(asked.sampling),
        }  # fmt: skip
        banned = [*asked.banned, *(asked.ends if asked.least else ())]
        if banned:
            body["logit_bias"] = [[one, False] for one in banned]
            body["n_predict"] = min(asked.limit, asked.least or asked.limit)
        if asked.choices:
            body |= self.limit_text(asked.choices)
        return body

    def limit_text(self, choices: tuple[str, ...]) -> dict[str, Any]:
        """Returns the fields that limit the new text to one of the choices."""
        return {"grammar": "root ::= " + " | ".join(json.dumps(choice, ensure_ascii=False) for choice in choices)}

    def read(self, data: bytes) -> ReplyPiece:
        """Returns one piece of a stream. Raises TryAgain for data that is no piece of a completion."""
        try:
            found = msgspec.json.decode(data, type=_LlamaCompletion)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise TryAgain("the server sent something that is no completion") from error
        if found.error is not None:
            raise TryAgain(f"the server broke off: {reason(data)}")
        cached = found.tokens_evaluated - found.timings.get("prompt_n", found.tokens_evaluated)
        tokens = () if found.stop else found.tokens
        return ReplyPiece(tuple(tokens), found.content, found.stop, found.tokens_evaluated, max(0, int(cached)))


class _Details(Struct):
    cached_tokens: int | None = None


class _Usage(Struct):
    prompt_tokens: int = 0
    prompt_tokens_details: _Details | None = None


class _Choice(Struct):
    text: str | None = None
    token_ids: tuple[int, ...] | None = None
    finish_reason: str | None = None


class _Completion(Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


class _LlamaCompletion(Struct):
    content: str = ""
    tokens: tuple[int, ...] = ()
    stop: bool = False
    tokens_evaluated: int = 0
    timings: dict[str, Any] = {}
    error: Any = None


DIALECTS: dict[str, Dialect] = {one.name: one for one in (Dialect(), Sglang(), LlamaCpp())}
"""By name. A server of another kind returns no token ids: it can only write texts."""
