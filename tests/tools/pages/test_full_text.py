"""Search stays with what tells pages apart when very many pages hold the same words."""

from __future__ import annotations

import pytest

from autoact.tools.pages.corpus import Corpus, Page
from autoact.tools.pages.full_text import MOST_RANKED

COMMON = MOST_RANKED + 100


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Every page holds stone, nearly every one grey; one page holds quartz, another is titled by a common word."""
    pages = [Page(f"Stones of the valley {number}", "A grey stone.") for number in range(COMMON)]
    return Corpus.of_pages([*pages, Page("Quarry", "A stone with quartz in it."), Page("Stone", "It is hard.")])


def test_rare_words_decide_where_common_ones_cannot(corpus: Corpus) -> None:
    assert [page.title for page in corpus.search("Which grey stone has quartz?", 5)] == ["Quarry"]


def test_a_rare_word_that_nothing_holds_hides_no_page(corpus: Corpus) -> None:
    assert corpus.search("stone xylophone", 1)[0].title == "Stone"


def test_common_words_find_the_shortest_title_first(corpus: Corpus) -> None:
    assert corpus.search("stone", 1)[0].title == "Stone"
    assert [page.title for page in corpus.search("stones valley", 2)] == [
        "Stones of the valley 0",
        "Stones of the valley 1",
    ]


def test_common_words_of_no_title_find_pages_with_all_of_them(corpus: Corpus) -> None:
    found = corpus.search("grey stones", 3)
    assert len({page.title for page in found}) == 3
    assert all("grey stone" in page.text for page in found)


def test_words_that_nothing_holds_find_nothing(corpus: Corpus) -> None:
    assert [corpus.search(query) for query in ("basalt", "?", "")] == [[], [], []]
