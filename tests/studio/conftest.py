"""The same terminal for every test of the studio, and a project to look at."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `stories`, which the pictures use too

from stories import project  # noqa: E402 - found by the line above


@pytest.fixture
def opera(tmp_path: Path) -> Path:
    return project(tmp_path)


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever terminal the tests themselves run in; projects are in the test's own folder."""
    for name in ("NO_COLOR", "SSH_CONNECTION", "LC_ALL", "LC_CTYPE", "LANG", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AUTOACT_PROJECTS", str(tmp_path))
    monkeypatch.setenv("AUTOACT_STUDIO", str(tmp_path / "personal"))
