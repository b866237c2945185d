"""Questions composed of facts, with answers by rule."""

from __future__ import annotations

import pytest
from invented_pages import PAGES, read_fact

from autoact.stages.by_type.clauses import split_clauses
from autoact.stages.by_type.composition import (
    compose_comparison,
    compose_polar,
    compose_same,
    compose_two_hop,
    find_comparative,
)
from autoact.stages.by_type.corpus_words import CorpusWords
from autoact.stages.by_type.facts import Fact
from autoact.stages.by_type.readers import read_introduction
from autoact.trajectory import Page

MORE = (
    Page("Orm", "The Orm is a river in Brunia. It is about 1,200 kilometers long."),
    Page("Telk", "The Telk is a river. It is about 300 kilometers long."),
    Page("Harp", "The harp is an instrument. It has 47 strings."),
    Page("Lute", "The lute is an instrument. It has twelve strings."),
    Page("Kavium", "Kavium is a metal. Its atomic number is 92."),
    Page("Borium", "Borium is a metal. Its atomic number is 7."),
    Page("Iva Holm", "Iva Holm was a Harvian painter."),
    Page("Eli Moor", "Eli Moor was a Harvian painter who lived alone."),
    Page("Bo Lind", "Bo Lind was a Brunian painter."),
    Page("Una Rask", "Una Rask was a Brunian poet."),
    Page("Vessia", "Vessia is a country. Its currency is the orb."),
    Page("Ard", "Ard is the capital of Vessia."),
    Page("Ada Lark", "Ada Lark was a singer. She was born in Dunmore in 1900."),
)
WORDS = CorpusWords((*PAGES, *MORE))


def fact(title: str, question: str, words: CorpusWords = WORDS) -> Fact:
    return read_fact(title, question, words)


CAPITAL = fact("Harvia", "What is the capital of Harvia?")
FOUNDED = fact("Dunmore", "In what year was Dunmore founded?")
MILA, TOBIAS = (fact(name, f"In what year was {name} born?") for name in ("Mila Sorrin", "Tobias Wren"))
BIRTHPLACE = fact("Mila Sorrin", "Where was Mila Sorrin born?")
WROTE = fact("The Glass Orchard", "Who wrote The Glass Orchard?")


@pytest.mark.parametrize(
    ("first", "second", "text", "answer"),
    [
        (CAPITAL, FOUNDED, "In what year was the capital of Harvia founded?", "1204"),
        (WROTE, TOBIAS, "In what year was the author of The Glass Orchard born?", "1765"),
        (BIRTHPLACE, FOUNDED, "In what year was the city where Mila Sorrin was born founded?", "1204"),
        (fact("Dunmore", "On which river does Dunmore stand?"), fact("Telk", "How long is the Telk?"),
         "How long is the river on which Dunmore stands?", "300 kilometers"),
        (fact("Ard", "Of which country is Ard the capital?"), fact("Vessia", "What is the currency of Vessia?"),
         "What is the currency of the country of which Ard is the capital?", "orb"),
        (BIRTHPLACE, fact("Dunmore", "Of which country is Dunmore the capital?"),
         "Of which country is the city where Mila Sorrin was born the capital?", "Harvia"),
    ],
)  # fmt: skip
def test_two_hop(first: Fact, second: Fact, text: str, answer: str) -> None:
    composed = compose_two_hop(first, second, WORDS)
    assert composed is not None
    assert (composed.text, composed.answer, composed.gold) == (text, answer, (first.page, second.page))


def test_a_place_is_described_by_what_its_page_says_that_it_is() -> None:
    pages = (
        Page("Brunia", "Brunia is a country. The capital of Brunia is Selk. Its currency is the orm."),
        Page("Mount Ark", "Mount Ark is high. It stands in Brunia."),
    )
    words = CorpusWords(pages)
    stands = fact("Mount Ark", "Where does Mount Ark stand?", words)
    composed = compose_two_hop(stands, fact("Brunia", "What is the capital of Brunia?", words), words)
    assert composed is not None
    assert composed.text == "What is the capital of the country where Mount Ark stands?"


