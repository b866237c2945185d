"""Which gold pages the corpus has and Retrieve opens, and which questions of an evaluation are practised on."""

from __future__ import annotations

import pytest

from autoact.lab.inspection.contamination import find_contamination
from autoact.lab.inspection.coverage import Coverage, measure_coverage
from autoact.script import Observation
from autoact.tools.pages.corpus import Corpus
from autoact.trajectory import Page, Question

PAGES = {"Peru": "Peru is a country. Its capital is Lima.", "Chad": "Chad is dry.", "Malta": "Malta is an island."}


def retrieve(title: str) -> Observation:
    """Opens every page but one, in whose place it opens another."""
    return Observation(PAGES["Peru" if title == "Chad" else title])


def test_coverage_counts_questions_by_their_gold_pages() -> None:
    questions = [
        Question("a", "?", "Lima", gold=("Peru",)),
        Question("b", "?", "wet", gold=("Peru", "Chad")),
        Question("c", "?", "yes", gold=("Malta", "Mali")),
        Question("d", "?", "no", gold=("Malta",)),
        Question("e", "?", "Lima"),
    ]
    corpus = Corpus.of_pages(Page(*one) for one in PAGES.items())
    assert measure_coverage(questions, corpus, retrieve) == Coverage(4, 3, 2, 3, ("Mali",), ("Chad",))
    assert measure_coverage(questions, corpus, None) == Coverage(4, 3, None, 3, ("Mali",), ())
    assert measure_coverage(questions[-1:], corpus, retrieve) == Coverage(0, 0, 0, 0, (), ())


def test_a_failed_call_or_a_page_of_a_similar_title_is_not_the_page() -> None:
    corpus = Corpus.of_pages([Page("Malta", PAGES["Malta"])])
    asked = [Question("a", "?", "x", gold=("Malta",)), Question("b", "?", "x", gold=("Maltaa",))]
    found = measure_coverage(asked, corpus, lambda title: Observation(PAGES["Malta"], failed=True))
    assert (found.held, found.reached, found.missing, found.unreached) == (1, 0, ("Maltaa",), ("Malta",))


CHILE = Question("p", "What is the capital of Chile?", "Santiago", gold=("Chile",))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (Question("a", "what is capital of CHILE", "anything", gold=("Other",)), True),  # equal when normalised
        (Question("a", "What is the capitol of Chile?", "x", gold=("Chile",)), True),  # about the same page
        (Question("a", "What is the capital of China?", "Beijing", gold=("China",)), False),
        (Question("a", "What is the capitol of Chile?", "Santiago"), True),  # pages unknown, the same answer
        (Question("a", "What is the capitol of Chile?"), False),
        (Question("a", "Which city governs Chile?", "Santiago", gold=("Chile",)), False),  # other words
    ],
)
def test_contamination_is_the_same_question_in_nearly_the_same_words(asked: Question, found: bool) -> None:
    pairs = find_contamination([Question("o", "What is the capital of Chad?", "x"), CHILE], [asked])
    assert [(pair.asked, pair.practised) for pair in pairs] == ([(asked, CHILE)] if found else [])


def test_equal_answers_of_yes_no_questions_say_nothing() -> None:
    practised = Question("p", "Is the shilling the currency of Kenya?", "yes")
    assert find_contamination([practised], [Question("a", "Is the shilling the currency of Kenia?", "yes")]) == []
    assert find_contamination([practised], [Question("a", practised.text)])[0].equal
