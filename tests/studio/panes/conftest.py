"""A program in place of `autoact`, and questions that need no waiting."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from paned import Instead

from studio import errand
from studio.screens import confirm


@pytest.fixture
def instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instead:
    """Has a script stand in for `autoact`, whose words it finds in sys.argv."""

    def use(script: str) -> None:
        file = tmp_path / "instead.py"
        file.write_text(script, encoding="utf-8")
        monkeypatch.setattr(errand, "PROGRAM", (sys.executable, str(file)))

    return use


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Yes counts from the first moment."""
    monkeypatch.setattr(confirm, "DEAF_S", 0.0)
