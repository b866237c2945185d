"""The local engine passes the tests that every engine has to pass."""

from __future__ import annotations

import pytest
from conformance import EngineConformance

from autoact.model.engine import Engine
from autoact.model.local import LocalEngine
from autoact.model.store import Weights, load_model

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


class TestLocalEngine(EngineConformance):
    @pytest.fixture
    def reference(self, weights: Weights) -> Weights:
        return weights

    @pytest.fixture
    def engine(self, weights: Weights) -> Engine:
        return LocalEngine(load_model(str(weights.folder), "cpu", "float32"), 4)
