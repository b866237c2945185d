"""Checks a server before a run uses it: its model, its kind, its context window and its tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from autoact.errors import BadInput, ModelFailed
from autoact.model.server.adapters import list_models
from autoact.model.server.client import URLS, ServerClient, TryAgain, UnknownName, place
from autoact.model.server.dialects import DIALECTS
from autoact.model.tokens import Tokens
from autoact.project.config import Server

SAMPLE = "Who wrote “Fidelio”, in 1805?\n\tdef f(x): return x**2  # naïve — 東京, Привет, 3.14159 🎼\n"
"""A text that other tokenizers split in another way."""


class Facts(Struct, frozen=True):
    """The facts that a server tells about itself."""

    model: str
    dialect: str
    window: int | None


class _Completion(Struct):
    usage: dict[str, Any]


class _Ids(Struct):
    tokens: list[int]


class Probe:
    """The checks of the servers of a run, which all must serve the same model."""

    def __init__(self, client: ServerClient, settings: Server, tokens: Tokens, name: str):
        """Takes the name of the base model in this run's settings, for messages."""
        self.client, self.settings, self.name = client, settings, name
        self.ids = list(tokens.segment(SAMPLE))
        self.pieces = [tokens.text([one]) for one in self.ids]

    async def check(self, url: str) -> Facts:
        """Returns the facts of a server. Raises BadInput for one that cannot be used, TryAgain for one that is away."""
        try:
            models = await list_models(self.client, url)
            model = self._find_model(url, models)
            dialect = self._find_dialect(url, models[model])
            await self._check_tokenizer(url, model, dialect)
            return Facts(model, dialect, await self._find_window(url, models[model]))
        except UnknownName as error:
            raise BadInput(f"{error}; expected an OpenAI-compatible server", key=URLS) from error
        except ModelFailed as error:
            raise BadInput(str(error), key=URLS) from error

    def _find_model(self, url: str, models: dict[str, dict[str, Any]]) -> str:
        wanted = self.settings.model
        if wanted and wanted not in models:
            what = f"{place(url)} serves no model `{wanted}`; it lists {', '.join(models) or 'none'}"
            raise BadInput(f"{what}; see {URLS}", key="server.model")
        bases = [name for name, row in models.items() if not row.get("parent")]  # adapters name their base
        if not bases:
            raise BadInput(f"{place(url)} lists no model", key=URLS)
        return wanted or bases[0]

    def _find_dialect(self, url: str, row: dict[str, Any]) -> str:
        wanted = self.settings.dialect
        dialect = str(row.get("owned_by")) if wanted == "auto" else wanted
        if dialect not in DIALECTS:
            what = f"{place(url)} is of the kind `{dialect}`, which returns no token ids"
            raise BadInput(f"{what}; the engine needs {', '.join(DIALECTS)}", key="server.dialect")
        return dialect

    async def _find_window(self, url: str, row: dict[str, Any]) -> int | None:
        """Returns the most tokens of a prompt with its answer; None when the server does not tell."""
        window = row.get("max_model_len")
        if window is None and row.get("owned_by") == "llamacpp":
            found = await self.client.get(f"{url}/props")
            window = found.get("default_generation_settings", {}).get("n_ctx") if isinstance(found, dict) else None
        return window if isinstance(window, int) else None

    async def _check_tokenizer(self, url: str, model: str, dialect: str) -> None:
        """Raises BadInput when a server splits a text into other tokens than this run's tokenizer."""
        body = {"model": model, "prompt": SAMPLE, "content": SAMPLE, "add_special_tokens": False}
        try:
            if dialect == "sglang":
                return await self._check_count(url, model)
            theirs = msgspec.convert(await self.client.post(f"{url}/tokenize", body), _Ids).tokens
        except (UnknownName, msgspec.ValidationError):
            return await self._check_count(url, model)
        if theirs != self.ids:
            self._refuse(url, self._describe(theirs))
        return None

    async def _check_count(self, url: str, model: str) -> None:
        """Compares the number of tokens only, for servers that return no ids of a text."""
        body = {"model": model, "prompt": SAMPLE, "max_tokens": 1}
        try:
            found = msgspec.convert(await self.client.post(f"{url}/v1/completions", body), _Completion)
        except msgspec.ValidationError as error:
            raise TryAgain(f"{place(url)} sent something that is no completion") from error
        count = found.usage.get("prompt_tokens")
        if count not in (len(self.ids), len(self.ids) + 1):  # some add a token that begins texts
            self._refuse(url, f"it splits a text of {len(self.ids)} tokens into {count}")

    def _describe(self, theirs: Sequence[int]) -> str:
        """Returns the first difference in words."""
        for index, (ours, other) in enumerate(zip(self.ids, theirs, strict=False)):
            if ours != other:
                return f"token {index} of a text, `{self.pieces[index]}`, is {ours} here and {other} there"
        return f"a text has {len(self.ids)} tokens here and {len(theirs)} there"

    def _refuse(self, url: str, why: str) -> None:
        what = f"{place(url)} has another tokenizer than `{self.name}`: {why}"
        raise BadInput(f"{what}; `model.id` and the servers must name the same model", key=URLS)
