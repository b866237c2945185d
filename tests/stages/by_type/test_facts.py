"""One-hop questions that the model writes about a clause and confirms from the page."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from invented_pages import MATERIAL, PAGES, write

from autoact.project.config import SelfInstruct
from autoact.script import Answer, Ask
from autoact.stages.by_type.corpus_words import CorpusWords
from autoact.stages.by_type.facts import FactDraft, FactWriter, find_template_defect
from autoact.trajectory import Page

WORDS = CorpusWords(PAGES)
MILA = WORDS.pages["mila sorrin"]


def drafts(model: Callable[[Ask], str], settings: SelfInstruct, number: int = 1) -> list[FactDraft]:
    """What the model writes about one clause of the page Mila Sorrin."""
    writer = FactWriter(MATERIAL.task, MATERIAL.examples, settings, WORDS)
    script = writer.write("fact-0007", writer.clauses(MILA)[number])
    ask = next(script)
    while True:
        try:
            ask = script.send(Answer(model(ask)))
        except StopIteration as end:
            found: list[FactDraft] = end.value
            return found


def test_a_question_that_passes_is_a_fact() -> None:
    (fact,) = [draft.fact for draft in drafts(write, SelfInstruct()) if draft.fact]
    assert (fact.ask(), fact.answer, fact.page) == ("In what year was Mila Sorrin born?", "1791", "Mila Sorrin")
    assert fact.ask("the finder of kavium") == "In what year was the finder of kavium born?"


def test_every_draft_has_a_name_of_its_own_and_the_refused_a_reason() -> None:
    found = drafts(write, SelfInstruct())
    assert len({draft.name for draft in found}) == len(found) > 1
    assert all(draft.refusal for draft in found if draft.fact is None)


def test_the_answer_is_chosen_among_all_of_its_kind_on_the_page() -> None:
    asked: list[Ask] = []

    def note(ask: Ask) -> str:
        asked.append(ask)
        return write(ask)

    drafts(note, SelfInstruct())
    (reading,) = [ask for ask in asked if ask.choices]
    assert reading.choices == (" 1791", " 1850")
    assert reading.prompt.user == f"Mila Sorrin: {MILA.text}\nQuestion: In what year was Mila Sorrin born?"


def test_only_places_are_choices_for_a_place() -> None:
    ada = Page("Ada Lark", "Ada Lark was a Harvian singer. She was born in Dunmore. Tobias Wren met her in Selk.")
    words = CorpusWords((*PAGES, ada))
    writer = FactWriter(MATERIAL.task, MATERIAL.examples, SelfInstruct(), words)
    script = writer.write("fact-0001", writer.clauses(ada)[1])
    ask = next(script)
    while not ask.choices:
        born = ask.prompt.segments[-1].strip().startswith("Where")
        ask = script.send(Answer("born" if born else "else is there"))
    assert ask.choices == (" Dunmore", " Selk")


def test_another_answer_from_the_page_refuses_a_question() -> None:
    (draft,) = [one for one in drafts(lambda ask: ask.choices[-1] if ask.choices else write(ask), SelfInstruct())
                if one.answer]  # fmt: skip
    assert (draft.fact, draft.refusal) == (None, "answered otherwise from the page")


def test_all_readings_must_agree() -> None:
    replies = iter((" 1791", " 1791", " 1850"))
    found = drafts(lambda ask: next(replies) if ask.choices else write(ask), SelfInstruct(readings=3))
    assert [draft.refusal for draft in found if draft.answer] == ["answered otherwise from the page"]


def test_rules_come_before_the_model_is_asked_again() -> None:
    asked: list[Ask] = []

    def note(ask: Ask) -> str:
        asked.append(ask)
        return "else"

    assert not [draft for draft in drafts(note, SelfInstruct()) if draft.fact]
    assert not [ask for ask in asked if ask.choices]


def test_defects_of_form() -> None:
    assert find_template_defect("Who {}?") == "question too short"
    assert find_template_defect("Who discovered " + "very " * 30 + "{}?") == "question too long"
    assert find_template_defect("Who discovered the metal kavium?") == "does not name its subject"
    assert find_template_defect("When did {} leave her town?") == "has a pronoun"
    assert find_template_defect("Who wrote {}?") == ""


def test_drafts_of_the_same_words_are_one() -> None:
    found = drafts(lambda ask: "", SelfInstruct())
    assert len({draft.question for draft in found}) == len(found)
    assert msgspec.json.encode(found)  # a result of a unit can be logged
