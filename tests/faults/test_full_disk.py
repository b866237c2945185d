"""A disk that is full at any byte: the run pauses, waits, goes on, and its log lacks nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autoact.events import Event, RunPaused, RunResumed
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter, read, scan

Rounds = Callable[[int, int], int]
Tell = Callable[[str, int, dict[str, float | str]], None]
Python = Callable[..., "subprocess.Popen[str]"]

EVERY_BYTE = """
import sys
from pathlib import Path
from resource import RLIM_INFINITY, RLIMIT_FSIZE, setrlimit
from autoact.events import RunPaused, RunResumed
from autoact.run.process import disk_space
from autoact.run.record.folder import RunFolder
from autoact.run.record.journal import Journal
from autoact.run.record.log import read, scan

disk_space.RESERVE = disk_space.HEADROOM = 4096  # quick to load: here it is the log that is limited

def done(path):
    return [record.event for record in read(path) if not isinstance(record.event, RunPaused | RunResumed)]

whole, folder = Path(sys.argv[1]), RunFolder(Path(sys.argv[2]))
first, step = map(int, sys.argv[3:])
events, wanted = [record.event for record in read(whole)], done(whole)
stalls = 0

def grow(limit):
    setrlimit(RLIMIT_FSIZE, (limit, RLIM_INFINITY))

def wait(seconds):
    global stalls
    stalls += 1
    good = scan(folder.events)
    assert (good.torn, good.damaged, good.next_seq) == (0, [], journal.writer.seq), limit
    grow(RLIM_INFINITY)

size = whole.stat().st_size
cases = range(first, size, step)
for limit in cases:
    before = stalls
    journal = Journal(folder, wait=wait)
    grow(limit)
    for event in events:
        journal.append(event)
    journal.close()
    assert done(folder.events) == wanted, limit
    good = scan(folder.events)
    assert (good.torn, good.damaged) == (0, []), limit
    assert stalls - before == 1, limit
    folder.events.unlink()
print(len(cases))
"""


def test_full_at_every_byte(folder: RunFolder, python: Python, events: list[Event], tmp_path: Path, tell: Tell) -> None:
    whole = RunFolder(tmp_path)
    with LogWriter(whole) as log:
        for event in events:
            log.append(event)
    limits = range(1, whole.events.stat().st_size)
    assert filled(python, whole.events, folder, limits) == len(limits)
    tell("F3 a disk full at every byte", len(limits), {})


def test_full_at_every_byte_of_every_version(
    folder: RunFolder, python: Python, versions: list[Path], rounds: Rounds, part: tuple[int, int], tell: Tell
) -> None:
    number, parts = part
    step, tried = rounds(211, 1), 0
    for version in versions:
        limits = range(1 + number * step, version.stat().st_size, parts * step)
        assert filled(python, version, folder, limits) == len(limits)
        tried += len(limits)
    tell("F3 a disk full at every byte", tried, {})


def filled(python: Python, whole: Path, folder: RunFolder, limits: range) -> int:
    """Write this log anew with each of these limits on the file's size; how often that went well."""
    child = python(EVERY_BYTE, whole, folder.path, limits.start, limits.step)
    output, _ = child.communicate()
    assert child.returncode == 0
    return int(output)


SMALL_DISK = """
import os, sys
from pathlib import Path
from autoact.events import StageProgressed
from autoact.run.record.folder import RunFolder
from autoact.run.record.journal import Journal
from autoact.run.record.state import RunState

root = Path(sys.argv[1])
spare = int(sys.argv[2])  # bytes that are left for the log
folder = RunFolder(root)
waits = 0

def free():
    found = os.statvfs(root)
    return found.f_bavail * found.f_frsize

def wait(seconds):
    global waits
    waits += 1
    state = RunState.of(folder.events)
    assert (state.status, state.why, state.gaps, state.damage) == ("paused", "disk full", 0, []), state
    assert not folder.reserve.exists()
    if waits == 3:
        filler.unlink()

journal = Journal(folder, wait=wait)
assert folder.reserve.exists()
filler = root / "filler"
filler.write_bytes(b"x" * (free() - spare))
done = 0
while not waits:
    done += 1
    journal.append(StageProgressed("synthesis", done, 9))
assert waits == 3 and folder.reserve.exists()
journal.append(StageProgressed("synthesis", done + 1, 9))
journal.close()
"""
MOUNTED = """
mount -t tmpfs -o size=4m tmpfs "$0" && "$1" -c "$2" "$0" "$3" && cp "$0/events.jsonl" "$4"
"""


def test_a_disk_that_is_really_full(tmp_path: Path, python: Python, rounds: Rounds, tell: Tell) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    if subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("other system: a small file system needs a mount namespace, which this kernel does not give")
    root = Path(__file__).parents[2]
    small, kept = tmp_path / "disk", tmp_path / "events.jsonl"
    small.mkdir()
    tried = rounds(3, 64)
    for pages in range(tried):
        command = ["unshare", "-rm", "sh", "-c", MOUNTED, small, sys.executable, SMALL_DISK, str(4096 * pages), kept]
        subprocess.run(command, check=True, cwd=root)
        log = [record.event for record in read(kept)]
        assert scan(kept).torn == 0
        paused = log.index(RunPaused("disk full"))
        assert log[paused + 1] == RunResumed()
        done = [event for event in log if event not in (RunPaused("disk full"), RunResumed())]
        assert len(log) == len(done) + 2
        assert [event.done for event in done] == list(range(1, len(done) + 1))  # type: ignore[union-attr]
    tell("F3 a file system that is really full", tried, {})
