"""Overlap of texts, against BLEU computed as its definition says, and near duplicates."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import pytest

from autoact.lab.inspection.duplicates import nearest_pairs
from autoact.lab.inspection.overlap import distinct_pairs, draw_sample, most_common_opening, self_bleu
from autoact.trajectory import Question

TEXTS = [
    "What is the capital of Peru?",
    "What is the capital city of the large country Ghana?",
    "What is the capital of Malta?",
    "Who wrote the opera?",
]


def bleu(words: list[str], others: list[list[str]]) -> float:
    """BLEU-4 by its definition, with 0.1 for no match."""
    logs = 0.0
    for order in range(1, 5):
        own = Counter(tuple(words[at : at + order]) for at in range(len(words) - order + 1))
        every = [Counter(tuple(one[at : at + order]) for at in range(len(one) - order + 1)) for one in others]
        matches = sum(min(count, max(one[gram] for one in every)) for gram, count in own.items())
        logs += math.log((matches or 0.1) / max(1, own.total())) / 4
    nearest = min((len(one) for one in others), key=lambda length: (abs(length - len(words)), length))
    return min(1.0, math.exp(1 - nearest / len(words))) * math.exp(logs)


def test_self_bleu_is_the_mean_over_texts() -> None:
    split = [text.lower().strip("?").split() for text in TEXTS]
    expected = sum(bleu(one, split[:at] + split[at + 1 :]) for at, one in enumerate(split)) / len(split)
    assert self_bleu(TEXTS) == pytest.approx(expected)
    assert self_bleu(["the same long text here"] * 3) == pytest.approx(1.0)
    assert self_bleu(TEXTS[:1]) == self_bleu([]) == self_bleu(["?", "!"]) == 0.0


def test_distinct_pairs_and_openings() -> None:
    assert distinct_pairs(["a b a b", "b c"]) == 3 / 4  # ab, ba, ab, bc
    assert len(list(pairwise("abab"))) == 3
    assert distinct_pairs(["one"]) == 0.0
    assert most_common_opening([*TEXTS, "?"]) == ("what is the", 3 / 4)
    assert most_common_opening([]) == ("", 0.0)


def test_a_sample_does_not_depend_on_the_order() -> None:
    texts = [f"text {number}" for number in range(50)]
    assert draw_sample(texts, 5) == draw_sample(texts[::-1], 5)
    assert sorted(draw_sample(texts)) == sorted(texts)


def asked(*texts: str) -> list[Question]:
    return [Question(str(at), text) for at, text in enumerate(texts)]


def test_the_nearest_pairs_come_first() -> None:
    pairs = nearest_pairs(asked(*TEXTS, "What is the capital of PERU"), least=70)
    assert [(round(one.similarity), one.first[-6:], one.second[-6:]) for one in pairs] == [
        (100, "f PERU", " Peru?"), (pytest.approx(86, abs=6), "Malta?", " Peru?"),
    ]  # fmt: skip
    assert nearest_pairs(asked(*TEXTS)) == []


def test_pairs_between_two_sets() -> None:
    (pair,) = nearest_pairs(asked("Who sings?", "What is the capitol of Peru?"), asked(*TEXTS))
    assert (pair.first, pair.second) == ("What is the capitol of Peru?", "What is the capital of Peru?")
    assert nearest_pairs(asked("Who sings?"), []) == nearest_pairs([]) == []
