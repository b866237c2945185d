"""Self-instruct's questions as a run's log tells of them: the accepted ones, and the refused with their reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from autoact.events import QuestionAccepted, QuestionRefused, StageFinished
from autoact.run.record.folder import RunFolder
from autoact.run.record.log import LogTail, Record

MOST = 2_000
"""Records read in one go: a long log must not keep a key waiting."""
STAGE = "self_instruct"


@dataclass(frozen=True, slots=True)
class PracticeQuestion:
    """A question that the model wrote."""

    unit: str
    question: str
    answer: str
    refused: str = ""
    """Why self-instruct would not have it."""


class PracticeQuestions:
    """Those of one run, in the order in which they came."""

    def __init__(self, folder: RunFolder):
        self.name = folder.name
        self.rows: list[PracticeQuestion] = []
        self.over = False
        """The stage is done: there will be no more, and the rest of the log is not read."""
        self._tail = LogTail(folder.events)
        self._records: Iterator[Record] = iter(())
        self._behind = False

    def look(self) -> bool:
        """Read on; whether there is something new."""
        if self.over:
            return False
        before = len(self.rows)
        if not self._behind:
            self._records = self._tail.poll()
        count = 0
        for record in islice(self._records, MOST):
            self._take(record)
            count += 1
        self._behind = count == MOST
        return len(self.rows) != before

    def close(self) -> None:
        self._tail.close()

    def _take(self, record: Record) -> None:
        match record.event:
            case QuestionAccepted(question=question):
                self.rows.append(PracticeQuestion(question.id, question.text, question.answer or ""))
            case QuestionRefused(unit=unit, why=why) as refused:
                self.rows.append(PracticeQuestion(unit, *refused.pair, why))
            case StageFinished(stage=stage) if stage == STAGE:
                self.over = True
