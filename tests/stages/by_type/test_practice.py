"""The facts of which questions are composed."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from invented_pages import MATERIAL, read_fact

from autoact.project.config import QuestionShares, SelfInstruct
from autoact.stages.by_type import practice
from autoact.stages.by_type.corpus_words import CorpusWords
from autoact.stages.by_type.facts import FactDraft
from autoact.stages.by_type.practice import TypedPractice
from autoact.trajectory import Page

RIVERS = tuple(Page(name, f"The {name} is a river. It is about {ord(name[0])} kilometers long.") for name in (
    "Aun", "Bex", "Cho", "Dal", "Erm", "Fey", "Gur", "Hol",
))  # fmt: skip


def test_facts_of_a_pattern_that_is_used_up_are_not_compared_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[str, str]] = []

    def compose(one: Any, other: Any, *arguments: Any, **named: Any) -> Any:
        tried.append((one.page, other.page))
        return composed(one, other, *arguments, **named)

    composed = practice.compose_comparison
    monkeypatch.setattr(practice, "compose_comparison", compose)
    words = CorpusWords(RIVERS)
    questions = TypedPractice(MATERIAL, SelfInstruct(target=100, types=QuestionShares(comparison=1)), words)
    questions.wanted["comparison"] = 10  # a fifth of them, two, may have one pattern
    for river in RIVERS:
        fact = read_fact(river.title, f"How long is the {river.title}?", words)
        assert not questions.add(FactDraft(river.title, fact.ask(), fact.answer, fact))
    assert len(list(questions.compose())) == 2
    assert len(tried) == len(list(combinations(RIVERS, 2)))
    tried.clear()
    assert not list(questions.compose())
    assert not tried
