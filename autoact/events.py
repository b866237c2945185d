"""The events of a run, named in the past tense, as they are stored in its log.

An event is a frozen type with a tag. The log adds version, sequence number, time and checksum (run/record/log.py).
There are three classes of durability: *promised* events are on disk before anyone is notified; other events survive a
crash of the process; streamed text (`TokenSpoken`) goes to a separate file that may be deleted.
"""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct, field

from autoact.trajectory import Adapter, Count, Quantity, Question, StepNumber, Trajectory, Verdict, VerdictQuality


class Event(Struct, frozen=True, tag_field="type", omit_defaults=True):
    """The base class of all events."""

    promised: ClassVar[bool] = False
    """True if the event must be on disk before anyone is notified of it."""


# -- the run ---------------------------------------------------------------------------------------------------------


class RunOpened(Event, frozen=True, tag="run.opened"):
    """A job opened the run. `attempt` counts the jobs of the run from 1."""

    promised: ClassVar[bool] = True
    attempt: Count
    pid: Count
    host: str
    engine: str = ""
    config: dict[str, Any] = {}
    inputs: dict[str, str] = {}
    """Digests of what the run reads, by name: corpus, tools, prompts, model; empty until they are open."""


class RunRecovered(Event, frozen=True, tag="run.recovered"):
    """The log was repaired when it was opened: `torn` bytes were moved aside, `damaged` lines were found and kept."""

    promised: ClassVar[bool] = True
    torn: Count
    damaged: list[str] = []


BY_A_PERSON = "by a person"
"""The reason of a pause that outlasts the job; other pauses end with it."""


class RunPaused(Event, frozen=True, tag="run.paused"):
    """Work was paused; the job keeps running."""

    promised: ClassVar[bool] = True
    why: str


class RunResumed(Event, frozen=True, tag="run.resumed"):
    """Work continued after a pause."""


class RunFinished(Event, frozen=True, tag="run.finished"):
    """Every stage of the run's settings finished."""

    promised: ClassVar[bool] = True


class RunFailed(Event, frozen=True, tag="run.failed"):
    """The job ended with an error."""

    promised: ClassVar[bool] = True
    error: str


class RunCancelled(Event, frozen=True, tag="run.cancelled"):
    """A person stopped the job; the run can be resumed."""

    promised: ClassVar[bool] = True


class StageStarted(Event, frozen=True, tag="stage.started"):
    """A stage began; `of` is the number of results that it expects, 0 if unknown."""

    promised: ClassVar[bool] = True
    stage: str
    of: Count = 0


class StageProgressed(Event, frozen=True, tag="stage.progressed"):
    """A stage made progress: `done` of `of` results."""

    stage: str
    done: Count
    of: Count
    tried: Count = 0
    """Drafts written, in a stage that judges them later; 0 in others."""


class StageFinished(Event, frozen=True, tag="stage.finished"):
    """A stage finished; `made` is the number of its results."""

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
    """A person replaced answer `n` of `unit`; the last edit counts."""

    promised: ClassVar[bool] = True
    unit: str
    n: Count
    text: str
    by: str = ""


class UnitForked(Event, frozen=True, tag="unit.forked"):
    """A unit was forked: the new one begins with the first `at` answers of `of`, edits included."""

    promised: ClassVar[bool] = True
    unit: str
    of: str
    at: Count
    command: str = ""
    """Id of the command."""


class QuestionInjected(Event, frozen=True, tag="question.injected"):
    """A person asked a question in a live session; `unit` is the episode that answers it."""

    promised: ClassVar[bool] = True
    unit: str
    question: Question
    cast: str
    command: str = ""


# -- units and their replies -----------------------------------------------------------------------------------------


class EpisodeBegun(Event, frozen=True, tag="episode.begun"):
    """An episode began. A question that a person asked is also in its `QuestionInjected`."""

    unit: str
    question: Question


class ModelAnswered(Event, frozen=True, tag="model.answered"):
    """The model gave answer `n` of `unit`; `ask` is the digest of the request."""

    unit: str
    n: Count
    ask: str
    role: str
    part: str
    text: str
    tokens: tuple[int, ...] = ()
    """Token ids as generated, including those of a stop text."""
    prompt_tokens: Count = 0
    prefilled: Count = 0
    ms: Quantity = 0.0
    chance: float | None = None
    """The probability of this choice among the choices, where the engine knows it."""
    least_chance: float | None = None
    """The lowest probability of a token of this text, where the engine knows it."""


class ToolObserved(Event, frozen=True, tag="tool.observed"):
    """A tool call gave its observation, answer `n` of `unit`; `ask` is the digest of the request."""

    unit: str
    n: Count
    ask: str
    tool: str
    argument: str
    text: str
    failed: bool = False
    ms: Quantity = 0.0
    over: bool = False
    """True if the environment ended the episode."""
    reward: Quantity = 0.0
    """The environment's reward, if it ended the episode."""


SKIPPED = "skipped by a person"
"""The error of a unit that a person ended."""


class UnitFailed(Event, frozen=True, tag="unit.failed"):
    """A unit ended with an error; the run continues without it."""

    unit: str
    error: str


