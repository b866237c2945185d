"""What a program could take of the machine beside its limits, and what a sandbox that was killed leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from autoact.tools.sandbox import folder, memory_group
from autoact.tools.sandbox.bounds import MEGABYTE, Bounds
from autoact.tools.sandbox.layers import Layers
from autoact.tools.sandbox.sandbox import Sandbox

IN_MEMORY = Path("/dev/shm")
BOUNDS = Bounds(seconds=30, cpu_seconds=30, file=4 * MEGABYTE, folder=12 * MEGABYTE, written=40 * MEGABYTE)
REMOVED = """
import ctypes, mmap, os, threading, time
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
def keep(shared):
    file = open('removed', 'w+b')
    os.unlink('removed')
    file.truncate(4_000_000)
    at = libc.mmap(None, ctypes.c_size_t(4_000_000), 3, 1 if shared else 2, file.fileno(), ctypes.c_long(0))
    if at == ctypes.c_void_p(-1).value: raise OSError
    if shared: ctypes.memset(at, 1, 4_000_000)
    else: ctypes.string_at(at, 4_000_000)  # in memory, a hole that is read becomes a page
    libc.munmap(ctypes.c_void_p(at + 4096), ctypes.c_size_t(3_995_904))
    file.close()
def taken():
    room = os.statvfs('.')
    return (room.f_blocks - room.f_bfree) * room.f_frsize
def attack(shared):
    for _ in range(100):
        keep(shared)
        time.sleep(0.02)
    say()
def say():
    if taken() > before + 150_000_000: print('all done', flush=True)
before = taken()
"""
"""Keeps 400 MB in files of which nothing shows but a page each."""
ATTACKS = {
    "written": "attack(True)",
    "read": "attack(False)",
    "behind a main thread that has ended": "threading.Thread(target=attack, args=(True,)).start()\nlibc.syscall(60, 0)",
    "open": "kept = []\nfor n in range(50):\n    kept.append(open('removed', 'w+b'))\n    os.unlink('removed')\n"
    "    kept[-1].truncate(4_000_000)\n    mmap.mmap(kept[-1].fileno(), 4_000_000).write(bytes(4_000_000))\n"
    "    time.sleep(0.02)\nsay()",
}
LATE = """#!{python}
import os, sys, time
outer = os.getpid()
if inner := os.fork():
    os.write(int(sys.argv[sys.argv.index("--info-fd") + 1]), b'{{"child-pid": %d}}' % inner)
    time.sleep(99)
os.setsid()
ends = time.monotonic() + 1
while os.getppid() == outer or time.monotonic() < ends:
    if os.getppid() == outer:
        ends = time.monotonic() + 0.5
    with open("written-late", "w") as file:
        file.write("x")
"""
"""In the place of bubblewrap: what it started writes on for half a second after its own end."""
KILLED = """
import sys
from autoact.tools.sandbox.bounds import Bounds
from autoact.tools.sandbox.sandbox import Sandbox
program = "import time; open('large', 'wb').write(bytes(1_000_000)); time.sleep(99)"
Sandbox().run(program, Bounds(seconds=99))
"""


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs work in a file system in memory."""
    monkeypatch.setattr(tempfile, "tempdir", str(IN_MEMORY))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which programs have theirs, empty but for them."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("in_memory")
@pytest.mark.parametrize("name", ATTACKS)
def test_removed_files_in_memory_are_counted(name: str, sandbox: Sandbox) -> None:
    alone = Sandbox(msgspec.structs.replace(sandbox.layers, memory_group=""))
    outcome = alone.run(REMOVED + ATTACKS[name], BOUNDS)
    assert (outcome.end, outcome.error) == ("resources", "it kept more than 40 MB in files it removed")
    assert outcome.stdout == ""


@pytest.mark.usefixtures("in_memory")
@pytest.mark.parametrize("name", ATTACKS)
def test_removed_files_can_be_kept_where_nothing_holds(name: str, ground: Any) -> None:
    assert "all done" in ground.unconfined(REMOVED + ATTACKS[name], 60.0).stdout


def test_a_program_that_ends_late_writes_to_no_removed_folder(place: Path, found: Layers) -> None:
    late = place / "late-bwrap"
    late.write_text(LATE.format(python=sys.executable))
    late.chmod(0o755)
    box = Sandbox(msgspec.structs.replace(found, bubblewrap=str(late), memory_group=""))
    box.run("", Bounds(seconds=0.5))
    assert list(place.iterdir()) == [late]


def test_what_a_killed_sandbox_left_is_swept(place: Path, found: Layers) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED], env={**os.environ, "TMPDIR": str(place)}) as killed:
        while not (large := list(place.glob("*/large"))) or not large[0].stat().st_size:
            assert killed.poll() is None
            time.sleep(0.01)
        Sandbox(found)
        assert large[0].exists(), "swept while it was used"
        killed.send_signal(signal.SIGKILL)
    assert large[0].exists()
    Sandbox(found)
    assert list(place.iterdir()) == []


def test_a_folder_that_is_used_is_not_swept(place: Path) -> None:
    with folder.program_folder() as own:
        (place / "autoact-program-link").symlink_to(own)
        folder.sweep()
        assert own.exists()
    assert [left.name for left in place.iterdir()] == ["autoact-program-link"]


@pytest.fixture
def groups(found: Layers) -> str:
    if not found.memory_group:
        pytest.skip("other system: this one lets nobody here make a memory control group")
    return found.memory_group


def test_a_memory_group_counts_what_processes_hold(groups: str) -> None:
    with memory_group.create_group(groups, 60 * MEGABYTE) as group:
        take = "import sys; sys.stdin.read(); bytearray(200_000_000)"
        with subprocess.Popen([sys.executable, "-c", take], stdin=subprocess.PIPE) as greedy:
            group.add(greedy.pid)
        assert greedy.returncode == -signal.SIGKILL
        assert group.exceeded()
    assert not list(Path(groups).glob(f"autoact-program-{os.getpid()}-*"))


@pytest.mark.usefixtures("in_memory")
def test_a_memory_group_ends_what_no_other_bound_sees(groups: str, sandbox: Sandbox) -> None:
    bounds = msgspec.structs.replace(BOUNDS, memory=200 * MEGABYTE, written=10_000 * MEGABYTE)
    outcome = sandbox.run(REMOVED + "attack(True)", bounds)
    assert (outcome.end, outcome.error) == ("resources", "it took more than 200 MB of memory")


def test_groups_of_processes_that_have_ended_are_swept(groups: str, found: Layers) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    left, used = (Path(groups, f"autoact-program-{number}-0") for number in (ended.pid, os.getpid()))
    left.mkdir()
    used.mkdir()
    Sandbox(found)
    assert not left.exists()
    used.rmdir()


def test_without_control_groups_there_is_no_memory_group(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    with pytest.raises(FileNotFoundError), memory_group.create_group(str(tmp_path / "memory"), MEGABYTE):
        pass
    assert list((tmp_path / "memory").iterdir()) == []
