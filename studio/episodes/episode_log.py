"""The answers of one unit of a run, read from the log when its transcript is shown."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import orjson

from autoact.errors import BadInput, LogDamaged
from autoact.events import (
    Event,
    QuestionSolved,
    TrajectoryCommitted,
    TrajectoryJudged,
    UnitFailed,
    UnitRestarted,
)
from autoact.files import disk
from autoact.registry.roles import WORLD
from autoact.run.record.answers import Answers
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogTail, unseal
from autoact.run.record.origins import WITHOUT_MODEL, find_maker
from autoact.script import FORK
from autoact.trajectory import META, REFLECT, Trajectory
from studio.episodes.document import Paragraph
from studio.episodes.session import cast_of, mark_tries, turn_note

CHUNK = 1 << 20


class EpisodeLog:
    """The answers of a unit and of the units it was forked from. `read` is slow the first time: call it in a thread."""

    def __init__(self, folder: RunFolder, unit: str, ancestors: Collection[str] = ()):
        """`ancestors` are the units that this one was forked from, directly or not."""
        self.folder, self.unit = folder, unit
        self.maker = folder
        """The run whose log has the answers: a base of this run for a trajectory that was carried over from it."""
        self.epilogue: list[Paragraph] = []
        """Paragraphs after the last answer: how the unit ended, and the filter's verdict."""
        self._written: list[Paragraph] = []
        """The steps of a trajectory that was imported or written from facts: its unit has no answers, or only those of
        tools."""
        self._units = {unit, *ancestors}
        self._answers = Answers(only=self._units)
        self._tail: LogTail | None = None

    def read(self) -> bool:
        """Reads what was added to the log; returns whether any of it is about this unit."""
        if self._tail is None:
            offset = 0
            for event, end in self._scan(self.folder):
                self._take(event)
                offset = end
            if self._written and not self._is_of_model():
                self._read_base()
            self._tail = LogTail(self.folder.events, offset, numbered=False)
            return True
        changed = [self._take(record.event) for record in self._tail.poll() if record.event is not None]
        return any(changed)

    def close(self) -> None:
        if self._tail is not None:
            self._tail.close()

    @property
    def ready(self) -> bool:
        """True once the slow first part has been read."""
        return self._tail is not None

    @property
    def notes(self) -> dict[int, str]:
        """The notes after the unit's answers, by their numbers: an edit, or the probability of a choice."""
        return {turn.n: note for turn in self._answers.turns(self.unit) if (note := turn_note(turn))}

    @property
    def next(self) -> int:
        """Number of the next answer."""
        return self._answers.next(self.unit)

    def paragraphs(self) -> list[Paragraph]:
        """Returns all paragraphs in order; the owner of an answer is its number."""
        turns = self._answers.turns(self.unit)
        if self._written and not self._is_of_model():
            return [*self._written, *self.epilogue]
        said = (Paragraph(turn.role, turn.part, turn.text, turn.n) for turn in turns)
        return [*mark_tries(turns, said, cast_of(self.unit)), *self.epilogue]

    def _is_of_model(self) -> bool:
        """Returns whether the model gave an answer of this unit."""
        return any(turn.role != WORLD for turn in self._answers.turns(self.unit))

    def _read_base(self) -> None:
        """Takes the answers from the log of the run that made the trajectory, if it is there."""
        if (maker := find_maker(self.folder, self.unit)) != self.folder:
            parts = self.unit.split(FORK)
            self._units |= {FORK.join(parts[:count]) for count in range(1, len(parts))}
            self.maker = maker
            for event, _ in self._scan(maker):
                self._answers.take(event)

    def _scan(self, folder: RunFolder) -> Iterator[tuple[Event | None, int]]:
        """Yields the events of lines that name one of the units, and the offset after each line or chunk.

        Other lines are not decoded; a chunk yields None.
        """
        names = [b":" + orjson.dumps(name) for name in self._units]
        offset, rest = 0, b""
        try:
            log = disk.open_bytes(folder.events)
        except (OSError, BadInput):
            return  # the status line shows it, like damage of the log
        with log:
            while chunk := log.read(CHUNK):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    offset += len(line) + 1
                    if any(name in line for name in names):
                        yield _event(line), offset
                yield None, offset

    def _take(self, event: Event | None) -> bool:
        """Takes one event; returns whether it is about the unit."""
        if isinstance(event, UnitRestarted) and event.unit == self.unit:
            self.epilogue, self._written = [], []
        return self._answers.take(event) == self.unit or self._end(event)

    def _end(self, event: Event | None) -> bool:
        match event:
            case TrajectoryCommitted(trajectory=done) if done.unit == self.unit:
                self._written = list(_steps(done))
                self.epilogue.append(Paragraph("", "end", f"{_outcome(done)}, reward {done.reward:.2f}{_gold(done)}"))
            case QuestionSolved(trajectory=done, em=em, f1=f1, scored=scored) if done.unit == self.unit:
                score = f", EM {em:.0f}, F1 {f1:.2f}" if scored else ""
                self.epilogue.append(Paragraph("", "end", f"{_outcome(done)}{score}{_gold(done)}"))
            case TrajectoryJudged(verdict=verdict) if verdict.unit == self.unit:
                word = "kept" if verdict.kept else "dropped"
                self.epilogue.append(Paragraph("", "filter", f"{word} by {verdict.by}: {verdict.why}".rstrip(": ")))
            case UnitFailed(unit=unit, error=error) if unit == self.unit:
                self.epilogue.append(Paragraph("", "failed", error))
            case _:
                return False
        return True


def _steps(done: Trajectory) -> Iterator[Paragraph]:
    """Yields the paragraphs of a trajectory's steps; they have no role if the model did not write them."""
    role = "" if done.made in WITHOUT_MODEL else META
    for step in done.steps:
        thought, argument = ("reflection", "verdict") if step.action == REFLECT else ("thought", "argument")
        yield Paragraph(role, thought, step.thought)
        if step.action != REFLECT:
            yield Paragraph(role, "action", step.action)
        yield Paragraph(role, argument, step.argument)
        if step.observation:
            yield Paragraph(WORLD, "observation", step.observation)


def _outcome(done: Trajectory) -> str:
    return f"{done.halt}: {done.answer or 'no answer'}"


def _gold(done: Trajectory) -> str:
    return f", expected {done.question.answer}" if done.question.answer else ""


def _event(line: bytes) -> Event | None:
    try:
        return unseal(line).event
    except LogDamaged:
        return None  # the status line counts the damaged lines of the whole log
