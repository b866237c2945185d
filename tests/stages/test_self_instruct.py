"""What the model may write for practice, and when it is enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from autoact.events import QuestionAccepted, QuestionRefused, StageProgressed
from autoact.project import config_file
from autoact.project.config import Config, SelfInstruct, Task
from autoact.run.record.state import RunState
from autoact.script import Ask
from autoact.stages.context import Inputs, StageContext
from autoact.stages.self_instruct import (
    Draft,
    PracticeSet,
    SeedMaterial,
    accept_reference,
    begin,
    compose_or_write,
    find_candidates,
    self_instruct,
)
from autoact.trajectory import Example, Page, Question

PERU = Page("Peru", "Peru is a country in South America. The capital of Peru is Lima, its currency is the sol.")
NORWAY = Page("Norway", "Norway is a country in the north. The capital of Norway is Oslo. It has deep fjords.")
SEEDS = (
    Example(Question("s-1", "What is the capital of Peru?", "Lima", "seed", gold=("Peru",))),
    Example(Question("s-2", "Who wrote the opera Fidelio in 1805?", "Beethoven", "seed")),
)
HELD_OUT = (Question("h-1", "Which currency do people use in Peru?", "sol", "heldout", gold=("Peru",)),)
GROUNDS = SeedMaterial(Task(description="Answer."), SEEDS, (PERU, NORWAY), HELD_OUT)
TOWNS = ("Kakumi", "Borelda", "Fintrosa", "Whelpdy", "Zuqarra", "Mostivol", "Yeghand", "Ocklebu", "Tripsane", "Vuxhold")


def refusal(question: str, answer: str, passage: Page | None = NORWAY) -> str:
    return PracticeSet(GROUNDS, SelfInstruct()).refusal(Draft(question, answer, passage))


@pytest.mark.parametrize(
    ("question", "answer", "why"),
    [
        ("Norway is a country.", "Oslo", "not a question"),
        ("", "", "not a question"),
        ("Where is Norway?", "north", "question too short"),
        ("Which " + "very " * 30 + "deep waters has Norway?", "fjords", "question too long"),
        ("What waters does Norway have?", "", "no answer"),
        ("What waters does Norway have?", "the", "no answer"),
        ("What waters does Norway have?", "It has deep fjords in the north", "answer too long"),
        ("What waters does Norway have?", "f" * 49, "answer too long"),
        ("Which country in the north is Norway?", "Norway", "answer is in the question"),
        ("What waters does Norway have?", "lakes", "answer is not in the passage"),
        ("What waters does it have?", "fjords", "does not name its subject"),
        ("What waters does Norway have?", "deep fjords", ""),
        ("Does Norway have any known fjords?", "no", ""),
        ("Is Norway in the north?", "Yes", ""),
    ],
)
def test_each_refusal_has_its_reason(question: str, answer: str, why: str) -> None:
    assert refusal(question, answer) == why


def test_what_was_asked_before_is_refused() -> None:
    assert refusal("What is the capital of Peru?", "Lima", PERU) == "asked before"
    assert refusal("What is the capital city of Peru?", "Lima", PERU) == "near-duplicate"
    bench = PracticeSet(GROUNDS, SelfInstruct())
    first = Draft("What deep waters does Norway have?", "fjords", NORWAY)
    assert bench.refusal(first) == ""
    bench.accept("q-1", first)
    assert bench.refusal(first) == "asked before"
    assert bench.refusal(Draft("Which deep waters does Norway have?", "fjords", NORWAY)) == "near-duplicate"


def test_the_same_question_about_another_thing_is_new() -> None:
    assert refusal("What is the capital of Norway?", "Oslo") == ""


@pytest.mark.parametrize(
    "question", ["Which currency do people use in Peru?", "Which currency do the people use in Peru?"]
)
def test_a_held_out_question_is_never_accepted(question: str) -> None:
    assert refusal(question, "sol", PERU) == "in the held-out set"


def writing(pairs: Iterable[tuple[str, str]]) -> Callable[[Ask], str | None]:
    """A model that writes these questions and answers in turn, and then nothing."""
    words = (word for pair in pairs for word in pair)
    return lambda ask: next(words, "")


def grounds(**changes: Any) -> SeedMaterial:
    return SeedMaterial(Task(description="Answer."), SEEDS, (), **changes)


def about(towns: Iterable[str]) -> list[tuple[str, str]]:
    return [(f"{town}: who was {town}'s {town} king?", f"King {town[::-1]}") for town in towns]


def test_it_stops_at_the_target(drive: Any) -> None:
    events = drive(self_instruct(grounds(), SelfInstruct(target=3, round=4)), writing(about(TOWNS)))
    accepted = [event.question for event in events if isinstance(event, QuestionAccepted)]
    assert [question.answer for question in accepted] == [f"King {town[::-1]}" for town in TOWNS[:3]]
    assert {question.origin for question in accepted} == {"instructed"}
    assert len({question.id for question in accepted}) == 3


def test_it_stops_when_the_model_stalls(drive: Any) -> None:
    events = drive(self_instruct(grounds(), SelfInstruct(target=50, round=5, stall=2)), writing(about(TOWNS[:5])))
    assert sum(isinstance(event, QuestionAccepted) for event in events) == 5
    refused = [event for event in events if isinstance(event, QuestionRefused)]
    assert len(refused) == 10
    assert {event.why for event in refused} == {"not a question"}


def test_a_refused_draft_keeps_question_and_answer_apart(drive: Any) -> None:
    written = [("Say which: and / or.", "either / or")]
    events = drive(self_instruct(grounds(), SelfInstruct(target=1, round=1, stall=1)), writing(written))
    (refused, *_) = [event for event in events if isinstance(event, QuestionRefused)]
    assert refused.pair == written[0]


def test_a_failed_draft_is_passed_over(drive: Any) -> None:
    events = drive(self_instruct(grounds(), SelfInstruct(target=2, round=2, stall=1)), lambda ask: None)
    assert not [event for event in events if isinstance(event, QuestionAccepted | QuestionRefused)]


def test_it_ends_when_every_passage_was_used(drive: Any) -> None:
    asked: list[Ask] = []

    def note(ask: Ask) -> str:
        asked.append(ask)
        return ""

    drive(self_instruct(GROUNDS, SelfInstruct(target=50, round=1, stall=99, passes=1)), note)
    assert {ask.prompt.user.splitlines()[0] for ask in asked} == {f"Peru: {PERU.text}", f"Norway: {NORWAY.text}"}
    assert len(asked) == 6  # for each passage an answer, a question, and the second reading


def test_an_answer_is_picked_among_the_names_and_numbers_of_the_passage() -> None:
    page = Page("Oslo", "Oslo is the capital of Norway. In 1925 Oslo took its old name back, after King Christian.")
    assert find_candidates(page) == (" Norway", " 1925", " King Christian")


@pytest.mark.parametrize(("again", "why"), [("Oslo it is.", ""), ("Bergen", "answered otherwise when asked again")])
def test_a_second_reading_must_agree(again: str, why: str) -> None:
    draft = Draft("What is the capital of Norway?", "Oslo", NORWAY, again)
    assert PracticeSet(GROUNDS, SelfInstruct()).refusal(draft) == why


@pytest.mark.parametrize(
    ("question", "answer"), [("What waters does Norway have?", "no"), ("Is Norway in the north?", "fjords")]
)
def test_yes_and_no_answer_yes_no_questions_only(question: str, answer: str) -> None:
    assert refusal(question, answer) == "answer does not fit the question"


def test_a_grounded_question_knows_its_page(drive: Any) -> None:
    def fjords(ask: Ask) -> str:
        return "What deep waters does Norway have?" if ask.prompt.segments[-1] == "Question:" else "fjords."

    events = drive(self_instruct(GROUNDS, SelfInstruct(target=1)), fjords)
    (accepted,) = [event.question for event in events if isinstance(event, QuestionAccepted)]
    assert (accepted.answer, accepted.gold) == ("fjords", ("Norway",))


@pytest.mark.parametrize(
    ("changes", "pages", "by_type"),
    [
        ({}, (PERU, NORWAY), True),
        ({}, (), False),
        ({"self_instruct": SelfInstruct(by_type=False)}, (PERU, NORWAY), False),
        ({"task": Task(answer="choice")}, (PERU, NORWAY), False),
    ],
)
def test_questions_are_composed_by_type_where_there_is_a_corpus(
    drive: Any, tmp_path: Path, changes: Any, pages: tuple[Page, ...], by_type: bool
) -> None:
    asked: list[Ask] = []

    def note(ask: Ask) -> str:
        asked.append(ask)
        return ask.choices[0] if ask.choices else ""

    inputs = Inputs(SEEDS, (), (), {}, passages=pages)
    stage, target = begin(StageContext(Config(**changes), inputs, RunState(), tmp_path, lambda adapters: None))
    drive(stage, note)
    assert asked
    assert target == 60
    assert any("\nSentence: " in ask.prompt.user for ask in asked) == by_type


def test_questions_are_written_freely_where_no_fact_is_found(drive: Any) -> None:
    def write(ask: Ask) -> str:
        if "\nSentence: " in ask.prompt.user or "\nQuestion: What is" in ask.prompt.user:
            return "nothing of use"
        return "What deep waters does Norway have?" if ask.prompt.segments[-1] == "Question:" else "fjords"

    events = drive(compose_or_write(GROUNDS, SelfInstruct(target=1)), write)
    (accepted,) = [event.question for event in events if isinstance(event, QuestionAccepted)]
    assert accepted.text == "What deep waters does Norway have?"


def test_the_missing_questions_are_written_freely_and_repeat_none(drive: Any) -> None:
    made = [Question("one-hop-0000", "What is the capital of Norway?", "Oslo", "instructed", gold=("Norway",))]

    def repeat(ask: Ask) -> str:
        return "What is the capital of Norway?" if ask.prompt.segments[-1] == "Question:" else "Oslo"

    events = drive(self_instruct(GROUNDS, SelfInstruct(target=2, round=2, stall=1), made), repeat)
    assert "asked before" in {event.why for event in events if isinstance(event, QuestionRefused)}
    assert [event.done for event in events if isinstance(event, StageProgressed)] == [1]
    assert list(drive(self_instruct(GROUNDS, SelfInstruct(target=1), made), repeat)) == []


def test_the_published_recipe_writes_freely() -> None:
    assert config_file.preset_values("paper")["self_instruct"]["by_type"] is False


def test_no_prompt_shows_a_held_out_question(drive: Any) -> None:
    asked: list[Ask] = []

    def note(ask: Ask) -> str:
        asked.append(ask)
        return ""

    drive(self_instruct(GROUNDS, SelfInstruct(target=5, stall=1)), note)
    drive(self_instruct(grounds(held_out=HELD_OUT), SelfInstruct(target=5, stall=1)), note)
    assert asked
    assert not [ask for ask in asked if HELD_OUT[0].text in repr(ask.prompt)]


def test_the_control_takes_the_reference_questions(drive: Any) -> None:
    events = drive(accept_reference(HELD_OUT))
    assert [event.question for event in events if isinstance(event, QuestionAccepted)] == list(HELD_OUT)


SCHOOL = (
    Example(Question("s-1", "Which of these is a mammal?", "B", "seed", choices=("frog", "dolphin", "salmon"))),
    Example(Question("s-2", "Which of these is a metal?", "iron", "seed", choices=("salt", "iron", "wood"))),
)
CHOOSING = SeedMaterial(Task(answer="choice"), SCHOOL, ())


def choosing(*options: str) -> Callable[[Ask], str | None]:
    said = iter(("What goes around the sun once a year?", *options))
    return lambda ask: next(said, "")


def test_a_choice_comes_with_its_wrong_options(drive: Any) -> None:
    asked: list[Ask] = []
    model = choosing("the earth", "a comet", "Mars.")

    def note(ask: Ask) -> str | None:
        asked.append(ask)
        return model(ask)

    events = drive(self_instruct(CHOOSING, SelfInstruct(target=1, round=1)), note)
    (question,) = [event.question for event in events if isinstance(event, QuestionAccepted)]
    assert sorted(question.choices) == ["Mars", "a comet", "the earth"]
    assert question.choices["ABC".index(question.answer)] == "the earth"
    shown = {exchange[1] for exchange in asked[0].prompt.shown}
    assert "Question: Which of these is a metal?\nAnswer: iron\nWrong option: salt\nWrong option: wood" in shown
    assert any("Answer: dolphin\n" in exchange for exchange in shown)


def test_the_letter_of_the_answer_varies(drive: Any) -> None:
    bench = PracticeSet(CHOOSING, SelfInstruct())
    draft = Draft("Which of these is a planet?", "Mars", None, wrong=("the moon", "the sun"))
    assert {bench.accept(f"q-{number}", draft).answer for number in range(20)} == {"A", "B", "C"}


@pytest.mark.parametrize(
    ("options", "why"),
    [(("Mars", "the Moon", "moon"), "two options alike"), (("Mars", "mars!", "sun"), "two options alike"),
     (("Mars", "the moon", ""), "an empty option")],
)  # fmt: skip
def test_options_must_differ(drive: Any, options: tuple[str, ...], why: str) -> None:
    events = drive(self_instruct(CHOOSING, SelfInstruct(target=1, round=1, stall=1)), choosing(*options))
    assert [event.why for event in events if isinstance(event, QuestionRefused)] == [why]


def test_a_draft_is_read_as_a_person_reads_it(drive: Any) -> None:
    def bold(ask: Ask) -> str:
        if ask.prompt.segments[-1] == "Question:":
            return "Here it is:\n**Question:** What deep waters does Norway have?"
        return "fjords"

    events = drive(self_instruct(GROUNDS, SelfInstruct(target=1)), bold)
    (accepted,) = [event.question for event in events if isinstance(event, QuestionAccepted)]
    assert (accepted.text, accepted.answer) == ("What deep waters does Norway have?", "fjords")


def test_options_lose_their_letters(drive: Any) -> None:
    events = drive(
        self_instruct(CHOOSING, SelfInstruct(target=1, round=1)),
        choosing("Answer: A. the earth", "(B) a comet", "C) Mars"),
    )
    (question,) = [event.question for event in events if isinstance(event, QuestionAccepted)]
    assert sorted(question.choices) == ["Mars", "a comet", "the earth"]


def test_a_letter_alone_is_no_option(drive: Any) -> None:
    events = drive(self_instruct(CHOOSING, SelfInstruct(target=1, round=1, stall=1)), choosing("B", "Mars", "Venus"))
    assert [event.why for event in events if isinstance(event, QuestionRefused)] == ["a letter without its option"]


def test_a_question_may_go_over_lines_and_other_answers_may_not(drive: Any) -> None:
    asked: list[Ask] = []

    def note(ask: Ask) -> str:
        asked.append(ask)
        return "fjords"

    drive(self_instruct(GROUNDS, SelfInstruct(target=1, round=1, stall=1)), note)
    stops = {
        ask.prompt.segments[-1]: ask.stop
        for ask in asked
        if len(ask.prompt.segments) > 1 or ask.prompt.segments[0] != "Answer:"
    }
    assert "\n" not in stops["Question:"]
    assert {ask.stop for ask in asked if ask.prompt.segments[-1] == "Answer:"} == {("\n",)}
