"""The run's lock: one owner, named to others, never outliving its process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

import pytest

from autoact.errors import RunBusy
from autoact.run.process.lock import Owner, RunLock, is_held, owner
from autoact.run.record.folder import RunFolder

Python = Callable[..., "subprocess.Popen[str]"]

HOLDER = """
import os, sys
from pathlib import Path
from autoact.run.record.folder import RunFolder
from autoact.run.process.lock import RunLock
lock = RunLock.take(RunFolder(Path(sys.argv[1])))
child = os.fork() if len(sys.argv) > 2 else -1
if child:
    print(child, flush=True)
sys.stdin.read()
"""


def test_a_second_job_is_refused_and_told_who_owns_the_run(folder: RunFolder) -> None:
    assert not is_held(folder)
    assert owner(folder) is None
    with RunLock.take(folder):
        assert is_held(folder)
        assert owner(folder) == Owner.of_this_process()
        with pytest.raises(
            RunBusy, match=f"{folder.name} belongs to process {os.getpid()} on {Owner.of_this_process().host}"
        ):
            RunLock.take(folder)
    assert not is_held(folder)
    assert owner(folder) == Owner.of_this_process()
    RunLock.take(folder).release()


def test_a_shorter_name_replaces_a_longer_one_whole(folder: RunFolder) -> None:
    folder.lock.write_text("x" * 5000)
    assert owner(folder) is None
    with RunLock.take(folder):
        assert owner(folder) == Owner.of_this_process()


@pytest.mark.parametrize("forks", [False, True])
def test_kill_9_frees_the_lock_though_a_forked_child_lives(folder: RunFolder, python: Python, forks: bool) -> None:
    holder = python(HOLDER, folder.path, *["fork"] * forks)
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(RunBusy, match=f"process {holder.pid} "):
        RunLock.take(folder)
    holder.kill()
    holder.wait()  # the forked child still waits for our end of the pipe
    RunLock.take(folder).release()
    holder.communicate()
