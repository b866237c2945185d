"""The engine of servers passes the tests that every engine has to pass, over a server with the tiny model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conformance import EngineConformance

from autoact.model.engine import Engine
from autoact.model.server.engine import ServerEngine
from autoact.model.store import Weights

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


class TestServerEngine(EngineConformance):
    has_chances = False

    @pytest.fixture
    def reference(self, weights: Weights) -> Weights:
        return weights

    @pytest.fixture
    def engine(self, start: Callable[..., object], open_servers: Callable[..., ServerEngine]) -> Engine:
        return open_servers(start(), start())
