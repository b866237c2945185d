"""Adapters on servers: each is loaded under a name and a path that hold the digest of its weights.

Servers keep computed prefixes by name and path of the adapter, also when the weights behind them change. So a retrained
adapter gets another name and another path, and no answer comes from the old one's cache.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from autoact.errors import BadInput, ModelFailed
from autoact.files import disk
from autoact.model.server.client import URLS, ServerClient, TryAgain, UnknownName
from autoact.model.server.dialects import Dialect
from autoact.model.server.replicas import Replica, Replicas

DIGITS = 12
"""Hex digits of the digest in a name."""
SERVED = ".served"
"""The folder, beside the adapters, of copies whose names hold the digest."""
WEIGHTS = "adapter_model.safetensors"


TRIES = 3
"""Times that a server is asked to load the adapters before the run goes on without it."""


class _Settings(Struct):
    r: int
    alora_invocation_tokens: list[int] | None = None


class ServedAdapters:
    """The adapters that asks can use, on all servers."""

    def __init__(self, replicas: Replicas, dialect: Dialect):
        self.replicas, self.dialect = replicas, dialect
        self.paths: dict[str, str] = {}
        """Paths by name on the servers."""
        self.names: dict[str, str] = {}
        """Names on the servers by adapter."""

    async def change(self, adapters: Mapping[str, Path]) -> None:
        """Loads adapters on every server that answers, in place of all earlier ones. Raises BadInput."""
        if adapters and not self.dialect.load:
            raise BadInput(
                f"a server of the kind {self.dialect.name} loads adapters only when it starts; "
                "expected vllm or sglang for runs that train adapters", key=URLS,
            )  # fmt: skip
        old = dict(self.paths)
        copies = {name: copy_under_digest(name, folder) for name, folder in adapters.items()}
        self.names = {name: copy.name for name, copy in copies.items()}
        self.paths = {copy.name: str(copy) for copy in copies.values()}
        unreached: list[TryAgain] = []
        for replica in self.replicas.all:
            try:
                await self._change_on(replica, set(old) - set(self.paths))
            except TryAgain as error:  # it gets them when it answers again
                unreached.append(error)
                replica.adapters.clear()
        if adapters and len(unreached) == len(self.replicas.all):
            raise ModelFailed(f"no server could load the adapters: {unreached[0]}")
        _remove_other_copies(list(copies.values()))

    async def _change_on(self, replica: Replica, old: set[str]) -> None:
        """Loads the adapters on one server and unloads the old ones; tries it several times. Raises TryAgain."""
        patience = self.replicas.patience
        for number in range(TRIES):
            try:
                for name in self.paths:
                    await self.require(replica, name)
                for name in old & set(replica.adapters):
                    await self._unload(replica, name)
                return
            except TryAgain as error:
                if number == TRIES - 1:
                    raise
                await asyncio.sleep(max(error.wait, patience.first * 2.0**number))

    async def require(self, replica: Replica, name: str) -> None:
        """Loads an adapter on a server unless it has been loaded there. Raises BadInput and TryAgain."""
        if name not in self.paths or name in replica.adapters:
            return
        async with replica.lock:
            if name not in replica.adapters:
                await self._load(replica, name)
                replica.adapters[name] = self.paths[name]

    async def _load(self, replica: Replica, name: str) -> None:
        client, path = self.replicas.client, self.paths[name]
        if name in await list_models(client, replica.url):
            return  # by an earlier attempt at this run: the name tells the weights
        rank = read_rank(Path(path))
        where = f"{replica.address} did not load the adapter {name} (rank {rank}) from {path}"
        try:
            await client.post(f"{replica.url}{self.dialect.load}", {"lora_name": name, "lora_path": path})
        except UnknownName as error:
            how = f"start it with {self.dialect.allows_loading}, where it can read that path"
            raise BadInput(f"{where}: {error}; {how}", key=URLS) from error
        except ModelFailed as error:
            raise BadInput(f"{where}: {error}; its largest rank must be at least {rank}", key=URLS) from error
        except TryAgain as error:
            if str(rank) in str(error) and "rank" in str(error).lower():  # vLLM answers 500 to a rank that is too large
                raise BadInput(f"{where}: {error}; start it with --max-lora-rank {rank} or more", key=URLS) from error
            raise

    async def unload_all(self, replica: Replica) -> None:
        """Unloads all adapters of a server; each is loaded again when it is asked for. Raises TryAgain."""
        for name in list(replica.adapters):
            await self._unload(replica, name)

    async def _unload(self, replica: Replica, name: str) -> None:
        del replica.adapters[name]
        try:
            await self.replicas.client.post(f"{replica.url}{self.dialect.unload}", {"lora_name": name})
        except (UnknownName, ModelFailed):
            return  # the server has dropped it by itself, which is what is wanted


async def list_models(client: ServerClient, url: str) -> dict[str, dict[str, object]]:
    """Returns the models and adapters that a server lists, by name. Raises TryAgain, UnknownName and BadInput."""
    found = await client.get(f"{url}/v1/models")
    try:
        rows = msgspec.convert(found, dict[str, object])["data"]
        return {str(row["id"]): row for row in msgspec.convert(rows, list[dict[str, object]])}
    except (msgspec.ValidationError, KeyError) as error:
        raise TryAgain("the server sent something that is no list of models") from error


def read_rank(folder: Path) -> int:
    """Returns the rank of a PEFT folder. Raises BadInput for a folder without one, and for an activated LoRA."""
    file = folder / "adapter_config.json"
    try:
        settings = msgspec.json.decode(file.read_bytes(), type=_Settings)
    except (OSError, msgspec.DecodeError) as error:
        raise BadInput(f"no settings of a LoRA adapter: {error}", file=file) from error
    if settings.alora_invocation_tokens:
        raise BadInput("an activated LoRA, which no such server runs; train with `differentiation.adapter = lora`",
                       file=file, key="alora_invocation_tokens")  # fmt: skip
    return settings.r


def copy_under_digest(name: str, folder: Path) -> Path:
    """Returns a copy of an adapter's folder whose name ends with the digest of its weights. Raises BadInput."""
    try:
        digest = disk.sha256(folder / WEIGHTS)[:DIGITS]
        copy = folder.resolve().parent / SERVED / f"{name}-{digest}"
        if not copy.exists():
            part = copy.with_name(f".{copy.name}.{os.getpid()}.part")
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(folder, part)
            part.replace(copy)
    except OSError as error:
        raise BadInput(f"this adapter cannot be read or copied: {error.strerror}", file=folder) from error
    return copy


def _remove_other_copies(copies: Collection[Path]) -> None:
    """Removes the copies of earlier adapters, which no server needs to read any more."""
    for folder in {copy.parent for copy in copies}:
        for other in folder.iterdir():
            if other not in copies:
                shutil.rmtree(other, ignore_errors=True)
