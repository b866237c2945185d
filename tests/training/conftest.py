"""The engine that the tests of training share."""

from __future__ import annotations

import pytest

from autoact.model.local import LocalEngine
from autoact.model.store import Weights


@pytest.fixture
def engine(weights: Weights) -> LocalEngine:
    return LocalEngine(weights, 2)
