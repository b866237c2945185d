"""What a resumed job remembers: the answers its scripts were given, and the events it need not log again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec

from autoact.events import (
    SKIPPED,
    AnswerEdited,
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
    RunRecovered,
    StageFinished,
    StageStarted,
    ToolObserved,
    ToolPassedOver,
    ToolSelected,
    TrajectoryCommitted,
    TrajectoryJudged,
    UnitFailed,
    UnitForked,
    UnitRestarted,
)
from autoact.run.control.command import Reply
from autoact.run.record.log import read
from autoact.script import Answer, Observation
from autoact.stages import (
    DIFFERENTIATION,
    FILTERING,
    GROUP_PLANNING,
    SELF_INSTRUCT,
    SYNTHESIS,
    TOOL_SELECTION,
)

Identity = tuple[str, str]
"""The type of an event that happens once, and the thing it happens to."""

OUTCOMES = ("trajectory.committed", "trajectory.judged", "question.solved", "unit.failed")
"""What a unit leads to: events about it that are open again when it starts anew."""
ENDS = ("trajectory.committed", "question.solved", "unit.failed")
"""Those of them that say it is over."""
MADE_BY = {
    "question.accepted": SELF_INSTRUCT,
    "tool.selected": TOOL_SELECTION,
    "trajectory.committed": SYNTHESIS,
    "trajectory.judged": FILTERING,
    "adapter.ready": DIFFERENTIATION,
    "question.solved": GROUP_PLANNING,
}
"""The stage whose work an event is, by the event's type."""


def identity(event: Event) -> Identity | None:
    """What makes an event the same as one already logged; None for events that may repeat."""
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
        self.answers: dict[tuple[str, int], tuple[str, Answer | Observation]] = {}
        """Keyed by unit and number; the text is the digest of what was asked."""
        self.seen: set[Identity] = set()
        self.replies: dict[str, Reply] = {}
        """What became of every command, by its id."""
        self.restarts: Counter[str] = Counter()
        """How often a unit was begun anew: another try draws other tokens."""
        self.finishing: set[str] = set()
        """Trainings that a person ended early: they take no further step after a crash either."""
        self.skipped: set[str] = set()
        """Units that a person ended: the next attempt does not begin them again."""
        self.forks: dict[str, UnitForked] = {}
        self.injected: dict[str, QuestionInjected] = {}
        self.unreadable: dict[str, bool] = {}
        """Stages that must be played again, though finished: the log holds work of theirs that cannot be read.

        True once the log says so; the stage is then finished when it says that again.
        """
        self._last: dict[str, int] = {}

    @classmethod
    def of(cls, path: Path) -> Memory:
        """Read a log once, from its beginning. Answers in damaged lines are asked for again."""
        memory = cls()
        for record in read(path):
            if record.event is not None:
                memory.remember(record.event, record.seq)
            elif record.unread and record.type in MADE_BY:
                memory.unreadable[MADE_BY[record.type]] = False
        return memory

    def remember(self, event: Event, seq: int = -1) -> None:
        """Take in one event, in the order of the log."""
        self._command(event, seq)
        match event:
            case ModelAnswered():
                answer = Answer(event.text, event.tokens, event.prompt_tokens, event.prefilled, event.ms)
                self._keep(event.unit, event.n, event.ask, answer)
            case ToolObserved():
                self._keep(event.unit, event.n, event.ask, Observation(event.text, event.failed, event.ms))
            case AnswerEdited():
                self._edit(event)
            case UnitRestarted():
                self.forget(event.unit, event.n)
                self.restarts[event.unit] += 1
                self.skipped.discard(event.unit)
            case UnitFailed(error=error) if error == SKIPPED:
                self.skipped.add(event.unit)
            case UnitForked():
                self.forks[event.unit] = event
                self._copy(event)
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
        """Answer `n` of a unit, if it was given to this very wish. `(unit, n) in answers` tells no answer from a
        stale one."""
        asked, answer = self.answers.get((unit, n), ("", None))
        return answer if asked == digest else None

    def forget(self, unit: str, n: int) -> None:
        """Drop the answers of a unit from `n` on, and what it led to: it goes on anew from there."""
        for number in range(n, self._last.get(unit, -1) + 1):
            self.answers.pop((unit, number), None)
        self._last[unit] = min(n - 1, self._last.get(unit, -1))
        self.seen.difference_update((outcome, unit) for outcome in OUTCOMES)

    def over(self, unit: str) -> bool:
        """Whether a unit has come to its end."""
        return any((outcome, unit) in self.seen for outcome in ENDS)

    def open_forks(self) -> list[UnitForked]:
        """Forks that have not come to their end."""
        return [fork for name, fork in self.forks.items() if not self.over(name)]

    def known(self, unit: str, n: int) -> bool:
        """Whether answer `n` of a unit was given."""
        return (unit, n) in self.answers

    def _command(self, event: Event, seq: int) -> None:
        match event:
            case CommandAccepted(id=id, do=do, unit=unit):
                self.replies[id] = Reply(id, seq)
                if do == "finish":
                    self.finishing.add(unit)
            case CommandRefused(id=id, why=why):
                self.replies[id] = Reply(id, why=why)

    def _copy(self, fork: UnitForked) -> None:
        """A fork's first answers are its parent's as they stand now; a later edit of the parent does not reach it."""
        for n in range(fork.at):
            if (fork.of, n) in self.answers:
                self._keep(fork.unit, n, *self.answers[fork.of, n])

    def _keep(self, unit: str, n: int, ask: str, answer: Answer | Observation) -> None:
        self.answers[unit, n] = ask, answer
        self._last[unit] = max(n, self._last.get(unit, -1))

    def _edit(self, edit: AnswerEdited) -> None:
        """A person's text has no tokens of its own: the engine encodes it afresh."""
        if (edit.unit, edit.n) not in self.answers:
            return  # the answer's line is damaged: it is asked for again, and shown to the person again
        ask, answer = self.answers[edit.unit, edit.n]
        if isinstance(answer, Answer):
            edited: Answer | Observation = msgspec.structs.replace(answer, text=edit.text, tokens=())
        else:
            edited = msgspec.structs.replace(answer, text=edit.text, failed=False)
        self.answers[edit.unit, edit.n] = ask, edited
