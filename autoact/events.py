"""What can happen in a run, in the past tense, and its JSON.

An event is a frozen type with a tag. The log adds version, sequence, time and seal around it (run/record/log.py). Three
classes of durability: *promised* events are on disk before anyone is told; *written* ones survive a crash of the
process; *spoken* ones (tokens as they stream) go to a side file that may be deleted.
"""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct, field

from autoact.trajectory import Adapter, Count, Quantity, Question, StepNumber, Trajectory, Verdict


class Event(Struct, frozen=True, tag_field="type", omit_defaults=True):
    """The parent of everything that can happen."""

    promised: ClassVar[bool] = False


# -- the run ---------------------------------------------------------------------------------------------------------


class RunOpened(Event, frozen=True, tag="run.opened"):
    """A job took the run. `attempt` counts from 1 over the life of the run."""

    promised: ClassVar[bool] = True
    attempt: Count
    pid: Count
    host: str
    engine: str = ""
    config: dict[str, Any] = {}


class RunRecovered(Event, frozen=True, tag="run.recovered"):
    """Opening the log moved `torn` bytes aside and found `damaged` places it kept."""

    promised: ClassVar[bool] = True
    torn: Count
    damaged: list[str] = []


BY_A_PERSON = "by a person"
"""Why a run is paused that stays so when its job dies; other pauses end with the job."""


class RunPaused(Event, frozen=True, tag="run.paused"):
    """Work stands still until it is resumed; the job lives."""

    promised: ClassVar[bool] = True
    why: str


class RunResumed(Event, frozen=True, tag="run.resumed"):
    """Work goes on after a pause."""


class RunFinished(Event, frozen=True, tag="run.finished"):
    """Every stage that was asked for is done."""

    promised: ClassVar[bool] = True


class RunFailed(Event, frozen=True, tag="run.failed"):
    """The job ended with an error it could not turn into data."""

    promised: ClassVar[bool] = True
    error: str


class RunCancelled(Event, frozen=True, tag="run.cancelled"):
    """A person stopped the job; the run can be resumed."""

    promised: ClassVar[bool] = True


class StageStarted(Event, frozen=True, tag="stage.started"):
    """A stage began; `of` is the work it expects, 0 when it cannot know."""

    promised: ClassVar[bool] = True
    stage: str
    of: Count = 0


class StageProgressed(Event, frozen=True, tag="stage.progressed"):
    """How far the stage is, in units of its own."""

    stage: str
    done: Count
    of: Count
    tried: Count = 0
    """Drafts that were written, in a stage that judges them only later; 0 in others."""


class StageFinished(Event, frozen=True, tag="stage.finished"):
    """A stage is complete; `made` counts what it leaves behind."""

    promised: ClassVar[bool] = True
    stage: str
    made: Count
    seconds: Quantity = 0.0


# -- people ----------------------------------------------------------------------------------------------------------


class CommandAccepted(Event, frozen=True, tag="command.accepted"):
    """A person's command took effect."""

    promised: ClassVar[bool] = True
    id: str
    do: str
    unit: str = ""
    n: int = -1
    by: str = ""


class CommandRefused(Event, frozen=True, tag="command.refused"):
    """A person's command could not take effect."""

    id: str
    why: str


class AnswerEdited(Event, frozen=True, tag="answer.edited"):
    """A person replaced answer `n` of `unit`; the last edit stands."""

    promised: ClassVar[bool] = True
    unit: str
    n: Count
    text: str
    by: str = ""


class UnitForked(Event, frozen=True, tag="unit.forked"):
    """A new unit begins with the first `at` answers of another, edits included, and goes on by itself."""

    promised: ClassVar[bool] = True
    unit: str
    of: str
    at: Count
    command: str = ""
    """Id of the command that wanted it."""


class QuestionInjected(Event, frozen=True, tag="question.injected"):
    """A person put a question into a live session; `unit` is the episode that answers it."""

    promised: ClassVar[bool] = True
    unit: str
    question: Question
    cast: str
    command: str = ""


# -- units, and what the world answers them --------------------------------------------------------------------------


class EpisodeBegun(Event, frozen=True, tag="episode.begun"):
    """An episode sets out to answer a question. One that a person asked was told with its command."""

    unit: str
    question: Question


class ModelAnswered(Event, frozen=True, tag="model.answered"):
    """Answer `n` of `unit`, with the digest of what was asked."""

    unit: str
    n: Count
    ask: str
    role: str
    part: str
    text: str
    tokens: tuple[int, ...] = ()
    """Token ids as generated, stop included."""
    prompt_tokens: Count = 0
    prefilled: Count = 0
    ms: Quantity = 0.0


