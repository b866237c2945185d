"""The first sentence of an encyclopedia page gives dates, a nationality and makers, besides what the subject is."""

from __future__ import annotations

import pytest

from autoact.stages.by_type.clauses import split_clauses
from autoact.stages.by_type.corpus_words import CorpusWords
from autoact.stages.by_type.lead import list_statements, name_pages, plain_sentences
from autoact.stages.by_type.readers import read_form, read_introduction
from autoact.trajectory import Page

SORRIN = Page(
    "Mila Sorrin",
    "Mila Ada Sorrin, CBE (pronounced ; June 3, 1912 – 9 February 1990) was a Danish chemist. She found kavium.",
)
ORVANE = Page("Orvane", '"Orvane" is a film directed by the Dutch artist Tobias Wren and opened in May 1965.')


def stated(page: Page) -> list[str]:
    return [one.text for one in list_statements(page)]


def test_a_life_gives_two_years_and_a_nationality() -> None:
    assert stated(SORRIN) == [
        "Mila Sorrin was born in 1912", "Mila Sorrin died in 1990", "The nationality of Mila Sorrin is Danish",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Red March", "Red March (22 June 1941 – 5 December 1941) was the invasion of Harvia."),
        ("Telk Lines", "Telk Lines (3 May 1912 – 9 June 1990) was an airline of Harvia."),
        ("Orvane", "Orvane is an album featuring songs written by Mila Sorrin."),
        ("Orvane", "Orvane is a sequel to the novel by the Harvian author Mila Sorrin."),
    ],
)
def test_an_event_has_no_life_and_a_part_no_maker(title: str, text: str) -> None:
    assert stated(Page(title, text)) == []


def test_a_conviction_is_no_nationality() -> None:
    assert stated(Page("Ivo Holm", "Ivo Holm (born 1912) was a Franciscan friar.")) == ["Ivo Holm was born in 1912"]


def test_a_work_gives_its_maker_and_its_year() -> None:
    assert stated(ORVANE) == ["Tobias Wren directed Orvane", "Orvane was opened in 1965"]


@pytest.mark.parametrize(
    ("title", "text", "statements"),
    [
        ("Ada Hest", "Ada Hest (born 1950) is a writer.", ["Ada Hest was born in 1950"]),
        ("Blue Hour", "Blue Hour is a novel by Norwegian writer Ada Hest.", ["Ada Hest wrote Blue Hour"]),
        ("Telk", "Telk is a game developed by Ada van Hest.", ["Ada van Hest developed Telk"]),
        ("Blue Hour", "Blue Hour is a novel by Ada Hest.", []),  # the model asks about this one
        ("Red Hour", "Red Hour is the first album by the Danish rock band The Telks.", ["The Telks recorded Red Hour"]),
        ("Red Hour", "Red Hour is a film directed by Ada Hest and Tobias Wren.", []),  # one of several
        ("Red Hour", "Red Hour is a film directed by Ada Hest, Tobias Wren and Bo Lind.", []),
        (
            "Red Hour",
            "Red Hour is a silent film. The film was directed by Ada Hest and came out in Selk.",
            ["Ada Hest directed Red Hour"],
        ),
        ("Red Hour", "Red Hour is a silent film. It is loud. It was directed by Ada Hest.", []),  # or what is loud
        ("Red Hour", "Red Hour is a novel about a film. The film was directed by Ada Hest.", []),
        ("Telks", "Telks are a rock band from Selk, formed in 1998.", ["Telks was formed in 1998"]),
        (
            "Red Hour",
            "Red Hour is a song by the Telks, formed in 1998.",
            ["Telks recorded Red Hour"],
        ),  # formed: the band
        (
            "Ned Hest",
            'Edwin "Ned" Hest Jr. (3 May 1912 – 2 June 1990) was a retired Danish painter.',
            ["Ned Hest was born in 1912", "Ned Hest died in 1990", "The nationality of Ned Hest is Danish"],
        ),
        (
            "Lady Telk",
            "Ada Mila Hest (born 3 May 1912), known professionally as Lady Telk, is a singer.",
            ["Lady Telk was born in 1912"],
        ),
        ("Ada Hest filmography", "Ada Hest (born 3 May 1912) is an actress.", []),
        ("Telk War", "Telk War (3 May 1912 – 2 June 1913) was a war. A general lost his life.", []),  # nobody's life
        ("Orvane", "Orvane is a film by Tobias Wren (born 1950).", []),  # another's life
        ("Ada Hest", "Ada Hest (born 1950) is a Republican politician.", ["Ada Hest was born in 1950"]),
        ("Emma", "Emma is a 1996 film based on the novel by English author Ada Hest.", []),  # maker of something else
        ("Emma", "Emma is a song by American singer Ada Hest.", ["Ada Hest recorded Emma"]),
        ("Selk", "Selk is the capital and largest city of Brunia, on the Orm.", ["Selk is the capital of Brunia"]),
        ("Selk", "Selk was the capital of the Orm Islands in 1310.", ["Selk was the capital of the Orm Islands"]),
        ("Selk", "Selk is the capital of a region of Brunia.", []),
        (" ", '" " is a sign.', []),
        ("Telk Prize", "The prize is an award founded in 1912.", []),  # about something else
        ("Empty", "", []),
    ],
)
def test_statements_of_first_sentences(title: str, text: str, statements: list[str]) -> None:
    assert stated(Page(title, text)) == statements


