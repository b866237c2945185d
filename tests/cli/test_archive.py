"""A run leaves one project and arrives in another."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from autoact.cli import main
from autoact.events import RunFinished, RunOpened
from autoact.project.project import Project, create
from autoact.run.record.folder import new_run
from autoact.run.record.log import LogWriter


def test_a_run_moves_house(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = new_run(project.root, "quick", {"run": {"stages": []}}, now=datetime(2026, 11, 22, 14, 30))
    with LogWriter(folder) as log:
        log.append(RunOpened(1, 7, "here"))
        log.append(RunFinished())
    other = create(tmp_path / "other", "blank")
    assert main(["export", str(project.root), str(tmp_path)]) == 0
    file = tmp_path / f"{folder.name}.tar.gz"
    assert capsys.readouterr().out.startswith(f"{file}: ")
    assert main(["import", str(file), str(other.root)]) == 0
    assert capsys.readouterr().out == f"{other.root / 'runs' / folder.name}\n"
    assert main(["export", str(folder.path), str(file)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_damage_is_shown(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = new_run(project.root, "quick", {"run": {"stages": []}}, now=datetime(2026, 11, 22, 14, 30))
    with LogWriter(folder) as log:
        for attempt in range(30):
            log.append(RunOpened(attempt, 7, "here"))
    folder.events.write_bytes(folder.events.read_bytes().replace(b"here", b"hare", 25))
    assert main(["export", str(folder.path), str(tmp_path / "run.tar.gz")]) == 0
    assert main(["import", str(tmp_path / "run.tar.gz"), str(project.root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == "damaged: byte 0 of the log: the seal does not match"
    assert lines[-1] == "damaged: 5 more places"


def test_what_is_no_archive(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.tar.gz").write_bytes(b"hello")
    assert main(["import", str(tmp_path / "run.tar.gz"), str(project.root)]) == 2
    assert "not a whole .tar.gz" in capsys.readouterr().err
    assert main(["import", str(tmp_path / "absent.tar.gz"), str(project.root)]) == 2
    assert "absent.tar.gz" in capsys.readouterr().err
