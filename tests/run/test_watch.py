"""Waking readers: what wakes them, what does not, and how they do without."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from autoact.files import disk
from autoact.run.record.folder import RunFolder
from autoact.run.record.watch import Watch, is_remote

Python = Callable[..., "subprocess.Popen[str]"]
LONG = 30.0
"""Seconds that no test here sits out: being woken is what ends them."""

needs_inotify = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other system: inotify is Linux's")


@needs_inotify
def test_a_write_wakes_a_reader(folder: RunFolder, python: Python) -> None:
    with Watch(folder.events, folder.live) as watch:
        assert watch.fileno() >= 0
        for path in (folder.events, folder.live, folder.events):
            writer = python("import sys; open(sys.argv[1], 'ab').write(b'x')", path)
            began = time.monotonic()
            watch.wait(LONG)
            assert time.monotonic() - began < LONG
            assert writer.wait() == 0
            while watch.read_changes():
                pass


@needs_inotify
def test_a_file_put_in_place_wakes_a_reader(folder: RunFolder) -> None:
    with Watch(folder.heartbeat) as watch:
        disk.replace(folder.heartbeat, b"{}", durable=False)
        assert watch.read_changes()
        assert not watch.read_changes()


@needs_inotify
def test_other_files_wake_no_one(folder: RunFolder) -> None:
    with Watch(folder.events) as watch:
        folder.console.write_bytes(b"x")
        disk.replace(folder.heartbeat, b"{}", durable=False)
        assert not watch.read_changes()
        folder.events.write_bytes(b"x" * 100)
        assert watch.read_changes()


@needs_inotify
def test_a_flood_is_taken_in_portions(folder: RunFolder) -> None:
    with Watch(folder.live) as watch, folder.events.open("ab", buffering=0) as file:
        other = folder.path / ("x" * 200)
        for number in range(3000):
            file.write(b"x")
            if number % 2:
                other.touch()
                other.unlink()
        assert not any(watch.read_changes() for _ in range(200))
        folder.live.write_bytes(b"x")
        assert any(watch.read_changes() for _ in range(200))


def test_without_the_kernel_waiting_is_sleeping(folder: RunFolder) -> None:
    with Watch(folder.events, inotify=False) as watch:
        assert watch.fileno() == -1
        folder.events.write_bytes(b"x")
        assert not watch.read_changes()
        began = time.monotonic()
        watch.wait(0.02)
        assert time.monotonic() - began >= 0.02


def test_a_folder_that_is_gone_cannot_be_watched(tmp_path: Path) -> None:
    assert Watch(tmp_path / "nowhere" / "events.jsonl").fileno() == -1


def test_the_kernels_own_files_are_not_remote(tmp_path: Path) -> None:
    assert not is_remote(Path("/proc"))
    assert not is_remote(tmp_path / "nowhere")
