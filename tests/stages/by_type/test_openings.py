"""The first words of questions come from what a clause holds."""

from __future__ import annotations

import pytest

from autoact.stages.by_type.clauses import Clause, to_template
from autoact.stages.by_type.corpus_words import CorpusWords
from autoact.stages.by_type.openings import find_openings
from autoact.trajectory import Page

WORDS = CorpusWords((Page("Mila Sorrin", "Mila Sorrin was a chemist. She lived."),))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Orvane was founded in 1204", ["In what year was Orvane", "What was Orvane"]),
        ("Orvane stands on the river Telk", ["Where does Orvane", "On which river", "What does Orvane"]),
        ("Mila Sorrin founded Orvane in 1504", ["In what year did", "Who"]),
        ("Orvane is 40 kilometers long", ["How long is Orvane", "What is Orvane"]),
        ("Orvane has seven gates", ["How many gates", "What does Orvane"]),
        ("The capital of Orvane is Dunmore", ["What is the"]),
        ("Orvane's king was called Bor", ["Who was the", "What was"]),
        ("Orvane is a novel by Mila Sorrin", ["Who wrote Orvane"]),
        ("Orvane was named after the planet Vorn", ["Which planet was Orvane", "What was Orvane"]),
        ("Orvane is a town", []),
    ],
)
def test_openings(text: str, expected: list[str]) -> None:
    clause = Clause(Page("Orvane", text), "Orvane", text)
    assert clause.template == to_template(text, "Orvane")
    assert find_openings(clause, WORDS) == expected
