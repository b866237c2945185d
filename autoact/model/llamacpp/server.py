"""The server of llama.cpp in this process: computes what may come next after token ids, in slots that keep a cache."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from itertools import count
from math import inf, log
from pathlib import Path
from typing import Any

from msgspec import Struct

from autoact.errors import ModelFailed, UnknownModel

BIAS = 100.0
"""Added to the logits of ids that are allowed alone: more than logits differ by, and small enough to keep digits."""
FORCE = 1000.0
"""Added to the logit of the id that the server is to draw."""
PASS = 512
"""Most tokens that are encoded at once: the asks in other slots wait for them."""
OFF = 0.0
"""The scale of an adapter in requests that do not name it."""
EVERY = 2**20
"""More candidates than any vocabulary has."""

Bias = Sequence[tuple[int, float]]
"""Ids with what is added to their logits before the server draws."""


class Next(Struct, frozen=True):
    """The ids that may come next."""

    logits: dict[int, float]
    """Logarithms of the candidates' likelihoods, with a common offset."""
    cached: int
    """Ids that the slot's cache had already."""


class LlamaServer:
    """A GGUF model with some slots, each of which keeps the keys and values of the ids that it was last asked about.

    Its methods may be called from several threads. Calls that come together are computed in one batch.
    """

    def __init__(
        self, file: Path, *, slots: int, context: int, threads: int, plain: int, adapters: Sequence[Path] = ()
    ):
        """Loads the model; `context` is the most ids of a slot, and `adapters` are GGUF files.

        `plain` is the id of a whole character: the server gives no scores with a part of one.

        Raises UnknownModel when the model or an adapter cannot be loaded.
        """
        self.plain = plain
        import xllamacpp

        wanted = xllamacpp.CommonParams()
        wanted.model.path = str(file)
        wanted.n_parallel, wanted.n_ctx, wanted.n_batch = slots, slots * context, PASS
        wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = threads
        wanted.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), OFF) for adapter in adapters]
        wanted.verbosity, wanted.warmup, wanted.ui, wanted.endpoint_slots = 0, False, False, False
        wanted.cache_ram_mib, wanted.cache_idle_slots, wanted.n_ctx_checkpoints = 0, False, 0
        wanted.api_keys = [secrets.token_hex()]  # it also listens on a loopback port, which is of use to nobody
        try:
            self._server: Any = xllamacpp.Server(wanted)
        except RuntimeError as error:  # it gives no reason
            what = "llama.cpp cannot load this model" + (" with these adapters" if adapters else "")
            raise UnknownModel(what, file=file) from error

    def close(self) -> None:
        """Frees the model."""
        self._server = None

    def candidates(self, slot: int, ids: Sequence[int], adapter: int | None, most: int) -> Next:
        """Returns the `most` likeliest ids after `ids`, by the adapter of this number. Raises ModelFailed."""
        reply = self._complete(slot, ids, adapter, [(self.plain, FORCE)], n_probs=most)
        return Next({one["id"]: one["logprob"] for one in _scores(reply)["top_logprobs"]}, reply["timings"]["cache_n"])

    def choices(self, slot: int, ids: Sequence[int], adapter: int | None, allowed: Sequence[int]) -> Next:
        """Returns how likely each of the `allowed` ids is after `ids`. Raises ModelFailed."""
        bias, most = [(one, BIAS) for one in allowed], len(allowed)
        reply = self._complete(slot, ids, adapter, bias, n_probs=most, top_k=most, post_sampling_probs=True)
        if found := _scores(reply):
            logits = {one["id"]: log(one["prob"]) for one in found["top_probs"] if one["prob"]}
        else:
            logits = self.candidates(slot, ids, adapter, EVERY).logits  # slower by 0.1 to 0.5 s
        return Next({one: logits.get(one, -inf) for one in allowed}, reply["timings"]["cache_n"])

    def follow(
        self, slot: int, ids: Sequence[int], adapter: int | None, forbidden: Sequence[int], take: Callable[[int], bool]
    ) -> int:
        """Gives `take` the ids that follow, each the likeliest, until it returns False. Raises ModelFailed.

        Ends early at the end of the text, and at a token that is only a part of a character. Returns the ids that the
        slot's cache had already.
        """
        numbers, cached = count(1), list[int]()

        def ends(piece: Any) -> bool:
            scores, timings = _scores(piece), piece["timings"]
            cached.append(timings["cache_n"])
            # the server leaves out a part of a character; the next piece then has a later number
            return scores is None or timings["predicted_n"] != next(numbers) or not take(scores["id"])

        self._complete(
            slot, ids, adapter, [(one, False) for one in forbidden], n_probs=1, n_predict=-1, stream=True,
            timings_per_token=True, callback=ends,
        )  # fmt: skip
        return cached[0]

    def log_probability(self, slot: int, ids: Sequence[int], adapter: int | None, wanted: int) -> float:
        """Returns the log-probability of the id `wanted` after `ids`, in nats. Raises ModelFailed."""
        reply = self._complete(slot, ids, adapter, [(wanted, FORCE)], n_probs=1)
        if found := _scores(reply):  # of the logits as they were before the bias
            return float(found["logprob"])
        return self.candidates(slot, ids, adapter, EVERY).logits[wanted]

    def spellings(self, most: int) -> dict[int, str]:
        """Returns the texts of `most` tokens by id, without those that are only a part of a character."""
        reply = self._complete(0, [self.plain], None, [(self.plain, FORCE)], n_probs=most)
        texts = {one["id"]: bytes(one["bytes"]).decode(errors="replace") for one in _scores(reply)["top_logprobs"]}
        return {token: text for token, text in texts.items() if "\ufffd" not in text}

    def _complete(
        self, slot: int, ids: Sequence[int], adapter: int | None, bias: Bias,
        callback: Callable[[Any], bool] | None = None, **fields: Any,
    ) -> Any:  # fmt: skip
        """Returns the reply to a request for one token; None when `callback` gets it in pieces, until it is true."""
        wanted = {
            "prompt": list(ids), "id_slot": slot, "cache_prompt": True, "n_predict": 1, "logit_bias": list(bias),
            "samplers": ["top_k"], "top_k": 1,
            "lora": [] if adapter is None else [{"id": adapter, "scale": 1.0}], **fields,
        }  # fmt: skip
        reply = self._server.handle_completions(wanted, *([callback] if callback else []))
        if error := reply and reply.get("error"):
            raise ModelFailed(f"llama.cpp: {error['message']}")
        return reply


def _scores(reply: Any) -> Any:
    """Returns the scores of the drawn token; None after a token that is only a part of a character."""
    found = reply["choices"][0]["logprobs"] if "choices" in reply else None
    return found and found["content"][0]
