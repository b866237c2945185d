"""What a run looks like now: its log folded into one object. Everyone who watches a run holds one of these."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autoact.events import (
    BY_A_PERSON,
    AdapterReady,
    CheckpointSaved,
    CommandAccepted,
    CommandRefused,
    EpisodeBegun,
    Event,
    ExamplesBuilt,
    ModelAnswered,
    QuestionAccepted,
    QuestionInjected,
    QuestionRefused,
    QuestionSolved,
    RunCancelled,
    RunFailed,
    RunFinished,
    RunOpened,
    RunPaused,
    RunResumed,
    StageFinished,
    StageProgressed,
    StageStarted,
    ToolPassedOver,
    ToolSelected,
    TrainStepped,
    TrajectoryCommitted,
    TrajectoryJudged,
    UnitFailed,
    UnitForked,
    UnitRestarted,
)
from autoact.run.record.answers import Answers
from autoact.run.record.log import Damage, LogTail, Record
from autoact.trajectory import Adapter, Question, Trajectory, Verdict

TURNS, LANES, LETTERS, COMMANDS = 8, 24, 2_000, 32
"""Limits on the turns of an episode in flight, on such episodes, on the characters of a turn, and on commands."""


@dataclass(slots=True)
class StageState:
    """How far one stage is."""

    of: int = 0
    """Work expected; 0 when the stage cannot know."""
    done: int = 0
    made: int = 0
    """What it left behind; known when it is finished."""
    status: str = "running"
    """running or finished."""
    seconds: float = 0.0
    started_at: float = 0.0
    """Unix seconds."""
    tried: int = 0
    """Drafts that were written, in a stage that judges them only later."""


@dataclass(slots=True)
class Spent:
    """What the model's answers cost, over one stage."""

    calls: int = 0
    prompt_tokens: int = 0
    prefilled: int = 0
    """Prompt tokens that had to be encoded; the rest came from caches."""
    decoded: int = 0
    ms: dict[str, float] = field(default_factory=dict)
    """Milliseconds by role."""


@dataclass(slots=True)
class RunState:
    """A run as its log tells it."""

    seq: int = -1
    """Of the last record folded."""
    at: float = 0.0
    """When that happened, unix seconds."""
    gaps: int = 0
    """How many sequence numbers were never seen."""
    damage: list[Damage] = field(default_factory=list)
    torn: int = 0
    """Bytes after the last good line: a line in the making, or cut short by a crash."""

    attempt: int = 0
    status: str = "new"
    """new, running, paused, finished, failed or cancelled: the last word of the log, be the job alive or not."""
    why: str = ""
    """The reason of a pause."""
    error: str = ""
    """The reason of a failure."""
    pid: int = 0
    host: str = ""
    engine: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    halted: set[str] = field(default_factory=set)
    """Units that a person keeps from going on."""
    forks: dict[str, UnitForked] = field(default_factory=dict)
    """The tree of forks: by the fork's name."""
    begun: dict[str, Question] = field(default_factory=dict)
    """What each episode set out to answer, by unit."""
    injected: dict[str, QuestionInjected] = field(default_factory=dict)
    """Questions a person put into a session, by the unit that answers each."""
    commands: deque[CommandAccepted | CommandRefused] = field(default_factory=lambda: deque(maxlen=COMMANDS))

    stage: str = ""
    """The stage at work; empty between stages."""
    stages: dict[str, StageState] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    """Refused questions by reason."""
    selected: list[tuple[str, str]] = field(default_factory=list)
    """Tool and why."""
    passed_over: list[tuple[str, str]] = field(default_factory=list)
    trajectories: dict[str, Trajectory] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    examples: dict[str, ExamplesBuilt] = field(default_factory=dict)
    curves: dict[str, dict[int, TrainStepped]] = field(default_factory=dict)
    """By role and step; a step done again after a resume stands in place of the first."""
    checkpoints: dict[str, int] = field(default_factory=dict)
    """Last saved step by role."""
    adapters: dict[str, Adapter] = field(default_factory=dict)
    solved: list[QuestionSolved] = field(default_factory=list)
    unit_failures: dict[str, str] = field(default_factory=dict)

    lanes: Answers = field(default_factory=lambda: Answers(last=TURNS, letters=LETTERS))
    """The last turns of the episodes in flight, in the order in which they began; at most LANES episodes."""
    moved: dict[str, int] = field(default_factory=dict)
    """By unit in the lanes: the event of its last turn."""
    answers: int = 0
    tokens: dict[str, Spent] = field(default_factory=dict)
    """By stage; what was answered outside any stage is under the empty name."""

    @classmethod
    def of(cls, path: Path) -> RunState:
        """The state of a log as it is now; that of no events when there is no file."""
        state, tail = cls(), LogTail(path)
        try:
            state.follow(tail)
        finally:
            tail.close()
        return state

    def leave(self, unit: str) -> None:
        """Takes a unit out of the lanes."""
        self.lanes.forget(unit)
        self.moved.pop(unit, None)

    def follow(self, tail: LogTail) -> int:
        """Fold what `tail` has to give, its damage included; how many records that was."""
        count = 0
        for record in tail.poll():
            fold(self, record)
            count += 1
        self.damage, self.torn = tail.damaged, tail.torn()
        return count


