"""WebSearch, Retrieve and Lookup as an agent sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoact.english.sentences import shorten
from autoact.script import Observation
from autoact.tools.library.library import Library, ToolContext, ToolSession
from autoact.tools.pages.corpus import Corpus, Page


@pytest.fixture
def session(library: Library) -> ToolSession:
    return library.session()


def seen(observation: Observation) -> tuple[str, bool]:
    return observation.text, observation.failed


def test_search_shows_the_sentence_nearest_to_the_query(session: ToolSession) -> None:
    observation = session.call("WebSearch", "when was the Nobel Prize in Chemistry won")
    assert not observation.failed
    assert observation.text.startswith("1. Marie Curie: In 1911 she won the Nobel Prize in Chemistry.")
    assert "2. Pierre Curie: He shared a Nobel Prize with Marie Curie." in observation.text


def test_search_without_hits(session: ToolSession) -> None:
    assert seen(session.call("WebSearch", "zebra?")) == ("No results for [zebra?].", True)


def test_search_shares_its_room(corpus: Corpus) -> None:
    pages = [Page(f"Page {n}", "gold " * 400 + ".") for n in range(5)]
    text = Library.load(None, ToolContext(Corpus.of_pages(pages))).session().call("WebSearch", "gold").text
    assert len(text) <= 600
    assert [f"{n}. Page" in text for n in (1, 2, 3, 4)] == [True, True, True, False]


def test_retrieve_ends_at_a_sentence() -> None:
    page = Page("Sea", "The sea is wide and blue. " * 40)
    text = Library.load(None, ToolContext(Corpus.of_pages([page]))).session().call("Retrieve", "sea").text
    assert text.endswith("blue.")
    assert 370 < len(text) <= 400


def test_retrieve_shows_the_title_it_guessed(session: ToolSession) -> None:
    assert session.call("Retrieve", "Mari Curei").text.startswith("Marie Curie: Marie Curie was")
    assert session.call("Retrieve", "marie_curie").text.startswith("Marie Curie was")


def test_a_miss_names_similar_titles(session: ToolSession) -> None:
    text, failed = seen(session.call("Retrieve", "Mercury"))
    assert failed
    assert text.startswith("Could not find [Mercury]. Similar: [")
    assert {"Mercury (planet)", "Mercury (element)"} <= set(text.rpartition("[")[2].removesuffix("]").split("; "))


def test_over_an_empty_corpus_no_tool_is_ready_that_reads_it() -> None:
    library = Library.load(None, ToolContext(Corpus.of_pages(())))
    assert not {"Retrieve", "WebSearch", "Lookup"} & {tool.name for tool in library.ready()}
    for name, way_out in (("Retrieve", 'source = "wikipedia"'), ("WebSearch", 'source = "ddgs"')):
        text, failed = seen(library.session().call(name, "Sea"))
        assert failed
        assert "the corpus is empty" in text
        assert way_out in text


def test_lookup_is_ready_where_one_of_the_tools_before_it_is(corpus: Corpus, tmp_path: Path) -> None:
    entries = {name: f"[[tool]]\nname = '{name}'\n" for name in ("Lookup", "WebSearch")}
    (tmp_path / "one.toml").write_text(entries["Lookup"])
    (tmp_path / "two.toml").write_text("".join(entries.values()))
    assert Library.load(tmp_path / "one.toml", ToolContext(corpus)).ready() == []
    assert [tool.name for tool in Library.load(tmp_path / "two.toml", ToolContext(corpus)).ready()] == [
        "Lookup", "WebSearch",
    ]  # fmt: skip


def test_the_pages_of_a_data_set_go_before_the_source_that_is_set(corpus: Corpus) -> None:
    online = {"Retrieve": {"source": "wikipedia"}, "WebSearch": {"source": "ddgs"}}
    library = Library.load(None, ToolContext(corpus, online, data_pages=True))
    session = library.session()
    assert session.call("Retrieve", "The Beatles").text.startswith("The Beatles were a band")
    assert not session.call("WebSearch", "Beatles").failed
    assert all(not record.powers for record in library.records() if record.name in online)


def test_lookup_moves_on_and_starts_anew(session: ToolSession) -> None:
    first = ("(Result 1 / 2) She won the Nobel Prize in Physics in 1903.", False)
    assert seen(session.call("Lookup", "prize")) == ("Lookup needs a page first: use Retrieve or WebSearch.", True)
    session.call("Retrieve", "Marie Curie")
    assert seen(session.call("Lookup", "nobel prize")) == first
    assert seen(session.call("Lookup", "Nobel  Prize"))[0].startswith("(Result 2 / 2) In 1911")
    for _ in range(2):
        assert seen(session.call("Lookup", "Nobel Prize")) == ("No more results.", True)
    assert seen(session.call("Lookup", "Paris")) == ("(Result 1 / 1) She moved to Paris to study.", False)
    assert seen(session.call("Lookup", "nobel prize")) == first
    session.call("Retrieve", "Marie Curie")
    assert seen(session.call("Lookup", "nobel prize")) == first


def test_lookup_keeps_the_page_after_a_miss(session: ToolSession) -> None:
    session.call("Retrieve", "Marie Curie")
    session.call("Retrieve", "Nothing like it")
    assert seen(session.call("Lookup", "zebra")) == ("No sentence of [Marie Curie] contains [zebra].", True)
    assert seen(session.call("Lookup", "Physics prize"))[0].startswith("(Result 1 / 1) She won")


def test_lookup_after_a_search_names_the_pages(session: ToolSession) -> None:
    session.call("WebSearch", "Curie Nobel Prize")
    assert seen(session.call("Lookup", "French")) == (
        "(Result 1 / 1) Pierre Curie: Pierre Curie was a French physicist.",
        False,
    )


def test_sessions_do_not_share_their_pages(library: Library) -> None:
    library.session().call("Retrieve", "Marie Curie")
    assert library.session().call("Lookup", "Paris").failed


@pytest.mark.parametrize(
    ("text", "room", "expected"),
    [("one two", 7, "one two"), ("one two three", 9, "one two…"), ("one two three", 8, "one two…"),
     ("a\n b\t\u2028c", 9, "a b c"),
     ("x" * 20, 5, "xxxx…"), ("", 5, "")],
)  # fmt: skip
def test_shortened(text: str, room: int, expected: str) -> None:
    assert shorten(text, room) == expected