@pytest.mark.parametrize(
    "page",
    [
        SORRIN,
        ORVANE,
        Page("Red Hour", "Red Hour is a song by rock band Telks (2)."),
        Page("Selk", "Selk is the capital of Brunia."),
    ],
)
def test_each_statement_answers_its_question(page: Page) -> None:
    words = CorpusWords([page, Page("Telks", "Telks is a band."), Page("Brunia", "Brunia is a country.")])
    clauses = [clause for clause in split_clauses(page, page.title) if clause.question]
    assert len(clauses) == len(stated(page)) > 0
    for clause in clauses:
        reading = read_form(clause.question, clause, words)
        assert not isinstance(reading, str)
        assert reading.answer in clause.source


def test_a_longer_name_becomes_the_title_and_brackets_are_dropped() -> None:
    assert plain_sentences(SORRIN) == ["Mila Sorrin was a Danish chemist.", "She found kavium."]
    assert [clause.text for clause in split_clauses(SORRIN, "Mila Sorrin")][3:] == [
        "Mila Sorrin was a Danish chemist", "Mila Sorrin found kavium",
    ]  # fmt: skip


def test_the_question_says_whether_a_band_or_a_person_recorded_something() -> None:
    makers = ("the Danish rock band Telks", "Danish singer Ada Hest", "Telks")
    asked = [next(list_statements(Page("Red Hour", f"Red Hour is a song by {maker}."))).question for maker in makers]
    assert asked == ["Which band recorded {}?", "Who recorded {}?", "Which band recorded {}?"]


def test_a_phrase_that_holds_the_title_is_no_longer_name() -> None:
    page = Page("Dunia", "The capital of Dunia is Orvane. It is old.")
    assert plain_sentences(page) == ["The capital of Dunia is Orvane.", "It is old."]


def test_an_introduction_ends_before_what_was_done() -> None:
    introduction = read_introduction(next(one for one in split_clauses(ORVANE, "Orvane") if not one.question))
    assert introduction is not None
    assert introduction.answer == "film"


def test_titles_lose_their_brackets_unless_two_pages_then_have_one_title() -> None:
    pages = [
        Page("Muse (band)", "a"),
        Page("(500) Days", "e"),
        Page("Orvane", "b"),
        Page("Telk (river)", "c"),
        Page("Telk (town)", "d"),
    ]
    assert [page.title for page in name_pages(pages)] == ["Muse", "(500) Days", "Orvane"]
