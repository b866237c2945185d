"""Following a run from the command line: one line of progress, then the table. The log is all it looks at."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

from autoact.errors import AutoActError
from autoact.run.folder import RunFolder
from autoact.run.launch import stop
from autoact.run.log import LogTail
from autoact.run.state import RunState, StageState

EVERY_TERMINAL, EVERY_FILE = 0.5, 10.0
"""Seconds between progress lines on a terminal, where they overwrite each other, and in a file."""


def follow(folder: RunFolder, job: subprocess.Popen[bytes], show: Callable[[RunFolder], None]) -> int:
    """Watch a run until its job ends, then `show` what it made; the exit code to leave with.

    Ctrl-C asks the job to stop and waits for it: what it has is in the log. Raises AutoActError when it failed.
    """
    state, tail = RunState(), LogTail(folder.events)
    progress = Progress(folder)
    try:
        while job.poll() is None:
            state.follow(tail)
            progress.show(state)
            time.sleep(0.2)
    except KeyboardInterrupt:
        stop(folder)
        job.wait()
    state.follow(tail)
    progress.show(state, last=True)
    return _ended(folder, state, show)


def _ended(folder: RunFolder, state: RunState, show: Callable[[RunFolder], None]) -> int:
    if state.status == "failed":
        raise AutoActError(f"run {folder.name} failed: {state.error}")
    if state.status == "cancelled":
        print(f"\nrun {folder.name} is stopped; the same command goes on from here", file=sys.stderr)
        return 130
    if state.status != "finished":
        last = folder.console.read_text(errors="replace").strip().splitlines()[-1:] if folder.console.exists() else []
        raise AutoActError(
            f"run {folder.name} ended without a word: {' '.join(last)}; the same command goes on from here"
        )
    show(folder)
    return 0


class Progress:
    """One line that says where the run stands, with counts, rate and time left."""

    def __init__(self, folder: RunFolder):
        self.terminal = sys.stderr.isatty()
        self.shown_at = 0.0
        self.stage = ""
        self.line = ""
        print(f"run {folder.name}", file=sys.stderr, flush=True)

    def show(self, state: RunState, *, last: bool = False) -> None:
        """Print the line when it is time, and a finished stage's line for good."""
        if state.stage != self.stage:
            if self.stage:
                self._close(state)
            self.stage = state.stage
            self.shown_at = 0.0
        every = EVERY_TERMINAL if self.terminal else EVERY_FILE
        if self.stage and (last or time.monotonic() - self.shown_at >= every):
            self.shown_at = time.monotonic()
            self._print(describe(self.stage, state))

    def _close(self, state: RunState) -> None:
        stage = state.stages[self.stage]
        self._print(f"{self.stage}: {outcome(self.stage, state)} in {clock(stage.seconds)}")
        if self.terminal:
            print(file=sys.stderr)

    def _print(self, line: str) -> None:
        if self.terminal:
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
        elif line != self.line:
            print(line, file=sys.stderr, flush=True)
        self.line = line


def describe(name: str, state: RunState) -> str:
    """A running stage in one line."""
    stage = state.stages[name]
    if name == "differentiation":
        return f"{name}: {_training(state)}"
    parts = [f"{stage.done}/{stage.of}" if stage.of else f"{stage.done}"]
    if name == "self_instruct":
        parts.append(f"{sum(state.refused.values())} refused")
    rate, left = pace(stage, state.at)
    if rate:
        parts += [f"{rate:.1f}/min", f"{clock(left)} left"] if left else [f"{rate:.1f}/min"]
    return f"{name}: " + ", ".join(parts)


def _training(state: RunState) -> str:
    for role, built in reversed(state.examples.items()):
        curve = state.curves.get(role)
        if not curve:
            return f"{role}-agent, {built.trajectories} trajectories"
        step = curve[max(curve)]
        left = (step.of - step.step - 1) * sum(one.ms for one in curve.values()) / len(curve) / 1000
        return f"{role}-agent, step {step.step + 1}/{step.of}, loss {step.loss:.3f}, {clock(left)} left for it"
    return "preparing"


def pace(stage: StageState, now: float) -> tuple[float, float]:
    """Results a minute, and seconds left at that rate (0 when unknown)."""
    spent = max(1e-9, now - stage.started_at)
    if not stage.done or spent < 1:
        return 0.0, 0.0
    rate = stage.done / spent
    return 60 * rate, max(0, stage.of - stage.done) / rate


def outcome(name: str, state: RunState) -> str:
    """What a finished stage made, in a few words."""
    made = state.stages[name].made
    return {
        "self_instruct": f"{made} questions accepted, {sum(state.refused.values())} refused",
        "tool_selection": ", ".join(tool for tool, _ in state.selected) or "no tool selected",
        "synthesis": f"{made} trajectories",
        "filtering": f"{made} of {len(state.verdicts)} trajectories kept",
        "differentiation": f"{made} adapters",
        "group_planning": f"{made} answers",
    }[name]


def clock(seconds: float) -> str:
    """Seconds as a person says them."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