class UnitRestarted(Event, frozen=True, tag="unit.restarted"):
    """A unit restarted: its answers from `n` on are void, for example because a prompt changed, and are asked anew."""

    unit: str
    n: Count
    why: str


# -- decisions of stages ---------------------------------------------------------------------------------------------


class QuestionAccepted(Event, frozen=True, tag="question.accepted"):
    """Self-instruct accepted a question."""

    question: Question


class QuestionRefused(Event, frozen=True, tag="question.refused"):
    """Self-instruct refused a question, with the reason."""

    unit: str
    question: str = field(name="text")
    """Called `text` in logs. In logs of earlier versions the answer follows it after ` / `, and `answer` is absent."""
    why: str
    answer: str | None = None

    @property
    def pair(self) -> tuple[str, str]:
        """The question and its answer, also from logs of earlier versions."""
        if self.answer is not None:
            return self.question, self.answer
        question, divider, answer = self.question.rpartition(" / ")
        return (question, answer) if divider else (self.question, "")


class ToolSelected(Event, frozen=True, tag="tool.selected"):
    """Tool selection chose a tool, with the meta-agent's reason."""

    tool: str
    why: str


class ToolPassedOver(Event, frozen=True, tag="tool.passed_over"):
    """Tool selection left out a tool, with the reason."""

    tool: str
    why: str


class TrajectoryCommitted(Event, frozen=True, tag="trajectory.committed"):
    """Synthesis: an episode ended."""

    promised: ClassVar[bool] = True
    trajectory: Trajectory


class TrajectoryJudged(Event, frozen=True, tag="trajectory.judged"):
    """Filtering kept or refused a trajectory. Not promised, because it is cheap to compute again."""

    verdict: Verdict


class ExamplesBuilt(Event, frozen=True, tag="examples.built"):
    """Differentiation: the training examples of one adapter were built."""

    role: str
    trajectories: Count
    spans: Count
    """Spans that carry loss; each is one sample of the published recipe."""
    tokens: Count
    """Tokens that carry loss."""


class TrainStepped(Event, frozen=True, tag="train.stepped"):
    """The optimiser took a step for one adapter. `loss` is in nats per loss-bearing token of this step.

    It includes the term that makes failed tries less likely, if the adapter learns from those.
    """

    role: str
    step: StepNumber
    of: StepNumber
    loss: float
    lr: float
    grad_norm: float
    tokens: Count
    ms: Quantity


class LossValidated(Event, frozen=True, tag="loss.validated"):
    """The loss on trajectories that an adapter does not learn from, after so many steps, in nats per token."""

    role: str
    step: StepNumber
    loss: float


class CheckpointSaved(Event, frozen=True, tag="checkpoint.saved"):
    """A checkpoint was written completely to disk."""

    promised: ClassVar[bool] = True
    role: str
    step: Count
    sha256: str


class CheckpointSkipped(Event, frozen=True, tag="checkpoint.skipped"):
    """A resumed training skipped a damaged checkpoint, with the reason, and continues from an older one."""

    role: str
    step: Count
    why: str


class AdapterReady(Event, frozen=True, tag="adapter.ready"):
    """An adapter was trained."""

    promised: ClassVar[bool] = True
    adapter: Adapter


class QuestionValidated(Event, frozen=True, tag="question.validated"):
    """The group answered a self-made question that nothing was trained on."""

    trajectory: Trajectory
    f1: Quantity


class VerdictCalibrated(Event, frozen=True, tag="verdict.calibrated"):
    """The threshold of the reflect part's verdicts was chosen, by their quality on validation answers."""

    promised: ClassVar[bool] = True
    threshold: Quantity
    """The probability of *wrong* from which a verdict is *wrong*."""
    quality: VerdictQuality


class QuestionSolved(Event, frozen=True, tag="question.solved"):
    """Group planning or a session answered a question by one method, `cast`; scored if the gold answer is known."""

    promised: ClassVar[bool] = True
    cast: str
    trajectory: Trajectory
    em: Quantity = 0.0
    f1: Quantity = 0.0
    scored: bool = False
    seconds: Quantity = 0.0
    tokens: Count = 0
    """Prompt tokens encoded plus tokens generated."""


# -- streamed text ---------------------------------------------------------------------------------------------------


class TokenSpoken(Event, frozen=True, tag="token.spoken"):
    """A piece of an unfinished answer was streamed; it is void once the answer is logged."""

    unit: str
    n: Count
    part: str
    text: str
    start: Count = 0
    """Index of its first character in the answer; earlier pieces from there on are void."""


AnyEvent = (
    RunOpened | RunRecovered | RunPaused | RunResumed | RunFinished | RunFailed | RunCancelled
    | StageStarted | StageProgressed | StageFinished
    | CommandAccepted | CommandRefused | AnswerEdited | UnitForked | QuestionInjected
    | EpisodeBegun | ModelAnswered | ToolObserved | UnitFailed | UnitRestarted
    | QuestionAccepted | QuestionRefused | ToolSelected | ToolPassedOver
    | TrajectoryCommitted | TrajectoryJudged | ExamplesBuilt | TrainStepped | LossValidated | CheckpointSaved
    | CheckpointSkipped | AdapterReady
    | QuestionValidated | VerdictCalibrated | QuestionSolved | TokenSpoken
)  # fmt: skip
