"""The engine of llama.cpp passes the tests that every engine has to pass, with a tiny model in float32."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")

from conformance import EngineConformance

from autoact.model.engine import Engine
from autoact.model.llamacpp.engine import LlamaEngine
from autoact.model.llamacpp.source import Source
from autoact.model.store import Weights

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


class TestLlamaEngine(EngineConformance):
    tie = 0.02
    """The caches of llama.cpp are float16."""

    @pytest.fixture
    def reference(self, weights: Weights) -> Weights:
        return weights

    @pytest.fixture
    def engine(self, source: Source) -> Iterator[Engine]:
        engine = LlamaEngine(source, 4, 3)
        yield engine
        engine.close()
