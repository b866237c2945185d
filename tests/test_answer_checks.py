"""An answer's form, its question or what was read can show that it is wrong."""

from __future__ import annotations

import pytest

from autoact.answer_checks import (
    find_answer_defect,
    find_readings,
    list_candidates,
    read_alternatives,
    repeats_call,
    reword,
)
from autoact.trajectory import Question, Step

READ = Step("I look.", "Retrieve", "Pluto", "Pluto is a dwarf planet. Clyde Tombaugh discovered it in 1930.")
LONGER = "Which river is longer, the Nile or the Rhine?"


@pytest.mark.parametrize(
    ("question", "answer", "defect"),
    [
        ("Who discovered Pluto?", "Pluto", "Pluto stands in the question."),
        ("Who discovered Pluto?", "Percival Lowell", "Nothing that was read says Percival Lowell."),
        ("Who discovered Pluto?", "Clyde Tombaugh", ""),
        ("Who discovered Pluto?", "Tombaugh Clyde's", ""),
        ("Who discovered Pluto?", "a man who looked for it with great patience", ""),
        ("Who discovered Pluto?", "", ""),
        ("Qui a découvert Pluton ?", "Pluton", ""),
        ("In which state is the Lowell Observatory?", "Lowell", "Nothing that was read says Lowell."),
        ("Who sang How Deep Is Your Love?", "Bee Gees", "Nothing that was read says Bee Gees."),
        ("How many moons has Pluto?", "university", "The question asks for a number."),
        ("Wren and Hest, who were directors, were both American?", "yes", ""),
        ("Who is oldest, Ada, Ben, or Clyde Tombaugh?", "Ada", "Nothing that was read says Ada."),
        ("Who was born first, the actor Ben Hest or the singer Cher?", "Cher", ""),
        ("In what year was Pluto discovered?", "Clyde Tombaugh", "The question asks for a year."),
        ("How many moons has Pluto?", "dwarf planet", "The question asks for a number."),
        ("How many moons has Pluto?", "five", "Nothing that was read says five."),
        ("Is Pluto a planet?", "Pluto", "The question asks for yes or no."),
        ("Is Pluto a planet?", "no", ""),
        ("Is Pluto a dwarf planet?", "no", "What was read says that it is so."),
        ("Is Pluto a star?", "no", ""),
        ("What is Pluto?", "no", "The question does not ask for yes or no."),
        ("Pluto and Ceres, are both planets?", "no", ""),
        ("In the year in which Pluto was found, was Ceres known?", "yes", ""),
        ("The man who found Pluto was American?", "yes", ""),
        ("Pluto is a dwarf planet found in which year?", "yes", "The question does not ask for yes or no."),
        ("Pluto was found by who?", "yes", "The question does not ask for yes or no."),
        (LONGER, "6650 kilometers", "The answer is neither Nile nor Rhine."),
        (LONGER, "the Nile", ""),
        ("Which of Pluto and Ceres was found first?", "Pluto", ""),
        ("Which of Pluto and Ceres was found first?", "Ceres", ""),
        ("What sport do Pluto's planet hunters play?", "planet", ""),
        ("Between Pluto and Ceres, which is older?", "Ceres", ""),
        ("Which astronomer from Ohio, USA found Pluto or Ceres?", "Clyde Tombaugh", ""),
        ("How many years ago was Pluto found?", "96", ""),
        ("Which man found Pluto in the year in which year-round skiing began?", "Clyde Tombaugh", ""),
        ("Whose Pluto was found by whom?", "Tombaugh", ""),
        ("Do the Pluto Papers come from whom?", "Clyde Tombaugh", ""),
        ("Was Pluto, which is small, found in which year?", "1930", ""),
    ],
)
def test_defects_of_answers(question: str, answer: str, defect: str) -> None:
    assert find_answer_defect(Question("q", question, None), answer, [READ]) == defect


def test_an_answer_without_pages_may_be_right() -> None:
    assert find_answer_defect(Question("q", "Who discovered Pluto?", None), "Clyde Tombaugh", []) == ""


def test_numbers_and_failed_calls_are_read_with_care() -> None:
    lived = Step("I look.", "Retrieve", "Hest", "Ada Hest (1912–1990) had 6,650 books, two cats and “Muse”.")
    for answer in ("1912", "6650", "2", "Muse"):
        assert find_answer_defect(Question("q", "What is it?", None), answer, [lived]) == ""
    failed = Step("I look.", "Retrieve", "Hest", "Could not find Hest.", failed=True)
    assert find_answer_defect(Question("q", "What is it?", None), "Muse", [failed]) == ""
    assert find_answer_defect(Question("q", "What is it?", None, scorer="number"), "7", [lived]) == ""


def test_options_and_games_are_not_checked() -> None:
    for question in (Question("q", "Who?", "A", choices=("Ada", "Ben")), Question("q", "Go north.", None, played="go")):
        assert find_answer_defect(question, "north", [READ]) == ""


@pytest.mark.parametrize(
    ("question", "alternatives"),
    [
        (LONGER, ("Nile", "Rhine")),
        ("Which came first, Crime and Punishment, or Dracula?", ("Crime and Punishment", "Dracula")),
        ("Is it Nile or Rhine?", ()),
        ("Who is oldest, Ada, Ben, or Cher?", ()),
        ("In 1990, who won gold or silver?", ()),
        ("Who discovered Pluto?", ()),
    ],
)
def test_alternatives_follow_a_comma(question: str, alternatives: tuple[str, ...]) -> None:
    assert read_alternatives(question) == alternatives


