"""Sessions of questions and answers, read from their logs: each question with its turns, in the order of the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from autoact.events import (
    AnswerEdited,
    QuestionInjected,
    QuestionSolved,
    TokenSpoken,
    UnitFailed,
    UnitForked,
    UnitRestarted,
)
from autoact.registry.methods import METHODS
from autoact.registry.roles import role_of
from autoact.registry.stages import SESSION
from autoact.run.record.answers import Answers, Turn
from autoact.run.record.folder import RunFolder, list_runs
from autoact.run.record.log import LogTail, Record
from autoact.run.record.state import RunState, fold
from autoact.trajectory import META, Question, Trajectory
from studio.episodes.document import Paragraph
from studio.terminal import untrusted_text


def one_line(turn: Turn) -> str:
    """Returns a turn's text as one safe line for a text field; `untrusted_text.BREAK` stands for a line break."""
    text = turn.text.strip()
    return untrusted_text.line(text, len(text)).strip()


def turn_note(turn: Turn) -> str:
    """Returns that a person edited a turn, else the probability of its choice where the log has it; else nothing."""
    if turn.edited:
        return "edited by a person"
    return "" if turn.chance is None else f"probability {turn.chance:.0%}"


def turn_cost(turn: Turn) -> str:
    """Returns tokens, seconds and note of a turn, as far as they are known, joined by no-break spaces."""
    tokens = f"{len(turn.tokens)} tok  " if turn.tokens else ""
    note = turn_note(turn)
    shown = note if turn.edited else f"{tokens}{turn.ms / 1000:.1f} s" + (f"  {note}" if note else "")
    return shown.replace(" ", "\N{NO-BREAK SPACE}")


def mark_tries(turns: Sequence[Turn], paragraphs: Iterable[Paragraph], cast: str) -> Iterator[Paragraph]:
    """Yields the paragraphs of turns, and before each later try of a method of several attempts one that numbers it.

    The prompt of one try only grows, so a thought with a shorter prompt than the answer before it begins another.
    """
    several, number, before = cast in METHODS and METHODS.get(cast).several, 1, 0
    for turn, paragraph in zip(turns, paragraphs, strict=True):
        if several and turn.part == "thought" and turn.prompt_tokens < before:
            number += 1
            yield Paragraph("", "try", f"try {number}, from the question again")
        before = turn.prompt_tokens or before  # a tool's reply has no prompt
        yield paragraph


@dataclass(slots=True)
class AskedQuestion:
    """A question to one cast, with its turns and answer so far; or a fork of one."""

    unit: str
    question: Question
    cast: str
    at: float
    of: str = ""
    """Unit that it was forked from; empty for none."""
    forked_at: int = 0
    """Number of the turn from which a fork differs from its parent: the one that a person changed, or the first new."""
    turns: list[Turn] = field(default_factory=list)
    trajectory: Trajectory | None = None
    failed: str = ""

    @property
    def over(self) -> bool:
        return self.trajectory is not None or bool(self.failed)

    @property
    def side(self) -> str:
        """The title of this answer where two are side by side."""
        return f"{_who(self.cast)}: fork at turn {self.forked_at}" if self.of else _who(self.cast)

    def paragraphs(self, turns: int | None = None) -> list[Paragraph]:
        """Returns the question and all turns, or the first `turns`; the owner of each is its turn's number."""
        shown = self.turns if turns is None else self.turns[:turns]
        found = [
            Paragraph("", "question", self.question.text),
            *mark_tries(shown, map(self._paragraph, shown), self.cast),
        ]
        if len(shown) == len(self.turns):
            found += self._end()
        return found

    def _paragraph(self, turn: Turn) -> Paragraph:
        text = turn.text.strip()
        if turn.part == "argument":
            action = next((one for one in reversed(self.turns[: turn.n]) if one.part == "action"), None)
            text = f"{action.text.strip()}[{text}]" if action else text
        return Paragraph(turn.role, turn.part, f"{text}   ·\N{NO-BREAK SPACE}{turn_cost(turn)}", turn.n)

    def partial_paragraph(self, partial: TokenSpoken | None) -> Paragraph | None:
        """Returns the answer that the model is writing; None when it is not that of the next turn."""
        if partial is None or partial.n != len(self.turns):
            return None
        return Paragraph(speaking_role(self.cast, partial.part), partial.part, f"{partial.text} ...", partial.n)

    def _end(self) -> list[Paragraph]:
        if self.failed:
            return [Paragraph("", "failed", self.failed)]
        if self.trajectory is None:
            return []
        judged = _judgement(self.turns, self.cast, self.trajectory.verdict)
        return [Paragraph("", "answer", "   · ".join([self.trajectory.answer or "no answer", *judged]))]