def fold(state: RunState, record: Record) -> None:
    """Let one record change the state. Types without a handler, known or not, only move `seq` and `at`."""
    state.gaps += max(0, record.seq - state.seq - 1)
    state.seq, state.at = record.seq, record.at
    handler = _HANDLERS.get(type(record.event))
    if handler is not None:
        handler(state, record.event)
    if (unit := state.lanes.take(record.event, record.at)) in state.lanes.units:
        state.moved[unit] = record.seq
        if len(state.lanes.units) > LANES:  # not every unit says when it is done: the one silent longest makes room
            state.leave(min(state.lanes.units, key=lambda name: state.moved.get(name, -1)))


# -- the run ---------------------------------------------------------------------------------------------------------


def _opened(state: RunState, event: RunOpened) -> None:
    state.attempt, state.pid, state.host = event.attempt, event.pid, event.host
    state.engine, state.config, state.error = event.engine, event.config, ""
    if (state.status, state.why) != ("paused", BY_A_PERSON):
        state.status, state.why = "running", ""


def _paused(state: RunState, event: RunPaused | RunResumed) -> None:
    state.status, state.why = ("paused", event.why) if isinstance(event, RunPaused) else ("running", "")


def _failed(state: RunState, event: RunFailed) -> None:
    state.status, state.error = "failed", event.error


def _ended(state: RunState, event: RunFinished | RunCancelled) -> None:
    state.status = "finished" if isinstance(event, RunFinished) else "cancelled"


def _commanded(state: RunState, event: CommandAccepted | CommandRefused) -> None:
    state.commands.append(event)
    match event:
        case CommandAccepted(do="pause" | "step", unit=unit) if unit:
            state.halted.add(unit)
        case CommandAccepted(do="resume", unit=unit):
            state.halted.difference_update({unit} if unit else set(state.halted))


def _forked(state: RunState, event: UnitForked) -> None:
    state.forks[event.unit] = event


def _injected(state: RunState, event: QuestionInjected) -> None:
    state.injected[event.unit] = event


def _stage_started(state: RunState, event: StageStarted) -> None:
    state.stage = event.stage
    state.stages[event.stage] = StageState(of=event.of, started_at=state.at)
    state.lanes.units.clear()


def _stage_progressed(state: RunState, event: StageProgressed) -> None:
    stage = state.stages.setdefault(event.stage, StageState(started_at=state.at))
    stage.done, stage.of, stage.tried = event.done, event.of, max(stage.tried, event.tried)


def _stage_finished(state: RunState, event: StageFinished) -> None:
    stage = state.stages.setdefault(event.stage, StageState())
    stage.status, stage.made, stage.seconds = "finished", event.made, event.seconds
    stage.done = max(stage.done, stage.of)
    state.lanes.units.clear()
    if state.stage == event.stage:
        state.stage = ""


