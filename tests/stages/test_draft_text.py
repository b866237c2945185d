"""A draft means what a person reads in it."""

from __future__ import annotations

import pytest

from autoact.stages.draft_text import read_answer, read_question


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Who wrote Fidelio?", "Who wrote Fidelio?"),
        ("Question: nested?", "nested?"),
        ("Question: Question: Who is it?", "Who is it?"),
        ("**Who wrote Fidelio?**", "Who wrote Fidelio?"),
        ("**Question:** Who wrote Fidelio?", "Who wrote Fidelio?"),
        ("Here is another question:\nWho wrote Fidelio?", "Who wrote Fidelio?"),
        ("A ball rolls down a hill.\nWhat moves it?", "A ball rolls down a hill. What moves it?"),
        ("Who wrote Fidelio?\nWho wrote Aida?", "Who wrote Fidelio?"),
        ("Who wrote Fidelio? Answer: Beethoven", "Who wrote Fidelio?"),
        ("Who wrote Fidelio?\n**Answer:** Beethoven", "Who wrote Fidelio?"),
        ('1. "Who wrote Fidelio?"', "Who wrote Fidelio?"),
        ('Who said "yes"?', 'Who said "yes"?'),
        ("", ""),
        ("Fidelio is an opera.", "Fidelio is an opera."),
    ],
)
def test_questions(text: str, question: str) -> None:
    assert read_question(text) == question


@pytest.mark.parametrize(
    ("text", "answer", "option"),
    [
        ("Lima.", "Lima", "Lima"),
        ("Answer: A. x", "A. x", "x"),
        ("(B) the sea", "(B) the sea", "the sea"),
        ("**B.** dog", "B. dog", "dog"),
        ("B) dog\nC) cat", "B) dog", "dog"),
        ("A. A. Milne", "A. A. Milne", "A. Milne"),
        ("\n**Lima**\n", "Lima", "Lima"),
        ("3.5 m", "3.5 m", "3.5 m"),
        ("B", "B", "B"),
        ("", "", ""),
    ],
)
def test_answers(text: str, answer: str, option: str) -> None:
    assert read_answer(text) == answer
    assert read_answer(text, option=True) == option
