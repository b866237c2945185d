"""Configurations of known models, written out as their files on the hub have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

KNOWN: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("known_models.json").read_text())


@pytest.fixture(params=KNOWN)
def known(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A known model's configuration and published number of parameters, one a test."""
    return KNOWN[request.param]


@pytest.fixture(scope="session")
def configurations() -> dict[str, Any]:
    """The configuration of each known model, by its id on the hub."""
    return {name: model["config"] for name, model in KNOWN.items()}
