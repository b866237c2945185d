"""How soon a run acknowledges commands, with the embedded model: 24 episodes in flight, then a run without a job.

By hand: python tests/benchmarks/bench_commands.py [SECONDS]. Each command goes through the control socket of a job of
its own process; the time is from sending it to the reply, which comes after the acceptance is in the log and flushed.
A trajectory of a run that has ended is kept without a job, by `autoact keep`.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from autoact.events import RunFinished, StageFinished
from autoact.project.config import Plan
from autoact.project.project import create
from autoact.registry.stages import SYNTHESIS, pipeline
from autoact.run.control.command import Command, new_id
from autoact.run.control.control_socket import send
from autoact.run.record.folder import RunFolder, new_run
from autoact.run.record.log import LogTail, LogWriter
from autoact.run.record.state import RunState

SETTINGS = {"synthesis.questions": "reference", "synthesis.samples": "4", "model.lanes": "24"}
PATIENCE = 120.0
"""Seconds after which a command counts as lost."""


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as root:
        folder = prepared(Path(root))
        with job(folder):
            late = measured(folder, seconds)
        late["keep, no job"] = [kept_without_a_job(folder) for _ in range(3)]
        print(folder.console.read_text().rstrip())
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    for do, each in late.items():
        each.sort()
        shown = f"median {statistics.median(each):6.2f} s, 95 % within {each[int(0.95 * (len(each) - 1))]:6.2f} s"
        print(f"{do:<12} {len(each):4d} times: {shown}, longest {each[-1]:6.2f} s")


def prepared(root: Path) -> RunFolder:
    """A run of the first three stages over the starter project's reference questions."""
    project = create(root / "starter")
    config = msgspec.structs.replace(project.config(changes=SETTINGS), run=Plan(stages=pipeline()[:3]))
    return new_run(project.root, "bench", msgspec.to_builtins(config), now=datetime.now())


@contextmanager
def job(folder: RunFolder) -> Iterator[None]:
    with folder.console.open("wb") as console:
        process = subprocess.Popen(
            [sys.executable, "-m", "autoact.job.job", folder.path], stdout=console, stderr=console
        )
        try:
            yield
        finally:
            process.kill()
            process.wait()


def measured(folder: RunFolder, seconds: float) -> dict[str, list[float]]:
    """Seconds to the reply by command: pauses with their resumes, edits of newest answers, and judgements."""
    state, tail, draw = RunState(), LogTail(folder.events), random.Random(7)
    while not (state.stage == SYNTHESIS and state.lanes.units):
        state.follow(tail)
        time.sleep(0.2)
    late: dict[str, list[float]] = {}
    until = time.monotonic() + seconds
    while time.monotonic() < until and state.stage == SYNTHESIS:
        time.sleep(draw.uniform(0.5, 3.0))
        state.follow(tail)
        command = wanted(state, draw)
        commands = [] if command is None else [command]
        if command is not None and command.do == "pause":
            commands.append(Command(new_id(), "resume"))
        for one in commands:
            late.setdefault(one.do, []).append(acknowledged(folder, one))
    return late


def wanted(state: RunState, draw: random.Random) -> Command | None:
    """A command that can be obeyed now; None where there is nothing to edit or to judge yet."""
    do = draw.choice(("pause", "edit", "judge"))
    if do == "pause":
        return Command(new_id(), "pause")
    if do == "judge":
        return Command(new_id(), "judge", draw.choice(list(state.trajectories)), 1) if state.trajectories else None
    unit = draw.choice(list(state.lanes.units))
    n = state.lanes.next(unit) - 1
    return Command(new_id(), "edit", unit, n, "I should look at the page again.") if n >= 0 else None


def kept_without_a_job(folder: RunFolder) -> float:
    """Seconds that `autoact keep` takes for a trajectory of a run whose stages are over."""
    with LogWriter(folder) as log:
        for stage in pipeline()[:3]:
            log.append(StageFinished(stage, 1))
        log.append(RunFinished())
    unit = next(iter(RunState.of(folder.events).trajectories))
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "autoact", "keep", str(folder.path), unit], check=True, capture_output=True)
    return time.monotonic() - began


def acknowledged(folder: RunFolder, command: Command) -> float:
    began = time.monotonic()
    reply = send(folder, command, timeout=PATIENCE)
    if not reply.accepted:
        print(f"refused: {command.summary}: {reply.why}")
    return time.monotonic() - began


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 240.0)