@pytest.mark.parametrize(
    ("question", "given", "candidates"),
    [
        ("Who discovered Pluto?", "Pluto", ["Clyde Tombaugh"]),
        ("In what year was Pluto found?", "Pluto", ["1930"]),
        ("What is Pluto?", "Pluto", ["Clyde Tombaugh", "dwarf planet"]),
        (LONGER, "6650", ["Nile", "Rhine"]),
        (LONGER, "Nile river", ["Nile"]),
        ("Is Pluto a planet?", "Pluto", ["yes", "no"]),
    ],
)
def test_candidates_are_what_was_offered_or_read(question: str, given: str, candidates: list[str]) -> None:
    assert list_candidates(Question("q", question, None), [given], [READ]) == candidates


def test_a_thought_is_said_again_with_another_answer() -> None:
    assert reword("I found the city: Lima, so the answer is Lima.", "Lima", ["Quito"]) == (
        " I found the city: Quito, so the answer is Quito.",
    )
    assert reword("The answer is Lima.", "Lima", ["Quito"]) == ()


BORN = Step(
    "I look.", "Retrieve", "Ada Hest", "Ada Hest (3 May 1912 – 9 June 1990) was a chemist. She was born in Selk."
)
SEEN = Step("I look.", "Retrieve", "Lima", "Lima is the capital of Peru. It has no snow, and old walls.")
SNOW, ASKED = "I found what Lima has: deep snow. I need to know more.", "Does Lima have deep snows?"


def test_what_only_the_question_says_is_read_again() -> None:
    found = find_readings(SNOW, ASKED, [READ, SEEN])
    assert all(one.startswith(" I found what Lima has: ") and one.endswith(".") for one in found)
    values = [one.removeprefix(" I found what Lima has: ").removesuffix(".") for one in found]
    assert values == ["capital", "capital of Peru", "Peru", "no", "no snow", "snow", "old", "old walls", "walls"]
    answered = find_readings("I found the country: Chile, so the answer is Chile.", "Is Lima in Chile?", [SEEN])
    assert " I found the country: Peru, so the answer is Peru." in answered


def test_a_number_is_not_read_again_from_a_sentence_without_one() -> None:
    thought = "I found the year in which Ada Hest was born: 1912. I need to know more."
    assert find_readings(thought, "When was Ada Hest born?", [BORN]) == ()


@pytest.mark.parametrize(
    ("thought", "asked", "steps"),
    [
        ("I found what Lima has: old walls. I need to know more.", "Does Lima have old walls?", [SEEN]),
        ("I found the continent: South America. I need its rivers.", ASKED, [SEEN]),
        ("I found the age of Lima: no. I need old walls.", ASKED, [SEEN]),  # no sentence says its age
        ("I found the capital of Peru: 3. I need its walls.", ASKED, [SEEN]),  # it may follow, for a yes or no
        ("I found the capital of Peru: Lima. I need its walls.", "What has Lima?", [SEEN]),
        ("Lima has deep snow.", ASKED, [SEEN]),
        (SNOW, ASKED, []),
        (SNOW, ASKED, [SEEN, Step("No.", "Reflect", "wrong")]),
        (SNOW, ASKED, [SEEN, Step("I look.", "Retrieve", "snow", "Could not find [snow].", failed=True)]),
    ],
    ids=[
        "read",
        "follows",
        "unsaid",
        "yes or no",
        "said",
        "no value",
        "no page",
        "after a verdict",
        "after a failed call",
    ],
)
def test_other_thoughts_stay(thought: str, asked: str, steps: list[Step]) -> None:
    assert find_readings(thought, asked, steps) == ()


def test_a_value_comes_from_a_sentence_that_says_what_is_needed() -> None:
    walls = Step(
        "I look.", "Retrieve", "Selk", "Selk stands on the Orm. Its walls were built in 1310. It has six gates."
    )
    thought = "I found the year in which Selk's walls were built: 1200. Selk: 1200. I need the smaller number."
    found = find_readings(thought, "Which has older walls, Selk or Lima?", [walls])
    assert " I found the year in which Selk's walls were built: 1310." in found
    assert all("1310" in one for one in found)
    decade = Step("I look.", "Retrieve", "sax", "Adolphe Sax invented the sax in the 1840s.")
    assert find_readings("I found the year in which the sax was invented: 1840.", "When was it?", [decade]) == ()


def test_yes_or_no_follows_from_what_was_read() -> None:
    orm = Step("I look.", "Retrieve", "Orm", "The Orm is a river. It ends in the Telk Sea.")
    question = Question("q", "Does the Orm end in the Telk Sea?", None)
    assert find_answer_defect(question, "no", [orm]) == "What was read says that it is so."
    assert find_answer_defect(question, "yes", [orm]) == ""
    others = list_candidates(question, ["no"], [orm])
    assert reword("Sea and Orm are different, so the answer is no.", "no", others) == (
        " What was read says that it is so, so the answer is yes.",
    )


def test_a_repeated_call_counts_until_the_next_verdict() -> None:
    judged = Step("No.", "Reflect", "wrong")
    assert repeats_call([READ, READ])
    assert not repeats_call([READ, judged, READ])