def test_no_two_hop_question_without_a_second_hop() -> None:
    assert compose_two_hop(CAPITAL, MILA, WORDS) is None  # another page
    assert compose_two_hop(MILA, FOUNDED, WORDS) is None  # the answer is no page
    again = fact("Dunmore", "On which river does Dunmore stand?")
    shown = Page("Harvia", "Harvia is a country. The capital of Harvia is Dunmore. The Telk flows there.")
    assert compose_two_hop(CAPITAL, again, CorpusWords((shown, *PAGES[1:]))) is None  # the first page has the answer


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        (MILA, TOBIAS, "Who was born first, Tobias Wren or Mila Sorrin?",
         "Who was born later, Mila Sorrin or Tobias Wren?"),
        (fact("Orm", "How long is the Orm?"), fact("Telk", "How long is the Telk?"),
         "Which river is shorter, the Telk or the Orm?", "Which river is longer, the Orm or the Telk?"),
        (fact("Harp", "How many strings does the harp have?"), fact("Lute", "How many strings does the lute have?"),
         "Which instrument has fewer strings, the lute or the harp?",
         "Which instrument has more strings, the harp or the lute?"),
        (fact("Kavium", "What is the atomic number of Kavium?"), fact("Borium", "What is the atomic number of Borium?"),
         "Which metal has the lower atomic number, Borium or Kavium?",
         "Which metal has the higher atomic number, Kavium or Borium?"),
    ],
)  # fmt: skip
def test_comparisons(one: Fact, other: Fact, least: str, most: str) -> None:
    for text, wanted in ((least, True), (most, False)):
        composed = compose_comparison(one, other, WORDS, least=wanted, winner_first=True)
        assert composed is not None
        assert composed.text == text
        assert composed.answer in text or composed.answer.lower() in text
        assert composed.gold[0].lower() == composed.answer.lower()
        turned = compose_comparison(other, one, WORDS, least=wanted, winner_first=False)
        assert turned is not None
        assert (turned.answer, turned.gold) == (composed.answer, composed.gold[::-1])


def test_only_like_facts_are_compared() -> None:
    assert compose_comparison(MILA, FOUNDED, WORDS, least=True, winner_first=True) is None
    assert compose_comparison(MILA, MILA, WORDS, least=True, winner_first=True) is None
    died = fact("Tobias Wren", "In what year did Tobias Wren die?")
    assert compose_comparison(MILA, died, WORDS, least=True, winner_first=True) is None


@pytest.mark.parametrize(
    ("one", "stated", "text"),
    [
        (CAPITAL, CAPITAL, "Is Dunmore the capital of Harvia?"),
        (CAPITAL, fact("Brunia", "What is the capital of Brunia?"), "Is Selk the capital of Harvia?"),
        (MILA, TOBIAS, "Was Mila Sorrin born in 1765?"),
        (BIRTHPLACE, BIRTHPLACE, "Was Mila Sorrin born in Dunmore?"),
        (WROTE, WROTE, "Was it Tobias Wren who wrote The Glass Orchard?"),
        (fact("Orm", "How long is the Orm?"), fact("Telk", "How long is the Telk?"), "Is the Orm 300 kilometers long?"),
        (fact("Harp", "How many strings does the harp have?"), fact("Lute", "How many strings does the lute have?"),
         "Does the harp have twelve strings?"),
    ],
)  # fmt: skip
def test_a_yes_no_question_about_one_fact(one: Fact, stated: Fact, text: str) -> None:
    composed = compose_polar(one, stated, WORDS)
    assert composed is not None
    assert (composed.text, composed.answer, composed.gold) == (text, "yes" if one is stated else "no", (one.page,))


