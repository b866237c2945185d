"""How often each fault is tried: a little by default, as often as promised with AUTOACT_FAULTS=long."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LONG = os.environ.get("AUTOACT_FAULTS") == "long"

Rounds = Callable[[int, int], int]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a fault."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("fault")


@pytest.fixture
def rounds() -> Rounds:
    """`rounds(short, long)` is the count to use now."""
    return lambda short, long: long if LONG else short


@pytest.fixture
def seed() -> int:
    """A new one each time, told when the test fails; AUTOACT_SEED=… brings a failure back."""
    given = os.environ.get("AUTOACT_SEED")
    drawn = int(given) if given else random.SystemRandom().randrange(1 << 32)
    print(f"AUTOACT_SEED={drawn}")  # pytest shows it with a failure and hides it otherwise
    return drawn
