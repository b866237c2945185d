"""A secret of the environment is in no file of a run and nowhere in what its readers print, whatever a tool does."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from autoact.project.config import Plan
from autoact.project.project import Project
from autoact.run.record.folder import RunFolder, new_run
from autoact.security import trust

CANARY = "cnry-4f1d99-do-not-print"
STAND_IN = "(secret CANARY_API_KEY)"
STAGES = ("tool_selection", "synthesis", "filtering")
READERS = (["stats"], ["stats", "--json"], ["runs"])


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "XDG_STATE_HOME") if name in os.environ}
    return {**kept, "CANARY_API_KEY": CANARY, "XDG_CACHE_HOME": str(tmp_path / "c"), "XDG_CONFIG_HOME": str(tmp_path)}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    root = tmp_path / "p"
    (root / "corpus").mkdir(parents=True)
    (root / "project.toml").write_text('[task]\nname = "countries"\ndescription = "Answer questions."\n')
    (root / "examples.jsonl").write_text('{"question": "What is the capital of Peru?", "answer": "Lima"}\n')
    (root / "corpus" / "Peru.txt").write_text("Peru is a country.\n")
    trust.mark_trusted(root)
    config = msgspec.structs.replace(Project.open(root).config(), run=Plan(stages=STAGES))
    return new_run(root, "run", msgspec.to_builtins(config), now=datetime(2026, 11, 22, 14, 30))


def play(folder: RunFolder, environment: dict[str, str]) -> int:
    """Run the job as a process of its own; its exit code."""
    script = Path(__file__).with_name("canary_job.py")
    with folder.console.open("wb") as console:
        asked = [sys.executable, script, folder.path]
        return subprocess.run(asked, env=environment, stdout=console, stderr=console, check=False).returncode


def texts(folder: RunFolder) -> dict[str, str]:
    """Every file of the project's runs by name; none may hold the secret."""
    files = {path.name: path.read_bytes() for path in folder.path.parent.rglob("*") if path.is_file()}
    assert [name for name, data in files.items() if CANARY.encode() in data] == []
    return {name: data.decode(errors="replace") for name, data in files.items()}


def test_tools_that_betray_a_secret(folder: RunFolder, environment: dict[str, str]) -> None:
    assert play(folder, environment) == 0
    files = texts(folder)
    # Each door was used: the secret's stand-in is where the secret would have been.
    for words in ("calling with ", "Authorization: Bearer ", "invalid literal for int() with base 10: '"):
        assert words + STAND_IN in files["console.log"]
    assert f"Retrieve failed: 401 for https://example.org/?key={STAND_IN}" in files["events.jsonl"]
    for reader in READERS:
        verb, *options = reader
        asked = [sys.executable, "-m", "autoact", verb, str(folder.path.parent.parent), *options]
        told = subprocess.run(asked, env=environment, capture_output=True, check=False)
        assert told.returncode == 0, told.stderr
        assert CANARY.encode() not in told.stdout + told.stderr


def test_an_error_that_ends_the_run(folder: RunFolder, environment: dict[str, str]) -> None:
    assert play(folder, {**environment, "CANARY_DOOR": "1"}) == 1
    files = texts(folder)
    assert f"ModelFailed: the server refuses {STAND_IN}" in files["events.jsonl"]
    assert f"the server refuses {STAND_IN}" in files["console.log"]


def test_an_archive_of_the_run(folder: RunFolder, environment: dict[str, str], tmp_path: Path) -> None:
    assert play(folder, environment) == 0
    # What a program wrote into the folder by itself, past every stream of ours, stays at home.
    for name in ("console.log", "live.jsonl", "adapters/plan/notes.txt", "checkpoints/plan/x.pkl"):
        file = folder.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as stream:
            stream.write(CANARY)
    asked = [sys.executable, "-m", "autoact", "export", str(folder.path), str(tmp_path / "run.tar.gz")]
    told = subprocess.run(asked, env=environment, capture_output=True, check=False)
    assert told.returncode == 0, told.stderr
    with tarfile.open(tmp_path / "run.tar.gz") as archive:
        held = {one.name: archive.extractfile(one).read() for one in archive if one.isfile()}  # type: ignore[union-attr]
    assert [name for name, data in held.items() if CANARY.encode() in data] == []
    assert any(STAND_IN.encode() in data for name, data in held.items() if name.endswith("events.jsonl"))
    assert CANARY.encode() not in told.stdout + told.stderr
