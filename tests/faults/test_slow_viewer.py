"""A viewer that stands still: the job does not feel it, and afterwards the viewer has seen everything."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable

from autoact.events import ModelAnswered, RunFinished, RunPaused
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogWriter

Rounds = Callable[[int, int], int]
Tell = Callable[[str, int, dict[str, float | str]], None]
Python = Callable[..., "subprocess.Popen[str]"]

RATE = 1_000
"""Events a second."""

VIEWER = """
import sys, time
from pathlib import Path
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogTail
from autoact.run.record.state import RunState
from autoact.run.record.watch import Watch

folder = RunFolder(Path(sys.argv[1]))
state, tail = RunState(), LogTail(folder.events)
with Watch(folder.events) as watch:
    while state.status != "finished":
        state.follow(tail)
        if state.status == "paused":
            print(state.seq, time.process_time(), flush=True)
            state.status = ""
        watch.wait()
print(state.seq, state.gaps, len(state.damage), state.answers, time.process_time())
"""


def work(log: LogWriter, count: int) -> float:
    """Append so many events at the rate, or as fast as this machine can; seconds that appending itself took."""
    spent, began = 0.0, time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, began + number / RATE - time.monotonic()))
        before = time.perf_counter()
        log.append(ModelAnswered("t-1", number, "5b1c", "meta", "thought", "I should read the page.", ms=4.5))
        spent += time.perf_counter() - before
    return spent


def test_a_stopped_viewer_slows_nothing_and_catches_up(
    folder: RunFolder, python: Python, rounds: Rounds, tell: Tell
) -> None:
    count = rounds(1_000, 60 * RATE)
    with LogWriter(folder) as log:
        viewer = python(VIEWER, folder.path)
        assert viewer.stdout is not None
        began = time.monotonic()
        watched = work(log, count)
        at_rate = count / (time.monotonic() - began)
        log.append(RunPaused("tea"))
        seen, used = viewer.stdout.readline().split()
        assert int(seen) == count

        os.kill(viewer.pid, signal.SIGSTOP)
        began = time.monotonic()
        alone = work(log, count)
        at_rate_alone = count / (time.monotonic() - began)
        last = log.append(RunFinished())
        os.kill(viewer.pid, signal.SIGCONT)
        began = time.monotonic()
        output, _ = viewer.communicate()
    caught_up = time.monotonic() - began
    seq, gaps, damage, answers, used_at_end = output.split()
    assert [int(seq), int(gaps), int(damage), int(answers)] == [last, 0, 0, 2 * count]
    folding = float(used_at_end) - float(used)
    tell("F10 a viewer stopped", 1, {
        "events": count,
        "watched": f"{at_rate:.0f}/s at {1e6 * watched / count:.1f} us",
        "while it stood still": f"{at_rate_alone:.0f}/s at {1e6 * alone / count:.1f} us",
        "caught up in": f"{caught_up:.2f} s, {folding:.2f} s of CPU",
    })  # fmt: skip
    if rounds(0, 1):  # times are worth an assertion only over a minute
        assert at_rate_alone > 0.98 * at_rate
        assert folding < 2.0
