"""What the texts of a corpus say about names."""

from __future__ import annotations

import pytest

from autoact.stages.by_type.corpus_words import CorpusWords
from autoact.trajectory import Page

PAGES = (
    Page("Orvane", "Orvane is an old port city in Harvia. The town is small. He saw the mountains."),
    Page("Dusk", "Dusk is a painting by Jon Utz. He made it in Orvane."),
    Page("Mila Sorrin", "Mila Sorrin was a Brunian chemist. She was born in Orvane."),
)
WORDS = CorpusWords(PAGES)


@pytest.mark.parametrize(
    ("title", "text", "corpus", "name"),
    [
        ("Harp", "The harp is tall.", "She played the harp.", "the harp"),
        ("Gold", "Gold is a metal.", "Rings of gold. The gold shines.", "gold"),
        ("Paris", "Paris is a city.", "He lived in Paris.", "Paris"),
        ("The Scream", "The Scream is a painting.", "He saw The Scream.", "The Scream"),
    ],
)
def test_a_name_is_spelled_as_in_running_text(title: str, text: str, corpus: str, name: str) -> None:
    page = Page(title, text)
    assert CorpusWords((page, Page("Other", corpus))).name(page) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Mila Sorrin", True), ("Orvane", False), ("Dusk", False), ("King Bor", True), ("Jon Utz", True), ("Utz", False),
     ("Grey Mountains", False)],
)  # fmt: skip
def test_persons(name: str, expected: bool) -> None:
    assert WORDS.is_person(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Orvane", True), ("Selk", True), ("Mila Sorrin", False), ("July", False), ("English", False), ("Brunian", False)],
)
def test_places(name: str, expected: bool) -> None:
    assert WORDS.may_be_place(name) == expected


@pytest.mark.parametrize(
    ("name", "noun", "expected"),
    [("Orvane", "city", True), ("Orvane", "port city", True), ("Orvane", "town", True), ("Orvane", "country", False),
     ("Lake Ombar", "lake", True), ("Selk", "city", False)],
)  # fmt: skip
def test_kinds(name: str, noun: str, expected: bool) -> None:
    assert WORDS.is_a(name, noun) == expected
