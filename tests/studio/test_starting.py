"""A run that was started from the studio goes on when the studio is gone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from stories import synthesis, write
from terminal import Terminal

from autoact.run.process.health import is_active
from autoact.run.process.launch import kill
from autoact.run.record.folder import RunFolder, list_runs
from autoact.run.record.state import RunState

COUNTING = str(Path(__file__).parents[1] / "run" / "counting_job.py")
START = """
import sys
from datetime import datetime
from pathlib import Path
from autoact.run.record.folder import new_run
from autoact.run.process.launch import launch
if sys.argv[1] != "run":  # the form of a new run asks for a memory plan
    raise SystemExit
folder = new_run(Path(sys.argv[-1]), "quick", {{}}, now=datetime(2026, 11, 23, 9, 5))
launch(folder, ({counting!r}, "--of", "1000000", "--every", "0.01"))
print(folder.name)
"""
"""What `autoact run --detach` does, with a job that counts."""
LONG = 120.0
"""Seconds that a busy machine may take."""
STUDIO = """
import sys
from studio.actions import cli_command
from studio.__main__ import main
cli_command.PROGRAM = (sys.executable, sys.argv[1])
main(sys.argv[2:])
"""


@pytest.mark.parametrize("end", ["q", ""], ids=["left", "killed with its terminal"])
def test_the_run_outlives_the_studio(opera: Path, tmp_path: Path, end: str) -> None:
    older = write(opera, synthesis())
    (tmp_path / "start.py").write_text(START.format(counting=COUNTING), encoding="utf-8")
    try:
        with Terminal(["-c", STUDIO, str(tmp_path / "start.py"), str(older.path)], columns=120, lines=36) as terminal:
            assert terminal.until(lambda: "interrupted" in terminal.text(), LONG), terminal.text()
            terminal.press("7n")
            assert terminal.until(lambda: "New run" in terminal.text(), LONG), terminal.text()
            terminal.press("\x0f")
            assert terminal.until(lambda: "● running" in terminal.text(), LONG), terminal.text()
            terminal.press(end)
            assert not end or terminal.until(lambda: b"goes on" in terminal.log, LONG), terminal.text()
        run = _newest(opera)
        assert run.name != older.name
        assert is_active(run)
        seen = RunState.of(run.events).answers
        with Terminal(["-c", STUDIO, sys.executable, str(run.path)], columns=120, lines=36) as terminal:
            assert terminal.until(lambda: "● running" in terminal.text(), LONG), terminal.text()
            assert terminal.until(lambda: RunState.of(run.events).answers > seen, LONG)
    finally:
        kill(_newest(opera))


def _newest(root: Path) -> RunFolder:
    return next(iter(list_runs(root)))
