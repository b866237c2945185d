"""The current state of a run, computed by folding its log into one object. Every viewer of a run holds one."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from contextlib import closing
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
    LossValidated,
    ModelAnswered,
    QuestionAccepted,
    QuestionInjected,
    QuestionRefused,
    QuestionSolved,
    QuestionValidated,
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
    UnitRestarted,
    VerdictCalibrated,
)
from autoact.run.record.answers import Answers
from autoact.run.record.log import Damage, LogTail, Record
from autoact.run.record.stage_state import StageState, work_before
from autoact.trajectory import Adapter, Question, Trajectory, Verdict

TURNS, LANES, CHARACTERS, COMMANDS = 8, 24, 2_000, 32
"""Limits on what is kept: turns of an unfinished episode, such episodes, characters of a turn, and commands."""


@dataclass(slots=True)
class ModelUsage:
    """The tokens and the time of the model's answers, over one stage."""

    calls: int = 0
    prompt_tokens: int = 0
    prefilled: int = 0
    """Prompt tokens that were encoded; the rest came from caches."""
    decoded: int = 0
    ms: dict[str, float] = field(default_factory=dict)
    """Milliseconds by role."""


@dataclass(slots=True)
class RunState:
    """The state of a run according to its log."""

    seq: int = -1
    """The sequence number of the last record."""
    at: float = 0.0
    """The time of that record, unix seconds."""
    gaps: int = 0
    """Number of missing sequence numbers."""
    damage: list[Damage] = field(default_factory=list)
    torn: int = 0
    """Bytes after the last good line: a line being written, or one that a crash cut short."""

    attempt: int = 0
    status: str = "new"
    """new, running, paused, finished, failed or cancelled, according to the log; the job may have died since."""
    why: str = ""
    """The reason of a pause."""
    error: str = ""
    """The reason of a failure."""
    pid: int = 0
    host: str = ""
    engine: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    """Digests of what the run read; empty in runs of earlier versions."""
    halted: set[str] = field(default_factory=set)
    """Units that a person paused."""
    begun: dict[str, Question] = field(default_factory=dict)
    """The question of each episode, by unit."""
    injected: dict[str, QuestionInjected] = field(default_factory=dict)
    """Questions that a person asked in a session, by the unit that answers each."""
    commands: deque[CommandAccepted | CommandRefused] = field(default_factory=lambda: deque(maxlen=COMMANDS))

    stage: str = ""
    """The running stage; empty between stages."""
    stages: dict[str, StageState] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    """Number of refused questions by reason."""
    selected: list[tuple[str, str]] = field(default_factory=list)
    """Names of the selected tools, each with the reason."""
    passed_over: list[tuple[str, str]] = field(default_factory=list)
    """Names of the tools not selected, each with the reason."""
    trajectories: dict[str, Trajectory] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    examples: dict[str, ExamplesBuilt] = field(default_factory=dict)
    curves: dict[str, dict[int, TrainStepped]] = field(default_factory=dict)
    """Training steps by role and number; a step repeated after a resume replaces the first."""
    validation_losses: dict[str, dict[int, float]] = field(default_factory=dict)
    """The loss on trajectories that are not learned from, by role and number of steps done."""
    checkpoints: dict[str, int] = field(default_factory=dict)
    """The last saved step by role."""
    adapters: dict[str, Adapter] = field(default_factory=dict)
    validated: list[QuestionValidated] = field(default_factory=list)
    """Answers of the group to self-made questions that nothing was trained on."""
    calibrated: VerdictCalibrated | None = None
    solved: list[QuestionSolved] = field(default_factory=list)
    unit_failures: dict[str, str] = field(default_factory=dict)

    lanes: Answers = field(default_factory=lambda: Answers(max_turns=TURNS, max_characters=CHARACTERS))
    """The last turns of the unfinished episodes, in the order in which they began; at most LANES episodes."""
    last_seq: dict[str, int] = field(default_factory=dict)
    """The sequence number of the last turn of each unit in the lanes."""
    answers: int = 0
    tokens: dict[str, ModelUsage] = field(default_factory=dict)
    """Usage by stage; answers outside any stage count under the empty name."""
    generated: Counter[str] = field(default_factory=Counter)
    """Tokens generated by unit, those of answers that became void included."""

    @classmethod
    def of(cls, path: Path) -> RunState:
        """Returns the state of a log up to now; a log that does not exist has no events."""
        with closing(LogTail(path)) as tail:
            (state := cls()).follow(tail)
            return state

    @property
    def kept(self) -> list[Trajectory]:
        """The trajectories that the filter or a person kept, in the order of the log."""
        return [one for unit, one in self.trajectories.items() if (found := self.verdicts.get(unit)) and found.kept]

    def remove_lane(self, unit: str) -> None:
        """Removes a unit from the lanes."""
        self.lanes.forget(unit)
        self.last_seq.pop(unit, None)

    def follow(self, tail: LogTail) -> int:
        """Folds the new records of `tail`, and takes over its damage. Returns the number of records."""
        count = 0
        for record in tail.poll():
            fold(self, record)
            count += 1
        self.damage, self.torn = tail.damaged, tail.torn()
        return count