def introduction(title: str) -> Fact:
    clause = split_clauses(WORDS.pages[title.lower()], WORDS.name(WORDS.pages[title.lower()]))[0]
    reading = read_introduction(clause)
    assert reading is not None
    return Fact(title, clause.name, f"What {reading.form.auxiliary} {{}}?", reading, clause.text)


def test_introductions_are_material_for_yes_no_questions_only() -> None:
    iva, bo, una = (introduction(name) for name in ("Iva Holm", "Bo Lind", "Una Rask"))
    composed = compose_polar(iva, iva, WORDS)
    assert composed is not None
    assert (composed.text, composed.answer) == ("Was Iva Holm a Harvian painter?", "yes")
    composed = compose_polar(bo, iva, WORDS)
    assert composed is not None
    assert (composed.text, composed.answer) == ("Was Bo Lind a Harvian painter?", "no")
    assert compose_polar(una, iva, WORDS) is None  # a poet may paint, too
    (both,) = compose_same(iva, introduction("Eli Moor"), WORDS)
    assert (both.text, both.answer) == ("Were Iva Holm and Eli Moor both Harvian painters?", "yes")
    (both,) = compose_same(iva, bo, WORDS)
    assert (both.text, both.answer) == ("Were Iva Holm and Bo Lind both Harvian painters?", "no")
    assert list(compose_same(iva, una, WORDS)) == []
    assert compose_two_hop(WROTE, introduction("Tobias Wren"), WORDS) is None


def test_what_the_page_also_says_is_not_asked_as_wrong() -> None:
    died = fact("Mila Sorrin", "In what year did Mila Sorrin die?")
    assert compose_polar(MILA, died, WORDS) is None


def test_a_place_in_another_is_not_asked_as_wrong() -> None:
    pages = (
        Page("Arch", "Arch is a tower. It stands in Selk."),
        Page("Belfry", "Belfry is a tower. It stands in Brunia."),
        Page("Selk", "Selk is the capital of Brunia."),
    )
    words = CorpusWords(pages)
    arch, belfry = (fact(name, f"Where does {name} stand?", words) for name in ("Arch", "Belfry"))
    assert compose_polar(arch, belfry, words) is None  # Selk is in Brunia
    assert list(compose_same(belfry, arch, words)) == []
    assert compose_polar(belfry, arch, words) is not None


def test_a_yes_no_question_about_two_facts() -> None:
    ada = fact("Ada Lark", "Where was Ada Lark born?")
    (both,) = compose_same(BIRTHPLACE, ada, WORDS)
    assert (both.text, both.answer) == ("Were Mila Sorrin and Ada Lark both born in Dunmore?", "yes")
    (both,) = compose_same(ada, fact("Tobias Wren", "Where was Tobias Wren born?"), WORDS)
    assert (both.text, both.answer) == ("Were Ada Lark and Tobias Wren both born in Dunmore?", "no")
    (year,) = compose_same(MILA, TOBIAS, WORDS)
    assert (year.text, year.answer) == ("Were Mila Sorrin and Tobias Wren born in the same year?", "no")
    assert year.gold == ("Mila Sorrin", "Tobias Wren")
    of_harvia, of_brunia = (fact(name, f"Of which country is {name} the capital?") for name in ("Dunmore", "Selk"))
    assert list(compose_same(of_harvia, of_brunia, WORDS)) == []  # a country has one capital


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Who was born first, Iva Holm or Bo Lind?", "first"),
        ("Which has the lower atomic number, Kavium or Borium?", "lower"),
        ("Which lake is less deep, the Telk or the Orm?", "less deep"),
        ("Who played more strings, Iva Holm or Bo Lind?", "more"),
        ("Which river is nearer, the Orm or the longer Telk?", ""),
    ],
)
def test_the_word_of_a_comparison_is_found_before_its_subjects(text: str, word: str) -> None:
    assert find_comparative(text) == word
