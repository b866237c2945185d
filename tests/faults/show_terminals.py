"""A real run outlives its terminals, shown by hand: python tests/faults/show_terminals.py PROJECT [ANSWERS].

The project's quick run is begun inside tmux, whose server is then killed; stopped, gone on with in a terminal of its
own, which is then closed. After each, a new viewer looks, and the run must give ANSWERS more answers (20 when left
out) without a gap. It is stopped at the end; the same command goes on with it.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from autoact.run.process.health import is_active, verdict
from autoact.run.process.launch import stop
from autoact.run.record.folder import RunFolder, latest_run, list_runs
from autoact.run.record.state import RunState

PATIENCE = 600.0
"""Seconds for anything to happen: a model takes its time to load."""


def main(project: Path, wanted: int) -> None:
    before = len(list_runs(project))
    run = [sys.executable, "-m", "autoact", "run", str(project), "--preset", "quick"]
    with tempfile.TemporaryDirectory() as place:
        tmux = ["tmux", "-L", "shown", "-f", os.devnull]
        os.environ["TMUX_TMPDIR"] = place
        os.environ.pop("TMUX", None)
        subprocess.run([*tmux, "new-session", "-d", *run], check=True)
        until("the run is there", lambda: len(list_runs(project)) > before)
        folder = latest_run(project)
        pane = subprocess.run([*tmux, "list-panes", "-F", "#{pane_pid}"], check=True, capture_output=True, text=True)
        outlives(folder, 1, wanted, "tmux kill-server", int(pane.stdout), lambda: killed(tmux))
    stopped(folder)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(run[0], run)
    outlives(folder, 2, wanted, "its terminal closed", pid, lambda: os.close(terminal))
    stopped(folder)


def outlives(
    folder: RunFolder, attempt: int, wanted: int, what: str, foreground: int, end: Callable[[], None]
) -> None:  # fmt: skip
    """End the terminal of a run at work, and tell what became of the run."""
    until("it answers", lambda: at_work(folder, attempt))
    end()
    until("what ran in the terminal is gone", lambda: gone(foreground))
    before = RunState.of(folder.events)
    seconds, used, line = looked(folder)
    until("it goes on", lambda: RunState.of(folder.events).answers >= before.answers + wanted)
    after = RunState.of(folder.events)
    assert (after.gaps, after.damage, after.attempt) == (0, [], before.attempt)
    print(f"{what}: the run is {verdict(folder, after)}, {before.answers} answers before and {after.answers} since")
    print(f"  a new viewer told its state {seconds:.2f} s after it was started ({used:.2f} s of CPU): {line}")


def at_work(folder: RunFolder, attempt: int) -> bool:
    """Whether the model of this attempt is loaded: its name is told again with it."""
    state = RunState.of(folder.events)
    return state.attempt == attempt and bool(state.engine) and state.answers > 0


def looked(folder: RunFolder) -> tuple[float, float, str]:
    """Start `autoact attach` as another terminal would; seconds to the run's state, those of its CPU, and the line."""
    began, before = time.monotonic(), getrusage(RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "autoact", "attach", str(folder.path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as viewer:
        assert viewer.stderr is not None
        assert viewer.stderr.readline() == f"run {folder.name}\n"
        line = viewer.stderr.readline().strip()
        seconds = time.monotonic() - began
        viewer.terminate()
        viewer.communicate()
    after = getrusage(RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, line


def killed(tmux: list[str]) -> None:
    subprocess.run([*tmux, "kill-server"], check=True)


def stopped(folder: RunFolder) -> None:
    stop(folder)
    until("it has stopped", lambda: not is_active(folder))


def gone(process: int) -> bool:
    """A child is waited for; of others the kernel is asked."""
    try:
        return os.waitpid(process, os.WNOHANG)[0] == process
    except ChildProcessError:
        return not Path(f"/proc/{process}").exists()


def until(what: str, true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"not so after {PATIENCE:.0f} s: {what}"
        time.sleep(0.05)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 20)