def fold(state: RunState, record: Record) -> None:
    """Applies one record to the state. Types without a handler, known or not, change only `gaps`, `seq` and `at`."""
    if stage := state.stages.get(state.stage):
        stage.worked += work_before(state, record)
    state.gaps += max(0, record.seq - state.seq - 1)
    state.seq, state.at = record.seq, record.at
    handler = _HANDLERS.get(type(record.event))
    if handler is not None:
        handler(state, record.event)
    if (unit := state.lanes.take(record.event, record.at)) in state.lanes.units:
        state.last_seq[unit] = record.seq
        if len(state.lanes.units) > LANES:  # some units log no end: the one idle for longest is removed
            state.remove_lane(min(state.lanes.units, key=lambda name: state.last_seq.get(name, -1)))


# -- the run ---------------------------------------------------------------------------------------------------------


def _on_run_opened(state: RunState, event: RunOpened) -> None:
    state.attempt, state.pid, state.host, state.error = event.attempt, event.pid, event.host, ""
    state.engine, state.config, state.inputs = event.engine, event.config, event.inputs or state.inputs
    if (state.status, state.why) != ("paused", BY_A_PERSON):
        state.status, state.why = "running", ""
    _measure_pace_anew(state)


def _on_run_paused(state: RunState, event: RunPaused | RunResumed) -> None:
    state.status, state.why = ("paused", event.why) if isinstance(event, RunPaused) else ("running", "")
    _measure_pace_anew(state)


def _measure_pace_anew(state: RunState) -> None:
    if stage := state.stages.get(state.stage):
        stage.paced = state.at, stage.done


def _on_run_failed(state: RunState, event: RunFailed) -> None:
    state.status, state.error = "failed", event.error


def _on_run_ended(state: RunState, event: RunFinished | RunCancelled) -> None:
    state.status = "finished" if isinstance(event, RunFinished) else "cancelled"


def _on_command(state: RunState, event: CommandAccepted | CommandRefused) -> None:
    state.commands.append(event)
    match event:
        case CommandAccepted(do="pause" | "step", unit=unit) if unit:
            state.halted.add(unit)
        case CommandAccepted(do="resume", unit=unit):
            state.halted.difference_update({unit} if unit else set(state.halted))


def _on_question_injected(state: RunState, event: QuestionInjected) -> None:
    state.injected[event.unit] = event


def _on_stage_started(state: RunState, event: StageStarted) -> None:
    state.stage = event.stage
    state.stages[event.stage] = StageState(of=event.of, started_at=state.at, paced=(state.at, 0))
    state.lanes.units.clear()


def _on_stage_progressed(state: RunState, event: StageProgressed) -> None:
    stage = state.stages.setdefault(event.stage, StageState(started_at=state.at, paced=(state.at, 0)))
    stage.done, stage.of, stage.tried = event.done, event.of, max(stage.tried, event.tried)


def _on_stage_finished(state: RunState, event: StageFinished) -> None:
    stage = state.stages.setdefault(event.stage, StageState())
    stage.status, stage.made, stage.seconds = "finished", event.made, event.seconds
    stage.done = event.made if stage.is_carried_over else max(stage.done, stage.of)
    state.lanes.units.clear()
    if state.stage == event.stage:
        state.stage = ""


# -- lanes -----------------------------------------------------------------------------------------------------------


def _on_episode_begun(state: RunState, event: EpisodeBegun) -> None:
    state.begun[event.unit] = event.question


def _on_model_answered(state: RunState, event: ModelAnswered) -> None:
    state.answers += 1
    state.unit_failures.pop(event.unit, None)
    spent = state.tokens.setdefault(state.stage, ModelUsage())
    spent.calls += 1
    spent.prompt_tokens += event.prompt_tokens
    spent.prefilled += event.prefilled
    spent.decoded += len(event.tokens)
    state.generated[event.unit] += len(event.tokens)
    spent.ms[event.role] = spent.ms.get(event.role, 0.0) + event.ms


