"""Room to start, the reserve file, and a run that waits for room."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from autoact.errors import DiskFull
from autoact.run.process.disk_space import COMFORTABLE, NEEDED, RESERVE, ReserveFile, check_room
from autoact.run.record.folder import RunFolder


def test_too_little_room_to_start(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match=r"120 MB free, a run needs 200 MB to start"):
        check_room(tmp_path, 120_000_000)
    assert "1.5 GB free" in check_room(tmp_path, 1_500_000_000)
    assert (bool(check_room(tmp_path, NEEDED)), check_room(tmp_path, COMFORTABLE)) == (True, "")


def test_the_disk_itself_is_asked(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        check_room(tmp_path / "nowhere")


def test_the_reserve_file_takes_room_and_gives_it_back(folder: RunFolder) -> None:
    reserve = ReserveFile(folder)
    assert reserve.create()
    assert folder.reserve.stat().st_size == RESERVE
    assert folder.reserve.stat().st_blocks * 512 >= RESERVE
    assert reserve.create()
    reserve.delete()
    reserve.delete()
    assert not folder.reserve.exists()


def test_a_reserve_file_that_does_not_fit_is_deleted(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr("autoact.run.process.disk_space._reserve", full)
    assert not ReserveFile(folder).create()
    assert not folder.reserve.exists()
