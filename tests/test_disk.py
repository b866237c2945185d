"""Files that a person keeps stay what they are when they are saved."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from autoact import disk


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "a.txt", tmp_path / "a.txt"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(Path("elsewhere") / "a.txt")
    disk.save(link, b"new")
    assert link.readlink() == Path("elsewhere") / "a.txt"
    assert target.read_text() == "new"
    assert mode(target) == 0o640
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.txt", "a.txt", "elsewhere"]


def test_a_link_to_nothing_makes_its_target(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "a.txt")
    disk.save(tmp_path / "link", b"new")
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.parametrize("permissions", [0o600, 0o644, 0o664])
def test_permissions_stay(tmp_path: Path, permissions: int) -> None:
    file = tmp_path / "a.txt"
    file.touch()
    file.chmod(permissions)
    disk.save(file, b"new")
    assert mode(file) == permissions


def test_a_new_file_can_be_read_and_what_is_replaced_is_private(tmp_path: Path) -> None:
    disk.save(tmp_path / "a.txt", b"new")
    disk.replace(tmp_path / "b.txt", b"new")
    assert (mode(tmp_path / "a.txt"), mode(tmp_path / "b.txt")) == (0o644, 0o600)


def test_replacing_follows_no_link(tmp_path: Path) -> None:
    """Files of runs may come from elsewhere: a link among them must lead nothing out."""
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    disk.replace(tmp_path / "link", b"new")
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (tmp_path / "link").is_symlink()