class ToolObserved(Event, frozen=True, tag="tool.observed"):
    """The observation of a tool call as answer `n` of `unit`."""

    unit: str
    n: Count
    ask: str
    tool: str
    argument: str
    text: str
    failed: bool = False
    ms: Quantity = 0.0
    over: bool = False
    """Whether the environment ended the episode."""
    reward: Quantity = 0.0
    """The environment's, where it ended the episode."""


SKIPPED = "skipped by a person"
"""The error of a unit that a person ended."""


class UnitFailed(Event, frozen=True, tag="unit.failed"):
    """A unit ended with an error; the run goes on without it."""

    unit: str
    error: str


class UnitRestarted(Event, frozen=True, tag="unit.restarted"):
    """A recorded answer no longer fits what is asked (prompt or code changed); asked anew from `n` on."""

    unit: str
    n: Count
    why: str


# -- what the stages decide ------------------------------------------------------------------------------------------


class QuestionAccepted(Event, frozen=True, tag="question.accepted"):
    """Self-instruct: a question joins the practice set."""

    question: Question


class QuestionRefused(Event, frozen=True, tag="question.refused"):
    """Self-instruct: what the model wrote was not good enough, and why."""

    unit: str
    question: str = field(name="text")
    """In logs of earlier programs the answer follows it after ` / `, and the event has none."""
    why: str
    answer: str | None = None

    @property
    def pair(self) -> tuple[str, str]:
        """Question and answer."""
        if self.answer is not None:
            return self.question, self.answer
        question, divider, answer = self.question.rpartition(" / ")
        return (question, answer) if divider else (self.question, "")


class ToolSelected(Event, frozen=True, tag="tool.selected"):
    """Tool selection: the meta-agent wants this tool, for the reason it gave."""

    tool: str
    why: str


class ToolPassedOver(Event, frozen=True, tag="tool.passed_over"):
    """Tool selection: this tool stays out, and why."""

    tool: str
    why: str


class TrajectoryCommitted(Event, frozen=True, tag="trajectory.committed"):
    """Synthesis: an episode came to its end."""

    promised: ClassVar[bool] = True
    trajectory: Trajectory


class TrajectoryJudged(Event, frozen=True, tag="trajectory.judged"):
    """Filtering: kept or refused. Cheap to compute again, hence not promised one by one."""

    verdict: Verdict


class ExamplesBuilt(Event, frozen=True, tag="examples.built"):
    """Differentiation: what one sub-agent will learn from."""

    role: str
    trajectories: Count
    spans: Count
    """Published-recipe samples these trajectories stand for."""
    tokens: Count
    """Tokens that carry loss."""


class TrainStepped(Event, frozen=True, tag="train.stepped"):
    """One optimiser step of one adapter. `loss` is nats per loss-bearing token of this step."""

    role: str
    step: StepNumber
    of: StepNumber
    loss: float
    lr: float
    grad_norm: float
    tokens: Count
    ms: Quantity


class CheckpointSaved(Event, frozen=True, tag="checkpoint.saved"):
    """A checkpoint is whole on disk."""

    promised: ClassVar[bool] = True
    role: str
    step: Count
    sha256: str


class CheckpointSkipped(Event, frozen=True, tag="checkpoint.skipped"):
    """A resumed training passed over a checkpoint that is damaged, and why; it goes on from an older one."""

    role: str
    step: Count
    why: str


class AdapterReady(Event, frozen=True, tag="adapter.ready"):
    """A sub-agent is trained."""

    promised: ClassVar[bool] = True
    adapter: Adapter


class QuestionSolved(Event, frozen=True, tag="question.solved"):
    """Group planning: a question answered by a cast, with its score when the gold answer is known."""

    promised: ClassVar[bool] = True
    cast: str
    trajectory: Trajectory
    em: Quantity = 0.0
    f1: Quantity = 0.0
    scored: bool = False
    seconds: Quantity = 0.0
    tokens: Count = 0
    """Prompt tokens encoded plus tokens generated."""


# -- spoken ----------------------------------------------------------------------------------------------------------


class TokenSpoken(Event, frozen=True, tag="token.spoken"):
    """Text of an answer as it streams; meaningless once the answer is logged."""

    unit: str
    n: Count
    part: str
    text: str
    start: Count = 0
    """Letters of the answer that come before this piece; what was told from there on is void."""


AnyEvent = (
    RunOpened | RunRecovered | RunPaused | RunResumed | RunFinished | RunFailed | RunCancelled
    | StageStarted | StageProgressed | StageFinished
    | CommandAccepted | CommandRefused | AnswerEdited | UnitForked | QuestionInjected
    | EpisodeBegun | ModelAnswered | ToolObserved | UnitFailed | UnitRestarted
    | QuestionAccepted | QuestionRefused | ToolSelected | ToolPassedOver
    | TrajectoryCommitted | TrajectoryJudged | ExamplesBuilt | TrainStepped | CheckpointSaved
    | CheckpointSkipped | AdapterReady
    | QuestionSolved | TokenSpoken
)  # fmt: skip
