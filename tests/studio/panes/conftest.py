"""Questions that need no waiting."""

from __future__ import annotations

import pytest

from studio.screens import confirm


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Yes counts from the first moment."""
    monkeypatch.setattr(confirm, "IGNORE_KEYS_S", 0.0)
