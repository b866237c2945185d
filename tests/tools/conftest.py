"""Where tests find the shared data, and small corpora."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autoact.tools.library.library import Library, ToolContext
from autoact.tools.pages.corpus import Corpus, Page

CURIE = Page(
    "Marie Curie",
    "Marie Curie was a physicist born in Warsaw. She won the Nobel Prize in Physics in 1903. "
    "She moved to Paris to study. In 1911 she won the Nobel Prize in Chemistry.",
)
PAGES = (
    CURIE,
    Page("Pierre Curie", "Pierre Curie was a French physicist. He shared a Nobel Prize with Marie Curie."),
    Page("Mercury (planet)", "Mercury is the smallest planet."),
    Page("Mercury (element)", "Mercury is a liquid metal."),
    Page("The Beatles", "The Beatles were a band from Liverpool."),
    Page("1998 Open", "The 1998 Open was a golf tournament."),
    Page("Kraków (city)", "Kraków is a city in Poland."),
)


@pytest.fixture
def corpus() -> Corpus:
    return Corpus.of_pages(PAGES)


@pytest.fixture
def library(corpus: Corpus) -> Library:
    return Library.load(None, ToolContext(corpus))


@pytest.fixture
def hotpot() -> Path:
    beside = Path(__file__).resolve().parents[2].parent / "shared"
    file = Path(os.environ.get("AUTOACT_SHARED", beside)) / "data" / "hotpotqa" / "dev.jsonl"
    if not file.exists():
        pytest.skip("shared data: set AUTOACT_SHARED to their folder")
    return file