# -- lanes -----------------------------------------------------------------------------------------------------------


def _begun(state: RunState, event: EpisodeBegun) -> None:
    state.begun[event.unit] = event.question


def _answered(state: RunState, event: ModelAnswered) -> None:
    state.answers += 1
    state.unit_failures.pop(event.unit, None)
    spent = state.tokens.setdefault(state.stage, Spent())
    spent.calls += 1
    spent.prompt_tokens += event.prompt_tokens
    spent.prefilled += event.prefilled
    spent.decoded += len(event.tokens)
    spent.ms[event.role] = spent.ms.get(event.role, 0.0) + event.ms


def _restarted(state: RunState, event: UnitRestarted) -> None:
    """What the unit led to is void with its answers, as it is in the job's memory."""
    for outcomes in (state.unit_failures, state.trajectories, state.verdicts):
        outcomes.pop(event.unit, None)
    state.solved = [solved for solved in state.solved if solved.trajectory.unit != event.unit]


def _unit_failed(state: RunState, event: UnitFailed) -> None:
    state.unit_failures[event.unit] = event.error
    state.leave(event.unit)


# -- what the stages decide ------------------------------------------------------------------------------------------


def _question_accepted(state: RunState, event: QuestionAccepted) -> None:
    state.questions.append(event.question)


def _question_refused(state: RunState, event: QuestionRefused) -> None:
    state.refused[event.why] += 1
    state.leave(event.unit)


def _tool_selected(state: RunState, event: ToolSelected) -> None:
    state.selected.append((event.tool, event.why))


def _tool_passed_over(state: RunState, event: ToolPassedOver) -> None:
    state.passed_over.append((event.tool, event.why))


def _committed(state: RunState, event: TrajectoryCommitted) -> None:
    unit = event.trajectory.unit
    state.trajectories[unit] = event.trajectory
    state.unit_failures.pop(unit, None)
    state.leave(unit)


def _judged(state: RunState, event: TrajectoryJudged) -> None:
    state.verdicts[event.verdict.unit] = event.verdict


def _examples_built(state: RunState, event: ExamplesBuilt) -> None:
    state.examples[event.role] = event


def _stepped(state: RunState, event: TrainStepped) -> None:
    state.curves.setdefault(event.role, {})[event.step] = event


def _checkpoint_saved(state: RunState, event: CheckpointSaved) -> None:
    state.checkpoints[event.role] = event.step


def _adapter_ready(state: RunState, event: AdapterReady) -> None:
    state.adapters[event.adapter.name] = event.adapter


def _solved(state: RunState, event: QuestionSolved) -> None:
    state.solved.append(event)
    state.unit_failures.pop(event.trajectory.unit, None)
    state.leave(event.trajectory.unit)


_HANDLERS: dict[type[Event | None], Callable[[RunState, Any], None]] = {
    RunOpened: _opened,
    RunPaused: _paused,
    RunResumed: _paused,
    RunFinished: _ended,
    UnitForked: _forked,
    QuestionInjected: _injected,
    RunFailed: _failed,
    RunCancelled: _ended,
    CommandAccepted: _commanded,
    CommandRefused: _commanded,
    StageStarted: _stage_started,
    StageProgressed: _stage_progressed,
    StageFinished: _stage_finished,
    EpisodeBegun: _begun,
    ModelAnswered: _answered,
    UnitRestarted: _restarted,
    UnitFailed: _unit_failed,
    QuestionAccepted: _question_accepted,
    QuestionRefused: _question_refused,
    ToolSelected: _tool_selected,
    ToolPassedOver: _tool_passed_over,
    TrajectoryCommitted: _committed,
    TrajectoryJudged: _judged,
    ExamplesBuilt: _examples_built,
    TrainStepped: _stepped,
    CheckpointSaved: _checkpoint_saved,
    AdapterReady: _adapter_ready,
    QuestionSolved: _solved,
}
