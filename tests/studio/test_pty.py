"""The `studio` command in a real terminal: through all panes, through a change of size, and out again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from showcase import AT_WORK, at_work, showcase
from terminal import Terminal

from autoact.run.record.folder import RunFolder

ROOT = Path(__file__).resolve().parents[2]
PANES = {
    "2": "Retrieve",
    "3": "\n status ",
    "4": "tokens trained on",
    "5": "session over",
    "6": "EM %  95 %",
    "7": "interrupted",
    "1": "Who wrote Fidelio?",
}
"""By number key: what is read only there."""
SECONDS = 60.0
"""At most, on a machine that is busy."""
MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
ON = {b"25", b"7"}
"""Modes that a terminal has by itself: the cursor is seen, and lines wrap."""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    root = showcase(tmp_path)
    with at_work(RunFolder(root / "runs" / AT_WORK[0])):
        yield root


def test_through_all_panes_and_out(project: Path, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with Terminal(["-m", "studio", str(project)], columns=120, lines=36, environment=home) as terminal:
        before = termios.tcgetattr(terminal.fd)
        for key, said in {"": "Who wrote Fidelio?", **PANES}.items():
            terminal.press(key)
            assert terminal.until(lambda said=said: said in terminal.text(), SECONDS), (key, terminal.text())  # type: ignore[misc]
        terminal.resize(80, 24)
        assert terminal.until(lambda: framed(terminal), SECONDS), terminal.text()
        for key, said in PANES.items():
            terminal.press(key)
            assert terminal.until(lambda said=said: said in terminal.text(), SECONDS), (key, terminal.text())  # type: ignore[misc]
            assert terminal.until(lambda: framed(terminal), SECONDS), terminal.text()
        terminal.press("q")
        assert terminal.until(lambda: b"goes on; `studio` shows it again." in terminal.log, SECONDS)
        terminal.until(lambda: False, 1.0)
        assert left_on(bytes(terminal.log)) == ON
        assert terminal.log.count(b"\x1b[>1u") <= terminal.log.count(b"\x1b[<u")
        assert termios.tcgetattr(terminal.fd)[:4] == before[:4]


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(project: Path, tmp_path: Path) -> None:
    with studio(project, tmp_path) as terminal:
        terminal.press("\x1a")
        assert terminal.until(lambda: stopped(terminal), SECONDS)
        assert b"\x1b[?1049l" in terminal.log
        terminal.screen.reset()
        os.kill(terminal.pid, signal.SIGCONT)
        assert terminal.until(lambda: "Who wrote Fidelio?" in terminal.text(), SECONDS), terminal.text()


def stopped(terminal: Terminal) -> bool:
    return os.waitid(os.P_PID, terminal.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None


def test_sixteen_colours_tell_the_roles_apart(project: Path, tmp_path: Path) -> None:
    colours = {"TERM": "xterm-16color", "COLORTERM": ""}
    with studio(project, tmp_path, **colours) as terminal:
        terminal.press("4")
        assert terminal.until(lambda: "R↺ reflect" in terminal.text(), SECONDS), terminal.text()
        found = {}
        for y, row in enumerate(terminal.screen.display):
            for sign in ("P›", "T⚙", "R↺"):
                if sign in row:
                    found[sign] = terminal.screen.buffer[y][row.index(sign)].fg
        assert len(set(found.values())) == 3, found


def studio(project: Path, home: Path, **environment: str) -> Terminal:
    """The studio on a project, its first pane drawn."""
    settings = {"HOME": str(home), "PYTHONPATH": str(ROOT), **environment}
    terminal = Terminal(["-m", "studio", str(project)], columns=120, lines=36, environment=settings)
    assert terminal.until(lambda: "Who wrote Fidelio?" in terminal.text(), SECONDS), terminal.text()
    return terminal


def test_without_a_terminal_nothing_is_drawn(project: Path) -> None:
    command = [sys.executable, "-m", "studio", str(project)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.startswith(b"studio: the studio needs a terminal; `studio --plain RUN` prints lines")
    assert b"\x1b" not in done.stderr


def test_a_terminal_that_can_draw_nothing_is_told(project: Path) -> None:
    with Terminal(["-m", "studio", str(project)], environment={"TERM": "dumb"}) as terminal:
        assert terminal.until(lambda: b"TERM=dumb cannot be drawn on" in terminal.log, SECONDS)
        assert b"\x1b" not in terminal.log


def framed(terminal: Terminal) -> bool:
    """Whether the panes' names stand on the second line, and the keys on the last."""
    second, last = terminal.screen.display[1], terminal.screen.display[-1].rstrip()
    return second.rstrip().endswith("| 7 Runs") and last.endswith("? help")


def left_on(log: bytes) -> set[bytes]:
    """The private modes that are set at the end, those that a terminal begins with included."""
    modes = set(ON)
    for found in MODE.finditer(log):
        for mode in found[1].split(b";"):
            (modes.add if found[2] == b"h" else modes.discard)(mode)
    return modes
