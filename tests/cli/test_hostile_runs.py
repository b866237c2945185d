"""Runs that no job wrote, however they came to lie there: every command that reads survives each of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hostile_runs import LOGS, NOTES, SETTINGS, at

from autoact.cli import main
from autoact.errors import BadInput
from autoact.project.project import Project
from autoact.run.record.folder import RunFolder, new_run
from autoact.security import trust

Captured = pytest.CaptureFixture[str]
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("runs", "P"), ("runs", "P", "--json"), ("stats", "R"), ("stats", "R", "--json"), ("log", "R"),
    ("log", "R", "--json"), ("log", "R", "--console"), ("attach", "R"), ("check", "P"), ("export", "R", "OUT"),
    ("tools", "list", "P", "--stats"), ("tools", "show", "P", "Retrieve"), ("cancel", "R", "--wait", "0"),
    ("ask", "P", "Why?"), ("ask", "P", "Why?", "--session"), ("eval", "P"), ("keep", "R", "q-9"), ("step", "R", "q-1"),
    ("compare", "R", "R", "--unlike"), ("compare", "R", "--json"), ("inspect", "R"), ("inspect", "R", "--json"),
    ("run", "P", "--from", "filtering", "--base", "no-such-run"), ("trust", "R", "--yes"), ("rename", "P", "P"),
)  # fmt: skip


def starts(folder: RunFolder) -> None:
    raise BadInput("a job would start here")


@pytest.fixture
def folder(project: Project) -> RunFolder:
    made = new_run(project.root, "quick", {"run": {"stages": ["synthesis"]}}, now=datetime(2026, 11, 22, 14, 30))
    made.events.write_bytes(at(1.0))
    return made


@pytest.fixture
def survives(
    project: Project, folder: RunFolder, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], None]:
    """Every command ends by itself, with an exit code that means something; no model is looked for."""
    monkeypatch.setattr("autoact.model.store.find_model", lambda name: tmp_path)
    monkeypatch.setattr("autoact.run.process.launch.launch", starts)  # no job is to be started here
    places = {"P": str(project.root), "R": str(folder.path), "OUT": str(tmp_path / "out.tar.gz")}

    def survive() -> None:
        for words in COMMANDS:
            assert main([places.get(word, word) for word in words]) in (0, 1, 2), words
            assert "Traceback" not in capsys.readouterr().err
        assert trust.is_trusted(folder.path)

    return survive


@pytest.mark.parametrize("name", LOGS)
def test_a_log(folder: RunFolder, survives: Callable[[], None], name: str) -> None:
    folder.events.write_bytes(LOGS[name])
    survives()


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(folder: RunFolder, survives: Callable[[], None], name: str) -> None:
    folder.config.write_bytes(SETTINGS[name])
    survives()


@pytest.mark.parametrize("name", NOTES)
def test_notes_of_job_and_keeper(folder: RunFolder, survives: Callable[[], None], name: str) -> None:
    for file in (folder.exit, folder.heartbeat, folder.lock, folder.keeper):
        file.write_bytes(NOTES[name])
    survives()


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/nowhere")])
def test_notes_that_are_no_files(folder: RunFolder, survives: Callable[[], None], make: Callable[[Path], None]) -> None:
    for file in (folder.exit, folder.heartbeat):
        make(file)
    survives()
