"""Follows a run on the command line from its log: a line of progress, then the results."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from statistics import fmean

from autoact.cli.output import printable, raw_stream
from autoact.errors import AutoActError
from autoact.events import QuestionSolved
from autoact.lab.duration import format_duration
from autoact.registry.stages import DIFFERENTIATION, GROUP_PLANNING, STAGES
from autoact.run.process.exit_record import Ending, read_ending
from autoact.run.process.health import ELSEWHERE, UNREADABLE, cause, is_active, read_activity, verdict
from autoact.run.process.launch import stop
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogTail
from autoact.run.record.stage_state import StageState
from autoact.run.record.state import RunState
from autoact.script import is_fork

EVERY_TERMINAL, EVERY_FILE, EVERY_ANSWERS = 0.5, 10.0, 60.0
"""Seconds between progress lines on a terminal, where each replaces the last, in a file, and there in group planning,
which has a line for each method too."""
LOOK = 0.2
"""Seconds between two reads of the log."""


def follow(folder: RunFolder, show: Callable[[RunFolder], None], *, stops: bool = True) -> int:
    """Watches a run until no job and no keeper has it, then calls `show`; returns the command's exit code.

    Ctrl-C asks the job to stop and waits for it; without `stops` it only ends the command. Raises AutoActError when the
    run failed or was interrupted.
    """
    state, tail, progress = RunState(), LogTail(folder.events), ProgressLine()
    try:
        print(printable(f"run {folder.name}"), file=sys.stderr, flush=True)
        _watch(folder, state, tail, progress)
    except KeyboardInterrupt:
        if not stops:
            print(f"\nrun {folder.name} is still running; `autoact attach {folder.path}` shows it", file=sys.stderr)
            return 0
        stop(folder)
        _watch(folder, state, tail, progress)
        if state.status != "finished":
            return _report_stopped(folder)
    finally:
        tail.close()
    return _finish(folder, state, show)


def _watch(folder: RunFolder, state: RunState, tail: LogTail, progress: ProgressLine) -> None:
    while is_active(folder) or verdict(folder, state).startswith(ELSEWHERE[0]):
        state.follow(tail)
        progress.show(state, doing=read_activity(folder))
        progress.report_crash(read_ending(folder))
        time.sleep(LOOK)
    state.follow(tail)
    progress.show(state, last=True)


def _finish(folder: RunFolder, state: RunState, show: Callable[[RunFolder], None]) -> int:
    ended = read_ending(folder)
    # If the last job ended before it logged anything, the status in the log is that of an earlier job.
    is_current = ended is None or state.at >= ended.at - ended.seconds
    if state.status == "failed" and is_current:
        raise AutoActError(f"run {folder.name} failed: {state.error}; `autoact resume {folder.path}` tries again")
    if state.status == "cancelled" and is_current:
        return _report_stopped(folder)
    if state.status != "finished":
        found = verdict(folder, state) if is_current else "interrupted"
        why = cause(folder, state, found) or "the reason is unknown"
        advice = "" if found == UNREADABLE else f"; `autoact resume {folder.path}` resumes it"
        raise AutoActError(f"run {folder.name} is {found}: {why}{advice}")
    show(folder)
    return 0


def _report_stopped(folder: RunFolder) -> int:
    print(f"\nrun {folder.name} is stopped; the same command resumes it", file=sys.stderr)
    return 130


class ProgressLine:
    """The line of progress: stage, counts, rate and time left."""

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        self.shown_at = 0.0
        self.stage = ""
        self.line = ""
        self.methods = 0
        """Number of methods whose scores were printed."""
        self.reported = 0.0
        """Time of the last restart that was reported, unix seconds."""

    def show(self, state: RunState, *, doing: str = "", last: bool = False) -> None:
        """Prints the line when it is due, and a last line for a finished stage or method; before the first stage,
        `doing`."""
        if state.stage != self.stage:
            if self.stage:
                self._close(state)
            self.stage = state.stage
            self.shown_at = 0.0
        if self.stage == GROUP_PLANNING:
            self._report_methods(state, ended=False)
        if self.stage and (last or time.monotonic() - self.shown_at >= self._pause):
            self.shown_at = time.monotonic()
            self._print(describe_stage(self.stage, state))
        elif doing and not self.stage:
            self._print(f"{doing} ...")

    @property
    def _pause(self) -> float:
        if self.terminal:
            return EVERY_TERMINAL
        return EVERY_ANSWERS if self.stage == GROUP_PLANNING else EVERY_FILE

    def report_crash(self, ended: Ending | None) -> None:
        """Prints once that a job crashed and will be restarted."""
        if ended is not None and ended.again_at > self.reported:
            self.reported = ended.again_at
            wait = format_duration(ended.again_at - ended.at)
            self._print(f"the job ended, {ended.cause}; it is restarted in {wait}", stays=True)

    def _report_methods(self, state: RunState, *, ended: bool) -> None:
        """Prints the scores of each method that has answered all its questions: all methods once the stage has ended,
        else all but the last one."""
        methods = list(dict.fromkeys(one.cast for one in state.solved))
        for name in methods[self.methods : None if ended else -1]:
            self.methods += 1
            self._print(describe_method([one for one in state.solved if one.cast == name]), stays=True)

    def _close(self, state: RunState) -> None:
        stage = state.stages[self.stage]
        if self.stage == GROUP_PLANNING:
            self._report_methods(state, ended=True)
        self._print(f"{self.stage}: {stage_result(self.stage, state)} in {format_duration(stage.seconds)}", stays=True)

    def _print(self, line: str, *, stays: bool = False) -> None:
        """Prints a line, which on a terminal replaces the last one unless that `stays`."""
        line = printable(line)
        if self.terminal:
            raw_stream(sys.stderr).write("\r\x1b[K")
            print(line, end="\n" if stays else "", file=sys.stderr, flush=True)
        elif line != self.line:
            print(line, file=sys.stderr, flush=True)
        self.line = line


def describe_stage(name: str, state: RunState) -> str:
    """Returns the progress of a running stage in one line."""
    stage = state.stages[name]
    if name == DIFFERENTIATION:
        return f"{name}: {_training(state)}"
    parts = [f"{stage.done}/{stage.of}" if stage.of else f"{stage.done}"]
    if name in STAGES and (details := STAGES.get(name).details):
        parts.append(details(state))
    if not stage.done and name in state.tokens:
        calls = state.tokens[name].calls
        parts.append(f"{calls} model answer{'s' if calls > 1 else ''}")
    rate, left = pace(stage, state.at)
    if rate:
        parts += [f"{rate:.1f}/min", f"{format_duration(left)} left"] if left else [f"{rate:.1f}/min"]
    return f"{name}: " + ", ".join(parts)


def describe_method(solved: Sequence[QuestionSolved]) -> str:
    """Returns the answers of one method in one line: their number, mean scores if they are scored, and mean tokens."""
    answers = [one for one in solved if not is_fork(one.trajectory.unit)]
    scored = [one for one in answers if one.scored]
    parts = [f"{len(answers)} answer{'' if len(answers) == 1 else 's'}"]
    if scored:
        success, mean = ("won", "score") if scored[0].trajectory.question.played else ("EM", "F1")
        parts.append(f"{mean} {100 * fmean(one.f1 for one in scored):.1f}")
        parts.append(f"{success} {100 * fmean(one.em for one in scored):.1f}")
    if answers:
        parts.append(f"{fmean(one.tokens for one in answers):.0f} tokens each")
    return f"{solved[0].cast}: {', '.join(parts)}"


def _training(state: RunState) -> str:
    if state.validated:
        return f"{len(state.validated)} validation answers"
    for role, built in reversed(state.examples.items()):
        curve = state.curves.get(role)
        if not curve:
            return f"{role}-agent, {built.trajectories} trajectories"
        step = curve[max(curve)]
        left = (step.of - step.step - 1) * sum(one.ms for one in curve.values()) / len(curve) / 1000
        return f"{role}-agent, step {step.step + 1}/{step.of}, loss {step.loss:.3f}, {format_duration(left)} left"
    return "preparing"


def pace(stage: StageState, now: float) -> tuple[float, float]:
    """Returns results per minute, and seconds left at that rate (0 when unknown)."""
    spent, done = max(1e-9, now - stage.paced[0]), stage.done - stage.paced[1]
    if not done or spent < 1:
        return 0.0, 0.0
    rate = done / spent
    return 60 * rate, max(0, stage.of - stage.done) / rate


def stage_result(name: str, state: RunState) -> str:
    """Returns the results of a finished stage in a few words."""
    stage, made = STAGES.get(name) if name in STAGES else None, state.stages[name].made
    if stage is None:
        return f"{made} results"
    return stage.outcome(state) if stage.outcome else f"{made} {stage.nouns}"
