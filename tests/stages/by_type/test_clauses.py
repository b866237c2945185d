"""Pages are divided into statements that name their subject."""

from __future__ import annotations

from autoact.english.answer_forms import find_answers
from autoact.stages.by_type.clauses import is_person, split_clauses, to_template
from autoact.trajectory import Page

FARADAY = Page("Mila Sorrin", "Mila Sorrin was a chemist. She was born in Dunmore in 1791. Her wife was named Ada.")
HARP = Page("Harp", "The harp is an instrument. It has 47 strings, and its frame is called a neck. Angels play harps.")


def texts(page: Page, name: str) -> list[str]:
    return [clause.text for clause in split_clauses(page, name)]


def test_pronouns_stand_for_the_subject() -> None:
    assert texts(FARADAY, "Mila Sorrin") == [
        "Mila Sorrin was a chemist", "Mila Sorrin was born in Dunmore in 1791", "Mila Sorrin's wife was named Ada",
    ]  # fmt: skip


def test_a_title_may_end_in_a_mark() -> None:
    page = Page("Orvane!", "Orvane! is a game. It was created in 1964.")
    assert texts(page, "Orvane!")[-1] == "Orvane! was created in 1964"
    assert is_person(Page("Ivo Holm Jr.", "Ivo Holm Jr. was a singer. He lived in Selk."))


def test_a_sentence_with_two_statements_is_two_clauses() -> None:
    assert texts(HARP, "the harp")[1:] == ["The harp has 47 strings", "The harp's frame is called a neck"]


def test_a_sentence_about_something_else_is_left_out() -> None:
    page = Page("Orvane", "Orvane is a town. The river Telk is near. It is deep. Tobias Wren founded Orvane in 1504.")
    assert texts(page, "Orvane") == ["Orvane is a town", "Tobias Wren founded Orvane in 1504"]


def test_an_object_stands_for_the_subject_after_a_sentence_about_it() -> None:
    page = Page("Kavium", "Kavium is a metal. Mila Sorrin discovered it in 1794.")
    assert texts(page, "kavium")[1] == "Mila Sorrin discovered kavium in 1794"


def test_the_template_has_a_slot_for_the_subject() -> None:
    assert [clause.template for clause in split_clauses(HARP, "the harp")][1] == "{} has 47 strings"
    assert to_template("Who played the Harp in Harpville?", "Harp") == "Who played {} in Harpville?"


def test_names_may_begin_with_any_latin_capital() -> None:
    found = find_answers("Édith Holm sold it to Ida Østby.", "Orvane")
    assert {"Édith Holm", "Ida Østby"} <= set(found)


def test_answers_are_names_numbers_amounts_and_nouns_but_not_the_title() -> None:
    text = "In 1925 Oslo took its old name back, after King Christian. It is 40 kilometers long. Oslo eats cold fish."
    assert list(find_answers(text, "Oslo")) == ["40 kilometers", "1925", "40", "King Christian", "cold fish"]
