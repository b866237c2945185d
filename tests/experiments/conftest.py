"""A project about capitals with an experiment."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parents[1] / "faults"), str(Path(__file__).parent)]

from capitals import make_project  # noqa: E402 - found by the line above

from autoact.experiments.experiment import Experiment, create_experiment, read_experiment  # noqa: E402
from autoact.project.project import Project  # noqa: E402
from autoact.registry.engines import ENGINES, EngineKind  # noqa: E402

ENGINES.add(EngineKind("scripted", "a model of tests, for which nothing is unpacked", "", ""))
Write = Callable[[str], Experiment]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return make_project(tmp_path / "p")


@pytest.fixture
def write(project: Project) -> Write:
    """Writes the experiment `grid` and reads it."""

    def write(text: str) -> Experiment:
        file = project.root / "experiments" / "grid" / "experiment.toml"
        if not file.exists():
            create_experiment(project.root, "grid", text)
        file.write_text(text)
        return read_experiment(file.parent)

    return write
