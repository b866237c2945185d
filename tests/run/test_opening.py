"""A job over a real, tiny model: what it prints, and how it ends with models that do not fit or have little room."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
import safetensors.torch

from autoact.errors import UnknownModel
from autoact.events import RunFailed, TrajectoryCommitted, UnitFailed
from autoact.job.job import Job
from autoact.job.open_world import open_world
from autoact.project.config import Model, Plan
from autoact.project.project import Project
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import read
from autoact.security import trust

REFUSING = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"


@pytest.fixture
def model(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model, to be changed."""
    return Path(shutil.copytree(tiny, tmp_path / "tiny-llama"))


@pytest.fixture
def folder(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run that tries one question with that model."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "p"
    (root / "corpus").mkdir(parents=True)
    (root / "corpus" / "Peru.txt").write_text("Peru is a country. Its capital is Lima.\n")
    (root / "project.toml").write_text('[task]\nname = "countries"\ndescription = "Answer questions."\n')
    (root / "examples.jsonl").write_text('{"question": "What is the capital of Peru?", "answer": "Lima"}\n')
    trust.mark_trusted(root)
    config = Project.open(root).config()
    changed = msgspec.structs.replace(
        config, run=Plan(stages=("synthesis",)), model=Model(str(model), "cpu", "float32", lanes=2),
        synthesis=msgspec.structs.replace(config.synthesis, samples=2, steps=2),
    )  # fmt: skip
    return new_run(root, "run", msgspec.to_builtins(changed), now=datetime(2026, 11, 22, 14, 30))


def halts(folder: RunFolder) -> list[str]:
    found = [record.event for record in read(folder.events)]
    assert not [event for event in found if isinstance(event, UnitFailed)]
    return [event.trajectory.halt for event in found if isinstance(event, TrajectoryCommitted)]


def test_the_console_says_how_many_threads_and_why(folder: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert Job(folder, open_world).run() == "finished"
    (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("threads: "))
    assert "(" in line
    assert len(halts(folder)) == 2


def test_a_model_whose_weights_do_not_fit_ends_the_run(folder: RunFolder, model: Path) -> None:
    file = model / "model.safetensors"
    weights = safetensors.torch.load_file(file)
    del weights["model.norm.weight"]
    safetensors.torch.save_file(weights, file, {"format": "pt"})
    with pytest.raises(UnknownModel, match=r"1 missing \(model\.norm\.weight\)"):
        Job(folder, open_world).run()
    (failed,) = (record.event for record in read(folder.events) if isinstance(record.event, RunFailed))
    assert str(model) in failed.error


def test_a_template_without_a_system_role_fails_no_unit(folder: RunFolder, model: Path) -> None:
    file = model / "chat_template.jinja"
    file.write_text(REFUSING + file.read_text())
    assert Job(folder, open_world).run() == "finished"
    assert len(halts(folder)) == 2


def test_a_small_context_window_ends_episodes_and_no_run(folder: RunFolder, model: Path) -> None:
    file = model / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "max_position_embeddings": 700}))
    assert Job(folder, open_world).run() == "finished"
    assert halts(folder) == ["context"] * 2
