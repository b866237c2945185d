"""The practice questions that self-instruct wrote in a run, read from its log: accepted ones and refused ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from autoact.events import QuestionAccepted, QuestionRefused, StageFinished
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogTail, Record
from autoact.run.record.marks import Key
from autoact.trajectory import Question
from studio.files.practice_marks import PracticeMarks

MOST = 2_000
"""Records read at a time, so that a long log does not delay a key."""
STAGE = "self_instruct"


@dataclass(frozen=True, slots=True)
class PracticeQuestion:
    """A question that the model wrote, with its answer."""

    unit: str
    question: str
    answer: str
    refused: str = ""
    """Reason for which self-instruct refused it; empty if it was accepted."""
    type: str = ""
    """The type of an accepted one, such as two-hop."""
    pages: tuple[str, ...] = ()
    """Titles of the pages from which an accepted one was made."""

    @property
    def key(self) -> Key:
        """The key of its mark."""
        return self.question, self.answer


class PracticeQuestions:
    """The practice questions of one run, in the order of the log."""

    def __init__(self, folder: RunFolder):
        self.name = folder.name
        self.rows: list[PracticeQuestion] = []
        self.marks = PracticeMarks(folder)
        self.complete = False
        """Whether the stage has finished: the rest of the log is not read."""
        self._tail = LogTail(folder.events)
        self._records: Iterator[Record] = iter(())
        self._behind = False
        self._accepted: list[Question] = []

    def read(self) -> bool:
        """Reads on in the log; returns whether there is a new question."""
        if self.complete:
            return False
        before = len(self.rows)
        if not self._behind:
            self._records = self._tail.poll()
        count = 0
        for record in islice(self._records, MOST):
            self._take(record)
            count += 1
        self._behind = count == MOST
        if len(self.rows) == before:
            return False
        self.marks.choose(self._accepted)
        return True

    def close(self) -> None:
        self._tail.close()

    def _take(self, record: Record) -> None:
        match record.event:
            case QuestionAccepted(question=question):
                self._accepted.append(question)
                answer, about = question.answer or "", (question.type, question.gold)
                self.rows.append(PracticeQuestion(question.id, question.text, answer, "", *about))
            case QuestionRefused(unit=unit, why=why) as refused:
                self.rows.append(PracticeQuestion(unit, *refused.pair, why))
            case StageFinished(stage=stage) if stage == STAGE:
                self.complete = True
