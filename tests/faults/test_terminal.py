"""F7: the terminal goes away. The run goes on, no event is missing, and a new viewer finds it."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import pytest

from autoact.run.process.health import is_active, verdict
from autoact.run.process.launch import kill
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.state import RunState
from autoact.security import trust

Rounds = Callable[[int, int], int]
Tell = Callable[[str, int, dict[str, float | str]], None]

COUNTING = Path(__file__).parents[1] / "run" / "counting_job.py"
FOREGROUND = """
import fcntl, os, sys, termios
from pathlib import Path
from autoact.cli.watch.follow import follow
from autoact.run.record.folder import RunFolder
from autoact.run.process.launch import launch
if os.getsid(0) == os.getpid() and os.isatty(0):
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
folder = RunFolder(Path(sys.argv[1]))
launch(folder, tuple(sys.argv[2:]))
(folder.path / "foreground").write_text(str(os.getpid()))
follow(folder, print)
"""
"""What `autoact run` does in a terminal, with a job that counts."""


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Callable[[], RunFolder]]:
    """Makes runs, and sees to it that none outlives the test."""
    made: list[RunFolder] = []

    def make() -> RunFolder:
        trust.mark_trusted(tmp_path)
        made.append(new_run(tmp_path, "terminal", {}, now=datetime(2026, 11, 22, 14, 30)))
        return made[-1]

    yield make
    for folder in made:
        kill(folder)


def command(folder: RunFolder) -> list[str]:
    return [sys.executable, "-c", FOREGROUND, str(folder.path), str(COUNTING), "--of", "1000000", "--every", "0.01"]


def survives(folder: RunFolder, fault: Callable[[int], None]) -> None:
    """Wait for the run, let the fault happen to its foreground process, look again as a new viewer."""
    until(lambda: (folder.path / "foreground").exists() and RunState.of(folder.events).answers > 2)
    foreground = int((folder.path / "foreground").read_text())
    fault(foreground)
    until(lambda: gone(foreground))
    before = RunState.of(folder.events)
    until(lambda: RunState.of(folder.events).answers > before.answers + 5 or not is_active(folder))
    after = RunState.of(folder.events)
    assert verdict(folder, after) == "running"
    assert (after.attempt, after.gaps, after.damage) == (1, 0, [])
    assert after.answers > before.answers + 5
    kill(folder)
    until(lambda: not is_active(folder))


def until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(0.01)


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """It does not outlive the test, even when that fails."""
    try:
        yield
    finally:
        process.kill()
        process.wait()


def gone(process: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(process, os.WNOHANG)  # ours: it would stay as a zombie
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_its_pty_is_closed(runs: Callable[[], RunFolder], rounds: Rounds, tell: Tell) -> None:
    tried = rounds(3, 50)
    for _ in range(tried):
        folder, (master, slave) = runs(), pty.openpty()
        one = subprocess.Popen(command(folder), stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        with ended(one):
            survives(folder, lambda _, master=master: os.close(master))  # type: ignore[misc]
    tell("F7 a terminal closed", tried, {})


def test_its_group_gets_a_hangup(runs: Callable[[], RunFolder], rounds: Rounds, tell: Tell) -> None:
    tried = rounds(3, 50)
    for _ in range(tried):
        folder = runs()
        with ended(subprocess.Popen(command(folder), stderr=subprocess.DEVNULL, start_new_session=True)):
            survives(folder, lambda foreground: os.killpg(foreground, signal.SIGHUP))
    tell("F7 a hangup of the terminal's processes", tried, {})


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_its_tmux_server_is_killed(
    runs: Callable[[], RunFolder], rounds: Rounds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tell: Tell
) -> None:
    monkeypatch.setenv("TMUX_TMPDIR", os.fspath(tmp_path))
    monkeypatch.delenv("TMUX", raising=False)
    tmux = ["tmux", "-L", "fault", "-f", os.devnull]
    tried = rounds(3, 50)
    for _ in range(tried):
        folder = runs()
        subprocess.run([*tmux, "new-session", "-d", *command(folder)], check=True)
        survives(folder, lambda _: subprocess.run([*tmux, "kill-server"], check=True) and None)  # type: ignore[func-returns-value]
    tell("F7 a tmux server killed", tried, {})
