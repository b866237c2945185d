"""Refused questions beside their answers, also from logs that kept both in one text."""

from __future__ import annotations

from pathlib import Path

import pytest
from stories import write

from autoact.events import QuestionRefused
from autoact.run.record.log import seal, unseal
from studio.files.practice_questions import PracticeQuestion, PracticeQuestions


@pytest.mark.parametrize(
    ("question", "answer"), [("Who?", "Beethoven"), ("Which is it: and / or?", "either / or"), ("Who?", "")]
)
def test_a_refused_draft(opera: Path, question: str, answer: str) -> None:
    drafts = PracticeQuestions(write(opera, [QuestionRefused("q-1", question, "too short", answer)]))
    assert drafts.read()
    assert drafts.rows == [PracticeQuestion("q-1", question, answer, "too short")]
    drafts.close()


@pytest.mark.parametrize(
    ("text", "question", "answer"), [("Who? / Beethoven", "Who?", "Beethoven"), ("Who?", "Who?", "")]
)
def test_a_line_of_an_earlier_program(text: str, question: str, answer: str) -> None:
    event = unseal(
        seal({"seq": 0, "t": 0.0, "type": "question.refused", "unit": "q-1", "text": text, "why": "too short"})
    ).event
    assert isinstance(event, QuestionRefused)
    assert event.pair == (question, answer)
