"""What a question asks, and whether the clause says it."""

from __future__ import annotations

import pytest

from autoact.stages.by_type.clauses import Clause
from autoact.stages.by_type.corpus_words import CorpusWords
from autoact.stages.by_type.forms import SEVERAL, UNFIT, UNREADABLE, UNSAID, Reading
from autoact.stages.by_type.readers import read_form
from autoact.trajectory import Page

PAGES = (
    Page("Orvane", "Orvane is a city in Harvia. It stands on the river Telk."),
    Page("Harvia", "Harvia is a country. The capital of Harvia is Dunmore."),
    Page("Mila Sorrin", "Mila Sorrin was a Harvian chemist. She was born in Orvane in 1791."),
    Page("Telk", "The Telk is a river. It is about 1,200 kilometers long."),
)
WORDS = CorpusWords(PAGES)


def read(question: str, clause: str) -> Reading | str:
    return read_form(question, Clause(Page("{}", ""), "{}", clause), WORDS)


@pytest.mark.parametrize(
    ("question", "clause", "answer", "statement"),
    [
        ("In what year was {} born?", "{} was born in Orvane in 1791", "1791", "{} was born"),
        ("In what year did {} die?", "{} died in 1850 and left a book", "1850", "{} died"),
        ("In what year did Mila Sorrin discover {}?", "In 1794 Mila Sorrin discovered {}", "1794",
         "Mila Sorrin discovered {}"),
        ("Where was {} born?", "{} was born in Dunmore in 1791", "Dunmore", "{} was born"),
        ("In which city was {} born?", "{} was born in Orvane in 1791", "Orvane", "{} was born"),
        ("On which river does {} stand?", "{} stands on the river Telk", "Telk", "{} stands"),
        ("On which island does {} lie?", "{} lies on the island of Brun", "Brun", "{} lies"),
        ("Where does {} stand?", "{} stands in Harvia and belongs to Brunia", "Harvia", "{} stands"),
        ("How many strings does {} have?", "{} has 47 strings and seven pedals", "47", "{} has"),
        ("How high is {}?", "{} is about 330 meters tall", "330 meters", "{} is"),
        ("What is the capital of {}?", "The capital of {} is Dunmore", "Dunmore", "the capital of {}"),
        ("What is the currency of {}?", "{}'s currency is the telk", "telk", "the currency of {}"),
        ("Who was the wife of {}?", "{}'s wife was named Ada", "Ada", "the wife of {}"),
        ("What was the name of the wife of {}?", "{}'s wife was named Ada", "Ada", "the wife of {}"),
        ("What does {} eat?", "{} eats krill", "krill", "{} eats"),
        ("Which planet was {} named after?", "{} was named after the planet Vorn", "Vorn", "{} was named after"),
        ("Who discovered {}?", "The Harvian chemist Mila Sorrin discovered {} in 1794", "Mila Sorrin", "discovered {}"),
        ("Who wrote {}?", "{} is a fantasy novel by Tobias Wren", "Tobias Wren", "wrote {}"),
        ("Who painted {}?", "{} was painted by Tobias Wren in 1503", "Tobias Wren", "painted {}"),
        ("Which architect designed {}?", "The architect Jon Utz designed {}", "Jon Utz", "designed {}"),
    ],
)  # fmt: skip
def test_the_answer_is_what_the_clause_says(question: str, clause: str, answer: str, statement: str) -> None:
    reading = read(question, clause)
    assert isinstance(reading, Reading), reading
    assert (reading.answer, reading.form.statement) == (answer, statement)


@pytest.mark.parametrize(
    ("question", "clause", "why"),
    [
        ("Why is {} cold?", "{} is cold", UNREADABLE),
        ("In what year was {} born?", "{} died in 1850", UNSAID),
        ("In what year did {} die?", "{} died in Orvane", UNFIT),
        ("In what year did {} work in Orvane?", "From 1892 to 1895 {} worked in Orvane", UNFIT),
        ("In what year did {} work in Orvane?", "{} worked in Orvane in 1892 and in 1895", SEVERAL),
        ("In what year did {} leave?", "{} left when Orvane burned in 1895", UNSAID),
        ("In what year was {} reached?", "Jon Utz reached {} in 1895", UNSAID),
        ("In which country was {} born?", "{} was born in Orvane in 1791", UNFIT),
        ("Where was {} born?", "{} was born in July", UNFIT),
        ("Where did {} write?", "{} wrote in English", UNFIT),
        ("Where does {} lie?", "{} lies in Harvia and Brun", SEVERAL),
        ("In which city does the bear of {} live?", "The bear of {} lives in the mountains of Harvia", UNFIT),
        ("How many pedals does {} have?", "{} has 47 strings and seven pedals", UNFIT),
        ("How deep is {}?", "{} is about 330 meters tall", UNSAID),
        ("Who is the capital of {}?", "The capital of {} is Dunmore", UNFIT),
        ("What was the capital of {}?", "The capital of {} is Dunmore", UNSAID),
        ("What is the city of {}?", "The capital of {} is Dunmore", UNSAID),
        ("What was the wife of {}?", "{}'s wife was named Ada", UNFIT),
        ("What is the language of {}?", "The language of {} is Harvian or English", SEVERAL),
        ("What is the flag of {}?", "The flag of {} is square", UNFIT),
        ("What is {} known for?", "{} is known for tulips, windmills and bicycles", SEVERAL),
        ("What is {} known for?", "{} is known for tulips and bicycles", SEVERAL),
        ("What did {} show?", "{} showed how plants grow", UNFIT),
        ("What did {} become?", "{} became independent", UNFIT),
        ("What did {} die in?", "{} died in Orvane", UNFIT),
        ("Who reached {}?", "Jon Utz reached {} in 1895", SEVERAL),
        ("Who was born in {}?", "Tobias Wren was born in {}", SEVERAL),
        ("Who designed {}?", "Orvane designed {}", UNFIT),
        ("Which king designed {}?", "The architect Jon Utz designed {}", UNFIT),
    ],
)
def test_each_other_question_has_its_reason(question: str, clause: str, why: str) -> None:
    assert read(question, clause) == why


def test_the_article_and_noun_before_a_name_are_kept() -> None:
    reading = read("Where does {} lie?", "{} lies on the island of Brun")
    assert isinstance(reading, Reading)
    assert (reading.article, reading.answer, reading.form.preposition) == ("the island of ", "Brun", "on")
