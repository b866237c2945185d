"""Files and folders: whole or absent, nobody else's removed, no change lost, and nothing left of killed commands."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from autoact.cli import main
from autoact.errors import AutoActError, BadInput
from autoact.events import RunFinished
from autoact.files import disk
from autoact.project import folders
from autoact.project.project import create
from autoact.run.archive import pack
from autoact.run.archive.pack import export_run, import_run
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter

Python = Callable[..., "subprocess.Popen[str]"]


def precious(target: Path) -> None:
    """Puts a folder there that is someone's work."""
    target.mkdir()
    (target / "thesis.txt").write_text("three years")


# -- nothing is removed that the command did not make ----------------------------------------------------------------


@pytest.mark.parametrize("there", [precious, Path.mkdir, Path.touch])
def test_what_appears_while_a_folder_is_filled_stays(tmp_path: Path, there: Callable[[Path], None]) -> None:
    target, numbers = tmp_path / "new", []

    def fill() -> None:
        with disk.new_folder(target) as part:
            (part / "mine").write_text("x")
            there(target)
            numbers.append(target.stat().st_ino)

    with pytest.raises(FileExistsError):
        fill()
    assert [target.stat().st_ino] == numbers
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_project_that_appears_beside_a_copy_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = create(tmp_path / "one", "blank").root
    monkeypatch.setattr(folders.shutil, "copytree", lambda *_, **__: precious(tmp_path / "two"))
    with pytest.raises(BadInput, match="already exists"):
        folders.duplicate(root, "two")
    assert (tmp_path / "two" / "thesis.txt").read_text() == "three years"


def test_a_folder_that_appears_before_a_new_name_stays(tmp_path: Path) -> None:
    root = create(tmp_path / "one", "blank").root
    (tmp_path / "two").mkdir()
    with pytest.raises(FileExistsError):
        disk.rename(root, tmp_path / "two")
    assert (root / "project.toml").exists()
    assert list((tmp_path / "two").iterdir()) == []


def test_a_file_that_appears_while_a_run_is_packed_stays(
    folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.config.write_text("[run]\nstages = []\n")
    with LogWriter(folder) as log:
        log.append(RunFinished())
    file, pack_run = tmp_path / "run.tar.gz", pack._pack

    def packs(*arguments: object) -> None:
        pack_run(*arguments)  # type: ignore[arg-type]
        file.write_text("mine")

    monkeypatch.setattr(pack, "_pack", packs)
    with pytest.raises(BadInput, match="exists already"):
        export_run(folder, file)
    assert file.read_text() == "mine"
    monkeypatch.undo()
    export_run(folder, tmp_path / "other.tar.gz")
    assert import_run(tmp_path / "other.tar.gz", tmp_path / "elsewhere").folder.name == folder.name


def test_a_new_project_leaves_an_empty_folder_where_a_person_stands(tmp_path: Path) -> None:
    root = tmp_path / "here"
    root.mkdir()
    number = root.stat().st_ino
    create(root, "blank")
    assert root.stat().st_ino == number
    with pytest.raises(BadInput, match="not empty"):
        create(root, "blank")


# -- what a person keeps ---------------------------------------------------------------------------------------------


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "a.txt", tmp_path / "a.txt"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(Path("elsewhere") / "a.txt")
    disk.rewrite(link, b"new")
    assert link.readlink() == Path("elsewhere") / "a.txt"
    assert target.read_text() == "new"
    assert mode(target) == 0o640
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.txt", "a.txt", "elsewhere"]


def test_a_link_to_nothing_makes_its_target(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "a.txt")
    disk.rewrite(tmp_path / "link", b"new")
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.parametrize("permissions", [0o600, 0o644, 0o664])
def test_permissions_stay(tmp_path: Path, permissions: int) -> None:
    file = tmp_path / "a.txt"
    file.touch()
    file.chmod(permissions)
    disk.rewrite(file, b"new")
    assert mode(file) == permissions


def test_a_new_file_can_be_read_and_what_is_replaced_is_private(tmp_path: Path) -> None:
    disk.rewrite(tmp_path / "a.txt", b"new")
    disk.replace(tmp_path / "b.txt", b"new")
    assert (mode(tmp_path / "a.txt"), mode(tmp_path / "b.txt")) == (0o644, 0o600)


def test_replacing_follows_no_link(tmp_path: Path) -> None:
    """Files of runs may come from elsewhere: a link among them must lead nothing out."""
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    disk.replace(tmp_path / "link", b"new")
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (tmp_path / "link").is_symlink()


def test_no_change_is_lost(tmp_path: Path) -> None:
    file, each, threads = tmp_path / "count", 50, 4

    def count() -> None:
        for _ in range(each):
            disk.change_file(file, lambda before: b"%d" % (int(before or b"0") + 1))

    workers = [threading.Thread(target=count) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert int(file.read_bytes()) == each * threads
    assert [path.name for path in tmp_path.iterdir()] == ["count"]


def test_who_holds_a_folder_too_long_is_told_of(tmp_path: Path) -> None:
    with (
        disk.lock_folder(tmp_path),
        pytest.raises(AutoActError, match="another command has been changing it"),
        disk.lock_folder(tmp_path, 0.05),
    ):
        pytest.fail("two held it")


# -- killed commands -------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from autoact.files import disk
name = sys.argv[1]
os.replace = Path.replace = Path.rename = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if name == "folder":
    with disk.new_folder(Path(sys.argv[2])) as part:
        (part / "half").write_text("x")
else:
    disk.replace(Path(sys.argv[2]), b"secret")
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_the_next_command_sweeps_what_a_killed_one_left(python: Python, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "a[b]"
    killed = python(KILLED, kind, target)
    assert killed.wait() == -signal.SIGKILL
    (part,) = [path for path in tmp_path.iterdir() if path.name.endswith(".part")]
    (tmp_path / ".a.12345678.part").write_text("of another file")
    with part.open() if kind == "file" else os.scandir(part):  # what is only looked at is swept all the same
        disk.replace(target.with_name("other"), b"new")
        assert part.exists()
    target.rmdir() if target.is_dir() else None
    if kind == "file":
        disk.replace(target, b"new")
    else:
        with disk.new_folder(target):
            pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.12345678.part", "a[b]", "other"]


def test_a_part_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    with disk.new_file(tmp_path / "a") as file:
        file.write(b"slow")
        disk.replace(tmp_path / "a", b"quick")
        (tmp_path / "a").unlink()
    assert (tmp_path / "a").read_bytes() == b"slow"


def test_a_killed_command_leaves_no_secret_behind(
    python: Python, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOACT_SECRETS", str(tmp_path / "secrets.json"))
    assert python(KILLED, "file", tmp_path / "secrets.json").wait() == -signal.SIGKILL
    main(["secrets", "list"])
    assert not any(b"secret" in path.read_bytes() for path in tmp_path.iterdir())


def test_the_home_folder_of_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert disk.expand_user("~/a") == tmp_path / "a"
    assert disk.expand_user("a/~") == Path("a/~")
    with pytest.raises(BadInput, match="no such user"):
        disk.expand_user("~no-such-user-here/a")
