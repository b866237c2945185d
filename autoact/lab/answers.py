"""What the runs of a project answered to a question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from autoact.events import QuestionSolved
from autoact.run.record import log
from autoact.run.record.folder import RunFolder


class RunAnswer(Struct, frozen=True):
    """An answer to a question, and the run that gave it."""

    run: str
    solved: QuestionSolved


def find_answers(runs: Iterable[RunFolder], text: str) -> Iterator[RunAnswer]:
    """Yields the answers to the questions that contain a text, in upper or lower case, or have it as their id."""
    sought = text.casefold()
    for folder in runs:
        for record in log.read(folder.events):
            if isinstance(solved := record.event, QuestionSolved):
                question = solved.trajectory.question
                if sought in question.text.casefold() or text == question.id:
                    yield RunAnswer(folder.name, solved)
