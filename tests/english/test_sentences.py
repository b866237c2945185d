"""Sentences end where a reader would end them."""

from __future__ import annotations

import pytest

from autoact.english.sentences import sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Who met J. R. R. Tolkien. They spoke.", ["Dr. Who met J. R. R. Tolkien.", "They spoke."]),
        ("He lived in the U.S. Army base. It closed.", ["He lived in the U.S. Army base.", "It closed."]),
        ("She moved to the U.S. In 1950 she died.", ["She moved to the U.S.", "In 1950 she died."]),
        (
            "See No. 5 and vol. 3. He was born on Jan. 3, 1900.",
            ["See No. 5 and vol. 3.", "He was born on Jan. 3, 1900."],
        ),
        ("Apple Inc. of Cupertino. Time Inc. The end.", ["Apple Inc. of Cupertino.", "Time Inc.", "The end."]),
        ("It cost 3.5 dollars e.g. Monday. Fine.", ["It cost 3.5 dollars e.g. Monday.", "Fine."]),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("A heading\n\nA line\nthat wraps. End", ["A heading", "A line that wraps.", "End"]),
        ("  \n ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_long_runs_of_marks_are_one_sentence() -> None:
    for text in ("." * 1_000_000, '."' * 500_000, '"' * 1_000_000, "A." * 500_000):
        assert sentences(text) == [text]


def test_nothing_is_lost_on_hard_input() -> None:
    text = 'Hm... "What?!" (No.) A.B.C. x. 1. Ende.' * 50
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())
