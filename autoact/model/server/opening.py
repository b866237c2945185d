"""Opens the engine of the servers that the settings name, after a check of each of them."""

from __future__ import annotations

import asyncio
import sys

from autoact.errors import BadInput
from autoact.model.server.calls import Calls
from autoact.model.server.client import URLS, ServerClient, TryAgain, read_key, root_url
from autoact.model.server.comparison import Comparison, ask_servers, is_comparable
from autoact.model.server.dialects import DIALECTS
from autoact.model.server.engine import ServerEngine
from autoact.model.server.probe import Facts, Probe
from autoact.model.server.replicas import Patience, Replicas
from autoact.model.server.sleep import KEY, check_awake
from autoact.model.store import find_model, find_tokenizer, load_tokenizer
from autoact.model.tokens import Tokens
from autoact.project.config import Config, Server
from autoact.registry.stages import DIFFERENTIATION


def prepare(config: Config) -> None:
    """Checks the servers' addresses and their key before a run starts. Raises BadInput and UnknownModel."""
    _check_kind(config)
    read_key(config.server.key, read_urls(config.server), "server")
    find = find_model if DIFFERENTIATION in config.run.stages else find_tokenizer
    find(config.model.id)


def open_engine(config: Config, patience: Patience | None = None) -> ServerEngine:
    """Opens the engine. Raises BadInput when no server answers, or one is not of this run's model."""
    settings, urls = config.server, read_urls(config.server)
    tokens = Tokens(load_tokenizer(config.model.id))
    client = ServerClient(settings.timeout, read_key(settings.key, urls, "server"))
    probe, calls = Probe(client, settings, tokens, config.model.id), Calls()
    replicas = Replicas(urls, client, probe.check, patience)
    try:
        facts = calls.wait(_check_all(replicas, probe))
        _check_training(config, facts[0].dialect)
        drawn = calls.wait(_wake_and_ask(config, replicas, facts[0], tokens))
        comparison = Comparison(drawn, tokens, config.model.id)
        comparison.check_stored()
    except BaseException:
        calls.wait(client.close())
        calls.close()
        raise
    window = min((one.window for one in facts if one.window), default=None)
    return ServerEngine(
        replicas, DIALECTS[facts[0].dialect], comparison, calls, base=config.model, model=facts[0].model, window=window
    )  # fmt: skip


async def _wake_and_ask(config: Config, replicas: Replicas, facts: Facts, tokens: Tokens) -> dict[str, tuple[int, ...]]:
    """Wakes servers that an earlier run left asleep; returns what each answers, if that can be compared."""
    dialect, sleeps = DIALECTS[facts.dialect], config.server.sleep
    if dialect.name == "vllm":
        await check_awake(replicas, wakes=sleeps, required=sleeps and DIFFERENTIATION in config.run.stages)
    return await ask_servers(replicas, facts, dialect, tokens) if is_comparable(config.model, dialect) else {}


async def _check_all(replicas: Replicas, probe: Probe) -> list[Facts]:
    """Returns the facts of all servers that answer; the others are checked again later. Raises BadInput."""
    found = await asyncio.gather(*(probe.check(one.url) for one in replicas.all), return_exceptions=True)
    facts: list[Facts] = []
    for replica, result in zip(replicas.all, found, strict=True):
        if isinstance(result, TryAgain):
            replica.failures = replicas.patience.failures
            print(f"{replica.address} is left out until it answers: {result}", file=sys.stderr)
        elif isinstance(result, BaseException):
            raise result
        else:
            facts.append(result)
    if not facts:
        raise BadInput(f"no server answers: {'; '.join(map(str, found))}", key=URLS)
    if len({(one.model, one.dialect) for one in facts}) > 1:
        what = ", ".join(f"{one.model} ({one.dialect})" for one in facts)
        raise BadInput(f"the servers must be of one kind and serve one model under one name, not {what}", key=URLS)
    return facts


def _check_kind(config: Config) -> None:
    """Raises BadInput when the run trains activated adapters, which no server runs."""
    if DIFFERENTIATION in config.run.stages and config.differentiation.adapter == "alora":
        what = "no server runs activated adapters; expected `lora`, or the engine `local` or `llamacpp`"
        raise BadInput(what, key="differentiation.adapter")


def _check_training(config: Config, dialect: str) -> None:
    """Raises BadInput when the run trains adapters that its servers could not load."""
    if DIFFERENTIATION in config.run.stages and not DIALECTS[dialect].load:
        what = f"a server of the kind {dialect} loads adapters only when it starts, and this run trains some"
        raise BadInput(f"{what}; expected vllm or sglang, or `--to filtering`", key=URLS)
    if config.server.sleep and dialect != "vllm":
        raise BadInput(f"only vllm can sleep while a run trains, not {dialect}", key=KEY)


def read_urls(settings: Server) -> list[str]:
    """Returns the addresses of the servers. Raises BadInput when there are none or one is no URL."""
    if not settings.urls:
        raise BadInput('the engine `server` needs an address, such as urls = ["http://127.0.0.1:8000"]', key=URLS)
    return [root_url(url) for url in settings.urls]
