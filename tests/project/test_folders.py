"""Projects copied, renamed and shelved: whole or not at all, and never under a job."""

from __future__ import annotations

import os
import shutil
import time
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from autoact.cli import main
from autoact.errors import BadInput, RunBusy
from autoact.project import folders
from autoact.project.project import create
from autoact.run.process.heartbeat import Heartbeat
from autoact.run.process.lock import Owner, RunLock
from autoact.run.record.folder import RunFolder, new_run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = create(tmp_path / "one", "blank").root
    new_run(made, "quick", {}, now=datetime(2026, 11, 22, 14, 30))
    return made


def test_a_copy_has_everything_but_the_runs(root: Path) -> None:
    copy = folders.duplicate(root, "two").root
    assert (copy / "examples.jsonl").read_bytes() == (root / "examples.jsonl").read_bytes()
    assert list((copy / "runs").iterdir()) == []
    assert len(list((root / "runs").iterdir())) == 1


def test_another_name_keeps_the_runs(root: Path) -> None:
    named = folders.rename(root, "two").root
    assert named == root.parent / "two"
    assert len(list((named / "runs").iterdir())) == 1
    assert not root.exists()


def test_the_archive_takes_two_of_one_name(root: Path) -> None:
    first = folders.archive(root)
    create(root, "blank")
    second = folders.archive(root)
    assert [first, second] == [root.parent / "archive" / name for name in ("one", "one-2")]


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "..", "one"])
def test_a_name_that_will_not_do(root: Path, name: str) -> None:
    for how in (folders.rename, folders.duplicate):
        with pytest.raises(BadInput):
            how(root, name)
    assert root.exists()


def test_a_project_at_work_stays_where_it_is(root: Path) -> None:
    run = next((root / "runs").iterdir())
    with RunLock.take(new_run(root, "quick", {}, now=datetime(2026, 11, 22, 15, 30))):
        for how in (folders.archive, folders.delete, lambda at: folders.rename(at, "two")):
            with pytest.raises(RunBusy, match="of one has a live job"):
                how(root)
    assert run.exists()


def test_the_verbs_say_where_it_is(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["duplicate", str(root), "two"]) == 0
    assert main(["rename", str(root.parent / "two"), "three"]) == 0
    assert main(["shelve", str(root.parent / "three")]) == 0
    assert [Path(line).name for line in capsys.readouterr().out.splitlines()] == ["two", "three", "three"]


def test_a_deleted_project_leaves_nothing(root: Path) -> None:
    folders.delete(root)
    assert list(root.parent.iterdir()) == []


def test_a_link_to_a_project_is_not_followed(root: Path) -> None:
    link = root.with_name("link")
    link.symlink_to(root)
    with pytest.raises(BadInput, match="is a link"):
        folders.delete(link)
    assert (root / "project.toml").is_file()


def test_a_deletion_that_fails_says_what_is_left(root: Path) -> None:
    with pytest.raises(BadInput, match="cannot be deleted: No such file or directory; what is left is in .*/gone"):
        folders.delete(root.with_name("gone"))


def test_a_run_of_another_machine_and_a_queue_keep_the_project(root: Path) -> None:
    run = RunFolder(next((root / "runs").iterdir()))
    run.lock.write_bytes(msgspec.json.encode(Owner("node7", "another boot", os.getpid(), 1)))
    now = time.time()
    Heartbeat(os.getpid(), 0, "synthesis", 1, 9, 40, 55.5, now, ticked_at=now).write(run)
    with pytest.raises(RunBusy, match="node7: stop it there"):
        folders.delete(root)
    shutil.rmtree(run.path)
    grid = root / "experiments" / "grid"
    grid.mkdir(parents=True)
    with RunLock.take(RunFolder(grid)), pytest.raises(RunBusy, match="experiment grid of one is being played"):
        folders.delete(root)
    folders.delete(root)
