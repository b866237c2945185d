"""Sessions as a person reads them: each question with its turns, in the order in which the log tells them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from autoact.events import QuestionInjected, QuestionSolved, UnitFailed, UnitForked, UnitRestarted
from autoact.run.record.answers import Answers, Turn
from autoact.run.record.folder import RunFolder, runs_of
from autoact.run.record.log import LogTail, Record
from autoact.run.record.state import RunState, fold
from autoact.trajectory import CASTS, META, Question, Trajectory
from studio.episodes.document import Paragraph
from studio.terminal import untrusted_text

STAGES = ("session",)
"""What a session's settings name as its stages."""


def one_line(turn: Turn) -> str:
    """Returns a turn's text as one line, safe to show where it is changed; `untrusted_text.BREAK` for a line break."""
    text = turn.text.strip()
    return untrusted_text.line(text, len(text)).strip()


def turn_cost(turn: Turn) -> str:
    """Returns tokens and seconds of a turn, as far as they are known; no line breaks within."""
    tokens = f"{len(turn.tokens)} tok  " if turn.tokens else ""
    shown = "edited by a person" if turn.edited else f"{tokens}{turn.ms / 1000:.1f} s"
    return shown.replace(" ", "\N{NO-BREAK SPACE}")


@dataclass(slots=True)
class AskedQuestion:
    """A question on its way to an answer, by one cast; or a fork of one."""

    unit: str
    question: Question
    cast: str
    at: float
    of: str = ""
    """What it was forked from."""
    forked_at: int = 0
    """Turns that a fork took over."""
    turns: list[Turn] = field(default_factory=list)
    trajectory: Trajectory | None = None
    failed: str = ""

    @property
    def over(self) -> bool:
        return self.trajectory is not None or bool(self.failed)

    @property
    def side(self) -> str:
        """Says whose answer this is, where two stand beside each other."""
        who = "the meta-agent alone" if self.cast == META.name else f"the {self.cast}"
        return f"{who}: fork at turn {self.forked_at}" if self.of else who

    def passages(self, turns: int | None = None) -> list[Paragraph]:
        """As the transcript takes them, all or the first so many turns; the owner of each is its turn's number."""
        shown = self.turns if turns is None else self.turns[:turns]
        told = [Paragraph("", "question", self.question.text), *(self._passage(turn) for turn in shown)]
        if len(shown) == len(self.turns):
            told += self._end()
        return told

    def _passage(self, turn: Turn) -> Paragraph:
        text = turn.text.strip()
        if turn.part == "argument":
            action = next((one for one in reversed(self.turns[: turn.n]) if one.part == "action"), None)
            text = f"{action.text.strip() if action else ''}[{text}]"
        return Paragraph(turn.role, turn.part, f"{text}   ·\N{NO-BREAK SPACE}{turn_cost(turn)}", turn.n)

    def _end(self) -> list[Paragraph]:
        if self.failed:
            return [Paragraph("", "failed", self.failed)]
        if self.trajectory is None:
            return []
        verdict = self.trajectory.verdict or "never asked"
        return [Paragraph("", "answer", f"{self.trajectory.answer or 'no answer'}   · reflect-agent: {verdict}")]


class SessionLog:
    """One session's log, folded as it grows."""

    def __init__(self, folder: RunFolder):
        self.folder = folder
        self.state = RunState()
        self.asked: dict[str, AskedQuestion] = {}
        self._answers = Answers()
        self._tail = LogTail(folder.events)

    def read(self) -> bool:
        """Take in what happened since; whether anything did."""
        moved = False
        for record in self._tail.poll():
            fold(self.state, record)
            self._take(record)
            moved = True
        return moved

    def close(self) -> None:
        self._tail.close()

    @property
    def flying(self) -> list[str]:
        """Units without an end."""
        return [asked.unit for asked in self.asked.values() if not asked.over]

    def beside(self, unit: str) -> list[AskedQuestion]:
        """A unit, and what is shown with it: what it was forked from, or the other cast's answer to the question."""
        chosen = self.asked[unit]
        if chosen.of in self.asked:
            return [self.asked[chosen.of], chosen]
        same = [one for one in self.asked.values() if one.question.text == chosen.question.text and not one.of]
        other = [one for one in same if one.cast != chosen.cast]
        return sorted([chosen, *other[-1:]], key=lambda one: one.cast)

    def _take(self, record: Record) -> None:
        match record.event:
            case QuestionInjected(unit=unit, question=question, cast=cast):
                self.asked[unit] = AskedQuestion(unit, question, cast, record.at)
            case UnitForked(unit=unit, of=of, at=at) if of in self.asked:
                root = self.asked[of]
                self.asked[unit] = AskedQuestion(unit, root.question, root.cast, record.at, of, at)
            case UnitRestarted(unit=unit) if unit in self.asked:
                self.asked[unit].trajectory, self.asked[unit].failed = None, ""
            case QuestionSolved(trajectory=trajectory) if trajectory.unit in self.asked:
                self.asked[trajectory.unit].trajectory = trajectory
            case UnitFailed(unit=unit, error=error) if unit in self.asked:
                self.asked[unit].failed = error
        if (changed := self._answers.take(record.event, record.at)) in self.asked:
            self.asked[changed].turns = self._answers.turns(changed)


@dataclass(frozen=True, slots=True)
class Replay:
    """A question played again: how many turns had been said so long after the first."""

    asked: AskedQuestion

    def turns(self, seconds: float) -> int:
        """Turns within the first so many seconds of the log's time."""
        return sum(turn.at - self.asked.at <= seconds for turn in self.asked.turns)

    @property
    def length(self) -> float:
        """Seconds from the question to the last turn."""
        return max((turn.at - self.asked.at for turn in self.asked.turns), default=0.0)


def sessions(project: Path) -> list[RunFolder]:
    """The project's sessions, newest first. Reads their settings: call it in a thread."""
    return [folder for folder in runs_of(project) if is_session(folder)]


def is_session(folder: RunFolder) -> bool:
    """Whether a run answers what a person asks; not if its settings cannot be read."""
    return folder.stages() == STAGES


def export_json(session: SessionLog, unit: str) -> bytes:
    """A question with all its turns as JSON, the units beside it included."""
    told = [
        {
            "unit": asked.unit, "cast": asked.cast, "forked_from": asked.of, "asked_at": asked.at,
            "question": asked.question, "turns": [_told(turn) for turn in asked.turns],
            "failed": asked.failed, "trajectory": asked.trajectory,
        }
        for asked in session.beside(unit)
    ]  # fmt: skip
    return msgspec.json.format(msgspec.json.encode({"session": session.folder.name, "answers": told}), indent=2)


def _told(turn: Turn) -> dict[str, object]:
    """Returns what is exported of a turn."""
    return {
        "n": turn.n, "role": turn.role, "part": turn.part, "text": turn.text, "at": turn.at,
        "tokens": len(turn.tokens), "ms": turn.ms, "edited": turn.edited,
    }  # fmt: skip


def role_of(cast: str, part: str) -> str:
    """Whose words a part of a turn are; nobody's for an unknown cast."""
    return CASTS[cast].role(part) if cast in CASTS else ""


def cast_of(unit: str) -> str:
    """Returns who answers a unit: its name begins with the cast's in group planning and in sessions."""
    return next((name for name in CASTS if unit.startswith(f"{name}-")), META.name)