def _on_unit_restarted(state: RunState, event: UnitRestarted) -> None:
    """Drops the unit's outcomes, as the job's memory does."""
    for outcomes in (state.unit_failures, state.trajectories, state.verdicts):
        outcomes.pop(event.unit, None)
    state.solved = [solved for solved in state.solved if solved.trajectory.unit != event.unit]
    state.validated = [one for one in state.validated if one.trajectory.unit != event.unit]


def _on_unit_failed(state: RunState, event: UnitFailed) -> None:
    state.unit_failures[event.unit] = event.error
    state.remove_lane(event.unit)


# -- decisions and results of stages ---------------------------------------------------------------------------------


def _on_question_accepted(state: RunState, event: QuestionAccepted) -> None:
    state.questions.append(event.question)


def _on_question_refused(state: RunState, event: QuestionRefused) -> None:
    state.refused[event.why] += 1
    state.remove_lane(event.unit)


def _on_tool_selected(state: RunState, event: ToolSelected) -> None:
    state.selected.append((event.tool, event.why))


def _on_tool_passed_over(state: RunState, event: ToolPassedOver) -> None:
    state.passed_over.append((event.tool, event.why))


def _on_trajectory_committed(state: RunState, event: TrajectoryCommitted) -> None:
    unit = event.trajectory.unit
    state.trajectories[unit] = event.trajectory
    state.unit_failures.pop(unit, None)
    state.remove_lane(unit)


def _on_trajectory_judged(state: RunState, event: TrajectoryJudged) -> None:
    state.verdicts[event.verdict.unit] = event.verdict


def _on_examples_built(state: RunState, event: ExamplesBuilt) -> None:
    state.examples[event.role] = event


def _on_train_stepped(state: RunState, event: TrainStepped) -> None:
    state.curves.setdefault(event.role, {})[event.step] = event


def _on_loss_validated(state: RunState, event: LossValidated) -> None:
    state.validation_losses.setdefault(event.role, {})[event.step] = event.loss


def _on_checkpoint_saved(state: RunState, event: CheckpointSaved) -> None:
    state.checkpoints[event.role] = event.step


def _on_adapter_ready(state: RunState, event: AdapterReady) -> None:
    state.adapters[event.adapter.name] = event.adapter


def _on_question_validated(state: RunState, event: QuestionValidated) -> None:
    state.validated.append(event)
    state.unit_failures.pop(event.trajectory.unit, None)
    state.remove_lane(event.trajectory.unit)


def _on_verdict_calibrated(state: RunState, event: VerdictCalibrated) -> None:
    state.calibrated = event


def _on_question_solved(state: RunState, event: QuestionSolved) -> None:
    state.solved.append(event)
    state.unit_failures.pop(event.trajectory.unit, None)
    state.remove_lane(event.trajectory.unit)


_HANDLERS: dict[type[Event | None], Callable[[RunState, Any], None]] = {
    RunOpened: _on_run_opened,
    RunPaused: _on_run_paused,
    RunResumed: _on_run_paused,
    RunFinished: _on_run_ended,
    QuestionInjected: _on_question_injected,
    RunFailed: _on_run_failed,
    RunCancelled: _on_run_ended,
    CommandAccepted: _on_command,
    CommandRefused: _on_command,
    StageStarted: _on_stage_started,
    StageProgressed: _on_stage_progressed,
    StageFinished: _on_stage_finished,
    EpisodeBegun: _on_episode_begun,
    ModelAnswered: _on_model_answered,
    UnitRestarted: _on_unit_restarted,
    UnitFailed: _on_unit_failed,
    QuestionAccepted: _on_question_accepted,
    QuestionRefused: _on_question_refused,
    ToolSelected: _on_tool_selected,
    ToolPassedOver: _on_tool_passed_over,
    TrajectoryCommitted: _on_trajectory_committed,
    TrajectoryJudged: _on_trajectory_judged,
    ExamplesBuilt: _on_examples_built,
    TrainStepped: _on_train_stepped,
    LossValidated: _on_loss_validated,
    CheckpointSaved: _on_checkpoint_saved,
    AdapterReady: _on_adapter_ready,
    QuestionValidated: _on_question_validated,
    VerdictCalibrated: _on_verdict_calibrated,
    QuestionSolved: _on_question_solved,
}