def _judgement(turns: Sequence[Turn], cast: str, verdict: str | None) -> list[str]:
    """Returns the verdict on an answer and who gave it; nothing where no reflect-agent takes part."""
    last = next((turn for turn in reversed(turns) if turn.part == "verdict"), None)
    if last is not None and last.edited:
        return [f"{verdict}, edited by a person"]
    reflects = speaking_role(cast, "verdict") == role_of("verdict")
    return [f"reflect-agent: {verdict or 'never asked'}"] if reflects else []


def _who(cast: str) -> str:
    """Returns who answers with this cast, in words."""
    earlier = cast in METHODS and METHODS.get(cast).earlier
    return "the meta-agent alone" if cast == META else f"the method {cast}" if earlier else f"the {cast}"


class SessionLog:
    """One session, folded from its log as it grows."""

    def __init__(self, folder: RunFolder):
        self.folder = folder
        self.state = RunState()
        self.asked: dict[str, AskedQuestion] = {}
        self._answers = Answers()
        self._tail = LogTail(folder.events)

    def read(self) -> bool:
        """Reads what was added to the log; returns whether there was anything."""
        changed = False
        for record in self._tail.poll():
            fold(self.state, record)
            self._take(record)
            changed = True
        return changed

    def close(self) -> None:
        self._tail.close()

    @property
    def unfinished(self) -> list[str]:
        """Units without an answer or a failure, the oldest first."""
        return [asked.unit for asked in self.asked.values() if not asked.over]

    @property
    def is_held(self) -> bool:
        """True while the session, or one of its units, is paused."""
        return self.state.status == "paused" or bool(self.state.halted)

    @property
    def status_words(self) -> str:
        """The state of a session that goes on, in a few words."""
        words = f"session {self.state.status}" if self.state.stage == SESSION else "session: loading the model"
        words += f", {len(self.unfinished)} in flight" * bool(self.unfinished)
        held = self.state.halted.intersection(self.unfinished)
        return f"{words}, {len(held)} held" if held else words

    def beside(self, unit: str) -> list[AskedQuestion]:
        """Returns a unit and the one shown beside it: its parent, or the other cast's answer to the same question."""
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
            case AnswerEdited(unit=unit, n=n) if unit in self.asked:
                self.asked[unit].forked_at = min(self.asked[unit].forked_at, n)
            case UnitRestarted(unit=unit) if unit in self.asked:
                self.asked[unit].trajectory, self.asked[unit].failed = None, ""
            case QuestionSolved(trajectory=trajectory) if trajectory.unit in self.asked:
                self.asked[trajectory.unit].trajectory = trajectory
            case UnitFailed(unit=unit, error=error) if unit in self.asked:
                self.asked[unit].failed = error
        if (changed := self._answers.take(record.event, record.at)) in self.asked:
            self.asked[changed].turns = self._answers.turns(changed)


def sessions(project: Path) -> list[RunFolder]:
    """Returns the project's sessions, newest first. Reads their settings: call it in a thread."""
    return [folder for folder in list_runs(project) if is_session(folder)]


def is_session(folder: RunFolder) -> bool:
    """Returns whether a run is a session; False if its settings cannot be read."""
    return folder.stages() == (SESSION,)


def export_json(session: SessionLog, unit: str) -> bytes:
    """Returns a question with all its turns as JSON, together with the unit shown beside it."""
    answers = [
        {
            "unit": asked.unit, "cast": asked.cast, "forked_from": asked.of, "asked_at": asked.at,
            "question": asked.question, "turns": [_turn_json(turn) for turn in asked.turns],
            "failed": asked.failed, "trajectory": asked.trajectory,
        }
        for asked in session.beside(unit)
    ]  # fmt: skip
    return msgspec.json.format(msgspec.json.encode({"session": session.folder.name, "answers": answers}), indent=2)


def _turn_json(turn: Turn) -> dict[str, object]:
    """Returns the exported fields of a turn."""
    return {
        "n": turn.n, "role": turn.role, "part": turn.part, "text": turn.text, "at": turn.at,
        "tokens": len(turn.tokens), "ms": turn.ms, "edited": turn.edited,
    }  # fmt: skip


def speaking_role(cast: str, part: str) -> str:
    """Returns the role that writes a part of a turn in this cast; empty for an unknown cast."""
    if cast not in METHODS:
        return ""
    method = METHODS.get(cast)
    return role_of(part) if method.trained or method.cast.adapters else META


def cast_of(unit: str) -> str:
    """Returns the cast of a unit, whose name begins with the cast's in group planning and in sessions."""
    names = [name for name in METHODS.names() if unit.startswith(f"{name}-")]
    return max(names, key=len, default=META)
