"""A project to spoil, caches of its own, and a run whose log is known."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from autoact.project.project import Project, create


@pytest.fixture(autouse=True)
def _own_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOACT_SECRETS", str(tmp_path / "own" / "secrets.json"))
    monkeypatch.setenv("AUTOACT_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "cache" / name)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = create(tmp_path / "project", "blank")
    (made.root / "corpus").mkdir(exist_ok=True)
    (made.root / "corpus" / "pages.jsonl").write_text('{"title": "Peru", "text": "The capital of Peru is Lima."}\n')
    (made.root / "questions").mkdir(exist_ok=True)
    (made.root / "questions" / "heldout.jsonl").write_text('{"question": "Which sea is salty?", "answer": "all"}\n')
    return made
