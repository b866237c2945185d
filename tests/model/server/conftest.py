"""Model servers in the tests' own process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from autoact.model.server.engine import ServerEngine
from autoact.model.server.opening import open_engine
from autoact.model.server.replicas import Patience
from autoact.model.store import Weights
from autoact.project.config import Config, Model, Plan, Server

sys.path.insert(0, str(Path(__file__).parent))  # what several tests share lies beside them

from model_server import ModelServer  # noqa: E402 - found by the line above

SHORT = Patience(rounds=4, first=0.01, longest=0.1, failures=2, check=0.02)
"""Pauses that a test can wait for."""

Open = Callable[..., ServerEngine]


@pytest.fixture
def start(weights: Weights) -> Iterator[Callable[..., ModelServer]]:
    """Starts servers of the tiny model."""
    with ExitStack() as started:

        def start(**how: Any) -> ModelServer:
            server = ModelServer(weights, **how)
            started.callback(server.kill)
            return server

        yield start


@pytest.fixture
def open_servers(tiny: Path) -> Iterator[Open]:
    """Opens the engine of given servers."""
    with ExitStack() as opened:

        def open_servers(
            *servers: ModelServer, lanes: int = 4, patience: Patience = SHORT, stages: tuple[str, ...] = (), **how: Any
        ) -> ServerEngine:
            settings = Server(tuple(server.url for server in servers), **how)
            model = Model(id=str(tiny), lanes=lanes, engine="server", device="cpu", precision="float32")
            engine = open_engine(Config(run=Plan(stages=stages), model=model, server=settings), patience)
            opened.callback(engine.close)
            return engine

        yield open_servers
