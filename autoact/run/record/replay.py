"""The memory of a resumed job: the answers already given to its scripts, and the events it need not log again."""

from __future__ import annotations

from pathlib import Path

from autoact.events import (
    SKIPPED,
    CommandAccepted,
    CommandRefused,
    EpisodeBegun,
    Event,
    ExamplesBuilt,
    QuestionAccepted,
    QuestionInjected,
    QuestionRefused,
    QuestionSolved,
    QuestionValidated,
    RunRecovered,
    StageFinished,
    StageStarted,
    ToolPassedOver,
    ToolSelected,
    TrajectoryCommitted,
    TrajectoryJudged,
    UnitFailed,
    UnitForked,
    UnitRestarted,
    VerdictCalibrated,
)
from autoact.registry.stages import stage_of_event
from autoact.run.control.command import Reply
from autoact.run.record.answers import Answers
from autoact.run.record.log import read
from autoact.script import Answer, Observation

Identity = tuple[str, str]
"""The type of an event that is logged once, and the id of its subject."""

OUTCOMES = ("trajectory.committed", "trajectory.judged", "question.validated", "question.solved", "unit.failed")
"""Types of events about a unit that may be logged again after it is restarted."""
ENDS = ("trajectory.committed", "question.validated", "question.solved", "unit.failed")
"""Those of them that end the unit."""


def identity(event: Event) -> Identity | None:
    """Returns the type and subject that two logged events must not share; None for events that may repeat."""
    match event:
        case QuestionAccepted(question=question):
            return "question.accepted", question.id
        case QuestionRefused(unit=unit):
            return "question.refused", unit
        case ToolSelected(tool=tool):
            return "tool.selected", tool
        case ToolPassedOver(tool=tool):
            return "tool.passed_over", tool
        case EpisodeBegun(unit=unit):
            return "episode.begun", unit
        case TrajectoryCommitted(trajectory=trajectory):
            return "trajectory.committed", trajectory.unit
        case TrajectoryJudged(verdict=verdict):
            return "trajectory.judged", verdict.unit
        case ExamplesBuilt(role=role):
            return "examples.built", role
        case QuestionValidated(trajectory=trajectory):
            return "question.validated", trajectory.unit
        case VerdictCalibrated():
            return "verdict.calibrated", ""
        case QuestionSolved(trajectory=trajectory):
            return "question.solved", trajectory.unit
        case StageStarted(stage=stage):
            return "stage.started", stage
        case StageFinished(stage=stage):
            return "stage.finished", stage
        case UnitFailed(unit=unit):
            return "unit.failed", unit
    return None


class Memory:
    """Answers by unit and number, and the identities of events already logged."""

    def __init__(self) -> None:
        self.answers = Answers()
        self.seen: set[Identity] = set()
        self.replies: dict[str, Reply] = {}
        """The reply to every command, by the command's id."""
        self.finishing: set[str] = set()
        """Trainings that a person ended early: they take no further step, also after a crash."""
        self.skipped: set[str] = set()
        """Units that a person skipped: the next attempt does not begin them again."""
        self.injected: dict[str, QuestionInjected] = {}
        self.unreadable: dict[str, bool] = {}
        """Finished stages that must be played again, because events of theirs cannot be read.

        The value is True once a `run.recovered` follows them in the log; the next `stage.finished` ends the stage.
        """

    @classmethod
    def of(cls, path: Path) -> Memory:
        """Reads a log once, from its beginning. Answers in damaged lines are asked for again."""
        memory = cls()
        for record in read(path):
            if record.event is not None:
                memory.remember(record.event, record.seq)
            elif record.unread and (stage := stage_of_event(record.type)):
                memory.unreadable[stage] = False
        return memory

    def remember(self, event: Event, seq: int = -1) -> None:
        """Applies one event, in the order of the log."""
        self.answers.take(event)
        self._remember_command(event, seq)
        match event:
            case UnitRestarted(unit=unit):
                self.seen.difference_update((outcome, unit) for outcome in OUTCOMES)
                self.skipped.discard(unit)
            case UnitFailed(error=error) if error == SKIPPED:
                self.skipped.add(event.unit)
            case QuestionInjected():
                self.injected[event.unit] = event
            case RunRecovered():
                self.unreadable = dict.fromkeys(self.unreadable, True)
            case StageFinished(stage=stage) if self.unreadable.get(stage):
                del self.unreadable[stage]
        same = identity(event)
        if same is not None:
            self.seen.add(same)

    def recall(self, unit: str, n: int, digest: str) -> Answer | Observation | None:
        """Returns answer `n` of a unit if it was given to a request with this digest, else None."""
        turn = self.answers.get(unit, n)
        return turn.reply() if turn is not None and turn.digest == digest else None

    def reply(self, unit: str, n: int) -> Answer | Observation:
        """Returns the current answer `n` of a unit. Raises KeyError when it was not given."""
        return self.answers.units[unit][n].reply()

    def has_ended(self, unit: str) -> bool:
        """Returns True when a unit is committed, solved or failed."""
        return any((outcome, unit) in self.seen for outcome in ENDS)

    def open_forks(self) -> list[UnitForked]:
        """Returns the forks that have not ended."""
        return [fork for name, fork in self.answers.forks.items() if not self.has_ended(name)]

    def has_answer(self, unit: str, n: int) -> bool:
        """Returns True when answer `n` of a unit was given."""
        return self.answers.get(unit, n) is not None

    def is_edited(self, unit: str, n: int) -> bool:
        """Returns whether a person replaced answer `n` of a unit."""
        answer = self.answers.get(unit, n)
        return answer is not None and answer.edited

    def _remember_command(self, event: Event, seq: int) -> None:
        match event:
            case CommandAccepted(id=id, do=do, unit=unit):
                self.replies[id] = Reply(id, seq)
                if do == "finish":
                    self.finishing.add(unit)
            case CommandRefused(id=id, why=why):
                self.replies[id] = Reply(id, why=why)
