"""Metrics by step, as a table for trackers."""

from __future__ import annotations

import csv
import json
import struct
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import autoact.events as happened
from autoact.cli import main
from autoact.project.project import Project
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import LogWriter
from autoact.trajectory import Question, Trajectory


def stepped(role: str, step: int, loss: float) -> happened.TrainStepped:
    return happened.TrainStepped(role, step, 2, loss, 1e-3, 0.5, 40, 250.0)


@pytest.fixture
def trained(project: Project) -> RunFolder:
    """A run that trained two adapters, one step of them twice, and answered a question."""
    folder = new_run(project.root, "run", {}, now=datetime(2026, 11, 22, 14, 30))
    made = Trajectory("group-1", Question("1", "?", "x"), (), "x", cast="group")
    with LogWriter(folder) as log:
        for event in (
            happened.RunOpened(1, 7, "here"), stepped("plan", 0, 2.0), stepped("plan", 1, 1.5), stepped("plan", 1, 1.0),
            happened.LossValidated("plan", 2, 1.25), stepped("tool", 0, 3.0),
            happened.QuestionSolved("group", made, 1.0, 0.5, True, 2.0, 100),
            happened.RunFinished(),
        ):  # fmt: skip
            log.append(event)
    return folder


def test_a_table_of_losses_and_scores(
    trained: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    assert main(["export", str(trained.path), str(tmp_path), "--form", "metrics"]) == 0
    file = tmp_path / f"{trained.name}.metrics.csv"
    assert capsys.readouterr().out == f"{file}: 2 steps\n"
    with file.open() as opened:
        first, second = csv.DictReader(opened)
    assert (first["step"], first["plan/loss"], first["tool/loss"], first["group/f1"]) == ("0", "2.0", "3.0", "")
    assert (second["step"], second["plan/loss"], second["tool/loss"], second["group/f1"]) == ("1", "1.0", "", "0.5")
    assert (second["plan/learning_rate"], second["plan/seconds"], second["group/tokens"]) == ("0.001", "0.25", "100.0")
    assert (first["plan/validation_loss"], second["plan/validation_loss"]) == ("", "1.25")
    assert float(second["time"]) >= float(first["time"]) > 1e9


def test_the_same_as_json_lines(trained: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.jsonl"
    command = ["export", str(trained.path), str(file), "--form", "metrics"]
    assert main(command) == 0
    first, second = (json.loads(line) for line in file.read_text().splitlines())
    assert (first["tool/loss"], second["group/em"], second["plan/gradient_norm"]) == (3.0, 1.0, 0.5)
    assert "tool/loss" not in second
    assert main(command) == 2
    assert "exists already" in capsys.readouterr().err


def test_a_run_without_metrics(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = new_run(project.root, "run", {}, now=datetime(2026, 11, 22, 14, 30))
    assert main(["export", str(folder.path), str(tmp_path / "a.csv"), "--form", "metrics"]) == 2
    assert "no metrics to write: the run has trained nothing and has no scores" in capsys.readouterr().err
    assert not (tmp_path / "a.csv").exists()


def read_event_file(file: Path) -> list[Any]:
    """Returns the events of a file of TensorBoard: each is a length, a checksum of it, a message and its checksum."""
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    found, data, at = [], file.read_bytes(), 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        found.append(event_pb2.Event.FromString(data[at + 12 : at + 12 + length]))
        at += length + 16
    return found


def test_event_files_of_tensorboard(trained: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorboardX")
    command = ["export", str(trained.path), str(tmp_path), "--form", "tensorboard"]
    assert main(command) == 0
    assert capsys.readouterr().out == f"{tmp_path / trained.name}: 2 steps\n"
    (file,) = (tmp_path / trained.name).glob("events.out.tfevents.*")
    values = {(v.tag, e.step): v.simple_value for e in read_event_file(file) for v in e.summary.value}
    assert (values["plan/loss", 0], values["plan/loss", 1], values["tool/loss", 0]) == (2.0, 1.0, 3.0)
    assert (values["plan/validation_loss", 1], values["group/f1", 1]) == (1.25, 0.5)
    assert ("tool/loss", 1) not in values
    assert main(command) == 2
    assert "exists already" in capsys.readouterr().err


def test_a_tracker_that_is_not_installed(
    trained: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if find_spec("wandb"):
        pytest.skip("wandb is installed")
    assert main(["export", str(trained.path), str(tmp_path), "--form", "wandb"]) == 2
    assert "wandb is not installed: pip install 'wandb'" in capsys.readouterr().err
