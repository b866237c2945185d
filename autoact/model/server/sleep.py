"""Puts vLLM servers to sleep, so that their card is free for training, and wakes them.

A sleeping server keeps its weights in the memory of its host, and drops the keys and values of prompts.
"""

from __future__ import annotations

import asyncio
import sys

import msgspec
from msgspec import Struct

from autoact.errors import BadInput, ModelFailed
from autoact.model.server.adapters import ServedAdapters
from autoact.model.server.client import ServerClient, TryAgain, UnknownName, place
from autoact.model.server.replicas import Replica, Replicas

SLEEP = "sleep?level=1"
WAKE = "wake_up"
KEY = "server.sleep"
"""The setting that error messages name."""
HOW = "start it with VLLM_SERVER_DEV_MODE=1 and --enable-sleep-mode, as `autoact serve` prints"
ROUNDS = 5
"""Times that a server is told to sleep or to wake."""


class _State(Struct):
    is_sleeping: bool


async def is_asleep(client: ServerClient, url: str) -> bool:
    """Returns whether a server sleeps. Raises TryAgain, and UnknownName for one without sleep mode.

    A gateway before a server may answer to paths that it does not know with other errors than 404.
    """
    try:
        return msgspec.convert(await client.get(f"{url}/is_sleeping"), _State).is_sleeping
    except (ModelFailed, BadInput) as error:
        raise UnknownName(str(error)) from error
    except msgspec.ValidationError as error:
        raise TryAgain(f"{place(url)} does not tell whether it sleeps") from error


async def check_awake(replicas: Replicas, *, wakes: bool, required: bool) -> None:
    """Wakes servers that an earlier run left asleep. Raises ModelFailed for one that sleeps on.

    Raises BadInput for one that sleeps unless `wakes`, and for one without sleep mode if that is `required`.
    """
    for replica in replicas.all:
        try:
            asleep = not replica.failures and await is_asleep(replicas.client, replica.url)
        except UnknownName as error:
            if required:
                raise BadInput(f"{replica.address} cannot sleep; {HOW}", key=KEY) from error
            continue
        except TryAgain as error:
            print(f"it is not known whether {replica.address} sleeps: {error}", file=sys.stderr)
            continue
        if asleep and not wakes:
            what = f"{replica.address} sleeps: a run may be training on its card, or has left it so"
            raise BadInput(
                f"{what}; `curl -X POST {replica.address}/{WAKE}` wakes it, and so does `sleep = true`", key=KEY
            )
        if asleep:
            await change(replicas, replica, WAKE)


async def sleep(replicas: Replicas, adapters: ServedAdapters) -> None:
    """Puts every server to sleep that can be reached. Raises BadInput.

    Adapters are unloaded before, and loaded again when they are asked for: after some wakings vLLM has answered with an
    adapter as if it were not there.
    """
    for replica in replicas.all:
        try:
            await adapters.unload_all(replica)
            await change(replicas, replica, SLEEP)
        except TryAgain as error:
            print(f"{replica.address} was not put to sleep: {error}", file=sys.stderr)
        except ModelFailed as error:
            raise BadInput(f"{error}; {HOW}", key=KEY) from error


async def wake(replicas: Replicas) -> None:
    """Wakes every server that can be reached. Raises ModelFailed when one sleeps on."""
    failed: ModelFailed | None = None
    for replica in replicas.all:
        try:
            await change(replicas, replica, WAKE)
        except TryAgain as error:  # a new process in its place will be awake
            print(f"{replica.address} was not woken: {error}", file=sys.stderr)
        except ModelFailed as error:
            failed = error
    if failed is not None:
        raise failed


async def change(replicas: Replicas, replica: Replica, path: str) -> None:
    """Sends a server SLEEP or WAKE until it says that it sleeps or is awake.

    Raises ModelFailed with its reason when it refuses, TryAgain when it cannot be reached, BadInput without sleep mode.
    """
    client, wanted, why = replicas.client, path == SLEEP, "it gave no reason"
    try:
        for number in range(ROUNDS):
            try:
                if await is_asleep(client, replica.url) is wanted:
                    return
                await client.post(f"{replica.url}/{path}", {})
            except TryAgain as error:  # also while it copies its weights for longer than a request may take
                why = str(error)
                await asyncio.sleep(replicas.patience.first * 2.0**number)
        if await is_asleep(client, replica.url) is not wanted:
            raise ModelFailed(f"{replica.address} does not {'fall asleep' if wanted else 'wake'}: {why}")
    except UnknownName as error:
        raise BadInput(f"{replica.address} cannot sleep; {HOW}", key=KEY) from error
