"""Following a run from the command line: one line of progress, then the table. The log is all it looks at."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from autoact.cli.output import printable, raw_stream
from autoact.errors import AutoActError
from autoact.run.process.exit_record import Ending, read_ending
from autoact.run.process.health import AFAR, UNREADABLE, attended, cause, doing, verdict
from autoact.run.process.launch import stop
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogTail
from autoact.run.record.state import RunState, StageState

EVERY_TERMINAL, EVERY_FILE = 0.5, 10.0
"""Seconds between progress lines on a terminal, where they overwrite each other, and in a file."""
LOOK = 0.2
"""Seconds between looks at the log."""


def follow(folder: RunFolder, show: Callable[[RunFolder], None], *, stops: bool = True) -> int:
    """Watch a run until no job and no keeper has it, then `show` what it made; the exit code to leave with.

    Ctrl-C asks the job to stop and waits for it: what it has is in the log. Unless `stops`, it only ends the watching.
    Raises AutoActError when the run failed or was interrupted.
    """
    state, tail, progress = RunState(), LogTail(folder.events), ProgressLine()
    try:
        print(printable(f"run {folder.name}"), file=sys.stderr, flush=True)
        _watch(folder, state, tail, progress)
    except KeyboardInterrupt:
        if not stops:
            print(f"\nrun {folder.name} goes on; `autoact attach {folder.path}` shows it again", file=sys.stderr)
            return 0
        stop(folder)
        _watch(folder, state, tail, progress)
        if state.status != "finished":
            return _report_stopped(folder)
    finally:
        tail.close()
    return _finish(folder, state, show)


def _watch(folder: RunFolder, state: RunState, tail: LogTail, progress: ProgressLine) -> None:
    while attended(folder) or verdict(folder, state).startswith(AFAR[0]):
        state.follow(tail)
        progress.show(state, doing=doing(folder))
        progress.tell(read_ending(folder))
        time.sleep(LOOK)
    state.follow(tail)
    progress.show(state, last=True)


def _finish(folder: RunFolder, state: RunState, show: Callable[[RunFolder], None]) -> int:
    ended = read_ending(folder)
    # The log's last word is an earlier job's when this one ended before it could say anything.
    spoke = ended is None or state.at >= ended.at - ended.seconds
    if state.status == "failed" and spoke:
        raise AutoActError(f"run {folder.name} failed: {state.error}; `autoact resume {folder.path}` tries again")
    if state.status == "cancelled" and spoke:
        return _report_stopped(folder)
    if state.status != "finished":
        found = verdict(folder, state) if spoke else "interrupted"
        why = cause(folder, state, found) or "no reason is known"
        advice = "" if found == UNREADABLE else f"; `autoact resume {folder.path}` goes on from here"
        raise AutoActError(f"run {folder.name} is {found}: {why}{advice}")
    show(folder)
    return 0


def _report_stopped(folder: RunFolder) -> int:
    print(f"\nrun {folder.name} is stopped; the same command goes on from here", file=sys.stderr)
    return 130


class ProgressLine:
    """One line that says where the run stands, with counts, rate and time left."""

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        self.shown_at = 0.0
        self.stage = ""
        self.line = ""
        self.told = 0.0

    def show(self, state: RunState, *, doing: str = "", last: bool = False) -> None:
        """Print the line when it is time, and a finished stage's line for good; before the first, what is done."""
        if state.stage != self.stage:
            if self.stage:
                self._close(state)
            self.stage = state.stage
            self.shown_at = 0.0
        every = EVERY_TERMINAL if self.terminal else EVERY_FILE
        if self.stage and (last or time.monotonic() - self.shown_at >= every):
            self.shown_at = time.monotonic()
            self._print(describe_stage(self.stage, state))
        elif doing and not self.stage:
            self._print(f"{doing} ...")

    def tell(self, ended: Ending | None) -> None:
        """Say once that a job crashed and will be started again."""
        if ended is not None and ended.again_at > self.told:
            self.told = ended.again_at
            self._print(f"the job ended, {ended.cause}; it starts again in {clock(ended.again_at - ended.at)}")
            if self.terminal:
                print(file=sys.stderr)

    def _close(self, state: RunState) -> None:
        stage = state.stages[self.stage]
        self._print(f"{self.stage}: {stage_result(self.stage, state)} in {clock(stage.seconds)}")
        if self.terminal:
            print(file=sys.stderr)

    def _print(self, line: str) -> None:
        line = printable(line)
        if self.terminal:
            raw_stream(sys.stderr).write("\r\x1b[K")
            print(line, end="", file=sys.stderr, flush=True)
        elif line != self.line:
            print(line, file=sys.stderr, flush=True)
        self.line = line


def describe_stage(name: str, state: RunState) -> str:
    """A running stage in one line."""
    stage = state.stages[name]
    if name == "differentiation":
        return f"{name}: {_training(state)}"
    parts = [f"{stage.done}/{stage.of}" if stage.of else f"{stage.done}"]
    if name == "self_instruct":
        parts += [f"{stage.tried} tried", f"{sum(state.refused.values())} refused"]
    if not stage.done and name in state.tokens:
        calls = state.tokens[name].calls
        parts.append(f"{calls} model answer{'s' if calls > 1 else ''}")
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


def stage_result(name: str, state: RunState) -> str:
    """What a finished stage made, in a few words."""
    made = state.stages[name].made
    return {
        "self_instruct": f"{made} questions accepted, {sum(state.refused.values())} refused",
        "tool_selection": ", ".join(tool for tool, _ in state.selected) or "no tool selected",
        "synthesis": f"{made} trajectories",
        "filtering": f"{made} of {len(state.verdicts)} trajectories kept",
        "differentiation": f"{made} adapters",
    }.get(name, f"{made} answers")


def clock(seconds: float) -> str:
    """Seconds as a person says them."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
