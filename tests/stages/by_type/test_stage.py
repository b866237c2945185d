"""The stage from pages to questions of each type, with a model that writes well."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from invented_pages import MATERIAL, PAGES, write

from autoact.events import Event, QuestionAccepted, QuestionRefused
from autoact.metrics import normalise
from autoact.project.config import QuestionShares, SelfInstruct
from autoact.script import Ask
from autoact.stages.by_type.corpus_words import CorpusWords
from autoact.stages.by_type.facts import FactWriter
from autoact.stages.by_type.stage import instruct_by_type, order_pages
from autoact.stages.material import SeedMaterial
from autoact.trajectory import Page, Question

SETTINGS = SelfInstruct(target=12, round=4, types=QuestionShares(1, 1, 1, 1))


def accepted(events: list[Event]) -> list[Question]:
    return [event.question for event in events if isinstance(event, QuestionAccepted)]


def refused(events: list[Event]) -> list[QuestionRefused]:
    return [event for event in events if isinstance(event, QuestionRefused)]


def play(drive: Any, material: SeedMaterial = MATERIAL, settings: SelfInstruct = SETTINGS) -> list[Event]:
    events: list[Event] = drive(instruct_by_type(material, settings), write)
    return events


def test_the_shares_are_reached(drive: Any) -> None:
    found = accepted(play(drive))
    assert Counter(question.type for question in found) == dict.fromkeys(
        ("one-hop", "two-hop", "comparison", "yes-no"), 3
    )
    assert len({question.id for question in found}) == len({question.text for question in found}) == 12
    assert {question.origin for question in found} == {"instructed"}


def test_gold_pages_are_in_the_order_in_which_they_are_read(drive: Any) -> None:
    by_title = {page.title: page for page in PAGES}
    for question in accepted(play(drive)):
        assert question.gold
        if question.type == "two-hop":
            first, second = (by_title[title] for title in question.gold)
            assert second.title in first.text
            assert normalise(question.answer or "") in normalise(second.text)


def test_answers_are_balanced(drive: Any) -> None:
    settings = SelfInstruct(target=4, types=QuestionShares(comparison=1, yes_no=1))
    found = accepted(play(drive, settings=settings))
    assert Counter(question.answer for question in found if question.type == "yes-no") == {"yes": 1, "no": 1}
    first = [
        question.text.index(question.answer or "") < question.text.index(" or ")
        for question in found
        if question.type == "comparison"
    ]
    assert sorted(first) == [False, True]


def test_the_number_of_subjects_does_not_tell_the_answer(drive: Any) -> None:
    settings = SelfInstruct(target=10, round=4, types=QuestionShares(yes_no=1))
    found = accepted(play(drive, settings=settings))
    counts = Counter((len(question.gold), question.answer) for question in found)
    assert {subjects for subjects, _ in counts} == {1, 2}
    assert all(abs(counts[subjects, "yes"] - counts[subjects, "no"]) <= 1 for subjects in (1, 2))


def test_a_held_out_question_is_not_repeated_in_other_words(drive: Any) -> None:
    free = accepted(play(drive))
    held_out = tuple(
        Question("h", "Asked otherwise?", question.answer, "heldout", type=question.type, gold=question.gold)
        for question in free
        if question.type in ("one-hop", "two-hop")
    )
    material = msgspec.structs.replace(MATERIAL, held_out=held_out)
    events = play(drive, material)
    texts = {question.text for question in accepted(events)}
    assert not texts & {question.text for question in free if question.type in ("one-hop", "two-hop")}
    assert "in the held-out set" in {event.why for event in refused(events)}


def test_a_held_out_comparison_is_not_asked_the_other_way_round(drive: Any) -> None:
    held_out = (
        Question(
            "h", "Who is older?", "Mila Sorrin", "heldout", type="comparison", gold=("Mila Sorrin", "Tobias Wren")
        ),
    )
    settings = SelfInstruct(target=2, types=QuestionShares(comparison=1))
    found = accepted(play(drive, msgspec.structs.replace(MATERIAL, held_out=held_out), settings))
    pairs = {frozenset(question.gold) for question in found if question.type == "comparison"}
    assert pairs == {frozenset(("Dunmore", "Selk"))}


def test_every_refusal_is_logged_once_with_a_reason(drive: Any) -> None:
    found = refused(play(drive))
    assert found
    assert len({event.unit for event in found}) == len(found)
    assert all(event.why for event in found)


def test_types_that_the_corpus_cannot_give_are_replaced_by_others(drive: Any) -> None:
    material = msgspec.structs.replace(MATERIAL, passages=PAGES[:2])  # no second hop, nothing to compare
    found = accepted(play(drive, material, SelfInstruct(target=4, types=QuestionShares(two_hop=1))))
    assert {question.type for question in found} == {"one-hop", "yes-no"}


def test_it_ends_when_the_model_writes_nothing_of_use(drive: Any) -> None:
    asked: list[Ask] = []

    def note(ask: Ask) -> str:
        asked.append(ask)
        return "else is there"

    events = drive(instruct_by_type(MATERIAL, SelfInstruct(target=4, round=2, stall=2)), note)
    assert accepted(events) == []
    assert len({ask.prompt.user for ask in asked if not ask.choices}) <= 4


def test_reading_ends_when_more_facts_give_no_question(drive: Any) -> None:
    lives = tuple(Page(f"Ada {end}", f"Ada {end} was a chemist. She was born in {1790 + n}.") for n, end in enumerate(
        ("Brun", "Cort", "Dane", "Falk", "Gorm", "Holt", "Iver", "Jort", "Kolm", "Lund", "Mork", "Nils")
    ))  # fmt: skip
    asked: list[Ask] = []

    def note(ask: Ask) -> str:
        asked.append(ask)
        return write(ask)

    material = msgspec.structs.replace(MATERIAL, passages=lives)  # no page names another one
    settings = SelfInstruct(target=4, round=2, stall=2, types=QuestionShares(one_hop=1, two_hop=1))
    assert len(accepted(drive(instruct_by_type(material, settings), note))) == 4
    read = {ask.prompt.user.splitlines()[0] for ask in asked if not ask.choices}
    assert 0 < len(read) < len(lives)


def test_no_prompt_shows_a_held_out_question(drive: Any) -> None:
    held_out = (Question("h", "Who was the finder of the metal kavium?", "Mila Sorrin", "heldout"),)
    asked: list[Ask] = []

    def note(ask: Ask) -> str:
        asked.append(ask)
        return write(ask)

    drive(instruct_by_type(msgspec.structs.replace(MATERIAL, held_out=held_out), SETTINGS), note)
    assert asked
    assert not [ask for ask in asked if held_out[0].text in repr(ask.prompt)]


def order(pages: tuple[Page, ...], target: int) -> list[str]:
    writer = FactWriter(MATERIAL.task, MATERIAL.examples, SelfInstruct(target=target), CorpusWords(pages))
    return [page.title for page in order_pages(msgspec.structs.replace(MATERIAL, passages=pages), writer)]


def test_each_page_is_followed_by_those_that_it_names() -> None:
    titles = order(PAGES, target=len(PAGES))
    assert sorted(titles) == sorted(page.title for page in PAGES)
    first = next(page for page in PAGES if page.title == titles[0])
    named = {page.title for page in PAGES if page is not first and page.title in first.text}
    assert named == set(titles[1 : 1 + len(named)])


def test_in_a_large_corpus_pairs_for_two_hop_questions_come_first() -> None:
    film = Page("Orvane", "Orvane is a 1964 film directed by Edda Holt.")
    director = Page("Edda Holt", "Edda Holt (3 May 1912 – 9 June 1990) was a Dunish director.")
    pages = (*PAGES, film, director)
    assert order(pages, target=4)[:2] == ["Orvane", "Edda Holt"]
    assert order(pages, target=len(pages))[:2] != ["Orvane", "Edda Holt"]


def test_the_same_seed_gives_the_same_questions(drive: Any) -> None:
    assert accepted(play(drive)) == accepted(play(drive))
