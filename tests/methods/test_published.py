"""What each published method asks, calls and keeps, and how it meets bad replies."""

from __future__ import annotations

import pytest
from methods.played import CARD, QUESTION, SEED, asks, begin, calls, likely, play, settings_of
from msgspec.structs import replace

from autoact.episode import Limits
from autoact.errors import BadInput
from autoact.methods.attempts import ATTEMPTS
from autoact.methods.reflexion import TRIES
from autoact.methods.rewoo import read_call
from autoact.script import Answer, Ask, Use
from autoact.trajectory import Question

READ = ["I look.", " Retrieve\n", "Fidelio"]


def finish(answer: str) -> list[str]:
    return ["It says so.", " Finish\n", answer]


def test_direct_asks_for_the_answer_alone() -> None:
    made, requests, _ = play(begin("direct"), ["Beethoven"])
    (ask,) = asks(requests)
    assert ask.prompt.shown == (("Question: " + SEED.question.text, "Answer: yen"),)
    assert "Retrieve" not in ask.prompt.system
    assert calls(made) == [("Finish", "Beethoven")]


def test_an_empty_answer_is_a_failed_step() -> None:
    made, _, _ = play(begin("direct"), [""])
    assert (made.answer, made.halt, made.steps[0].failed) == (None, "steps", True)


def test_chain_of_thought_thinks_first() -> None:
    made, requests, _ = play(begin("cot"), ["It is by him.", "Beethoven"])
    assert [ask.part for ask in asks(requests)] == ["thought", "argument"]
    assert asks(requests)[1].prompt.segments == ("Thought:", " It is by him.", "\n", "Answer:")
    assert made.steps[0].thought == "It is by him."


def test_self_consistency_keeps_the_most_frequent_answer() -> None:
    chains = [("a", "Mozart"), ("b", "Beethoven"), ("c", "Haydn"), ("d", "beethoven"), ("e", "Mozart Jr")]
    made, requests, _ = play(begin("self-consistency"), [text for chain in chains for text in chain])
    assert (made.answer, made.steps[0].thought) == ("Beethoven", "b")
    assert len(asks(requests)) == 2 * ATTEMPTS
    assert len({ask.sampling for ask in asks(requests)}) == 2


def test_react_ends_with_its_first_answer() -> None:
    made, requests, _ = play(begin("react"), [*READ, *finish("Mozart")])
    assert calls(made) == [("Retrieve", "Fidelio"), ("Finish", "Mozart")]
    assert made.verdict is None
    prompt = asks(requests)[0].prompt
    assert "eflect" not in prompt.system + str(prompt.shown)
    assert prompt.shown[0][1].endswith("Action: Finish\nArgument: yen")


def test_meta_is_react_with_reflection() -> None:
    made, requests, _ = play(
        begin("meta"), [*READ, *finish("Mozart"), "No.", " wrong", *finish("Beethoven"), "Yes.", " right"]
    )
    assert (made.answer, made.verdict) == ("Beethoven", "right")
    assert "Reflect: right or wrong" in asks(requests)[0].prompt.system


def test_fireact_has_one_adapter_and_the_prompt_of_its_training() -> None:
    card = replace(CARD, demonstrations=())
    _, requests, _ = play(begin("fireact", settings_of("fireact", card=card)), [*READ, *finish("Beethoven")])
    _, trained, _ = play(begin("group", settings_of("group", card=card)), likely)
    assert {ask.adapter for ask in asks(requests)} == {"all"}
    assert asks(requests)[0].prompt == asks(trained)[0].prompt


def test_the_plan_is_in_the_prompt_of_every_step() -> None:
    made, requests, _ = play(begin("plan"), ["Retrieve Fidelio, then Finish", *READ, *finish("Beethoven")])
    first, *others = asks(requests)
    assert first.prompt.shown[0][1] == "Plan: Retrieve Mount Fuji, then Retrieve Japan, then Finish"
    assert {ask.prompt.user for ask in others} == {f"Question: {QUESTION.text}\nPlan: Retrieve Fidelio, then Finish"}
    assert calls(made)[0] == ("Plan", "Retrieve Fidelio, then Finish")


def test_reflexion_tries_again_with_a_lesson_while_the_gold_answer_says_so() -> None:
    replies = [*finish("Mozart"), "Read the page.", *READ, *finish("Beethoven")]
    made, requests, _ = play(begin("reflexion-gold"), replies)
    assert calls(made) == [
        ("Finish", "Mozart"), ("Lesson", "Read the page."), ("Retrieve", "Fidelio"), ("Finish", "Beethoven"),
    ]  # fmt: skip
    assert (made.answer, made.reward, made.verdict) == ("Beethoven", 1.0, None)
    lesson = next(ask for ask in asks(requests) if ask.part == "reflection")
    assert "Argument: Mozart" in lesson.prompt.user
    assert "Beethoven" not in lesson.prompt.system + lesson.prompt.user
    assert asks(requests)[-1].prompt.user.endswith("\nLesson: Read the page.")


def test_reflexion_gives_up_after_its_last_try() -> None:
    failing = [*finish("Mozart"), "Read.", *finish("Haydn"), "Read more.", *finish("Bach")]
    made, _, _ = play(begin("reflexion-gold"), failing)
    assert sum(action == "Finish" for action, _ in calls(made)) == TRIES
    assert (made.answer, made.reward) == ("Bach", 0.0)


def test_the_gold_answer_must_be_known() -> None:
    script = begin("reflexion-gold", question=Question("q-2", "Who wrote Fidelio?"))
    with pytest.raises(BadInput, match="question q-2 has no gold answer"):
        next(script)


def test_reflexion_by_itself_never_sees_the_gold_answer() -> None:
    replies = [*finish("Mozart"), "It says so.", " right"]
    made, _, _ = play(begin("reflexion-self"), replies)
    assert (made.answer, made.verdict) == ("Mozart", "right")
    replies = [*finish("Beethoven"), "No.", " wrong", "Read.", *finish("Mozart"), "Yes.", " right"]
    made, _, _ = play(begin("reflexion-self"), replies)
    assert (made.answer, made.reward) == ("Mozart", 0.0)


def test_retry_has_no_feedback_at_all() -> None:
    made, requests, _ = play(begin("retry"), [*finish("Beethoven"), *finish("Mozart"), *finish("Haydn")])
    assert calls(made) == [
        ("Finish", "Beethoven"), ("Retry", "2"), ("Finish", "Mozart"), ("Retry", "3"), ("Finish", "Haydn"),
    ]  # fmt: skip
    assert made.answer == "Haydn"
    assert len({ask.prompt.user for ask in asks(requests)}) == 1


def test_rewoo_plans_before_it_calls() -> None:
    plan = ["Retrieve[Fidelio]", "Retrieve[#E1]", "Finish"]
    made, requests, _ = play(begin("rewoo"), [*plan, " Beethoven", "He wrote it.", "Beethoven"])
    first = asks(requests)[0].prompt
    assert "#E1 = Retrieve[Fidelio]" in first.system
    assert first.shown[0][1] == "#E1 = Retrieve[Mount Fuji]\n#E2 = Retrieve[#E1]\n#E3 = Finish"
    kinds = [type(one) for one in requests]
    assert kinds == [Ask, Ask, Ask, Use, Ask, Use, Ask, Ask]
    assert calls(made) == [("Retrieve", "Fidelio"), ("Retrieve", "Beethoven"), ("Finish", "Beethoven")]
    assert made.steps[1].thought == "#E2 = Retrieve[#E1]"
    words = asks(requests)[3]
    assert words.prompt.segments == ("#E2 = Retrieve[",)
    assert words.prompt.user == f"Question: {QUESTION.text}\n#E1: Page of Fidelio."
    assert words.prompt.shown[0][0].endswith("\n#E1: Mount Fuji stands in Japan.")
    assert words.prompt.shown[0][1] == "#E2 = Retrieve[Japan]"
    assert "Retrieve[Beethoven]: Page of Beethoven." in asks(requests)[-1].prompt.user


def test_a_reference_that_stands_twice_is_asked_for_once_and_is_no_beginning_of_another() -> None:
    plan = [*(f"Retrieve[page {number}]" for number in range(1, 4)), "Retrieve[#E1 and #E1 of #E3]", "Finish"]
    made, _, _ = play(begin("rewoo"), [*plan, " Haydn", " Bonn", "He wrote it.", "Haydn"])
    assert calls(made)[3] == ("Retrieve", "Haydn and Haydn of Bonn")


@pytest.mark.parametrize(
    ("line", "action", "told"),
    [
        ("I will read the page.", "Plan", "This is no call of a tool; the plan ends here."),
        ("Fly[Fidelio]", "Plan", "This is no call of a tool; the plan ends here."),
        ("", "Plan", "This is no call of a tool; the plan ends here."),
    ],
)
def test_a_plan_that_is_none_is_a_failed_step(line: str, action: str, told: str) -> None:
    made, requests, _ = play(begin("rewoo"), [line, "I guess.", "Mozart"])
    assert (made.steps[0].action, made.steps[0].argument, made.steps[0].observation) == (action, line, told)
    assert made.steps[0].failed
    assert made.answer == "Mozart"
    assert not any(isinstance(one, Use) for one in requests)


def test_a_reference_to_a_later_result_is_a_failed_step() -> None:
    made, _, _ = play(begin("rewoo"), ["Retrieve[#E2]", "Retrieve[Fidelio]", "Finish", "He did.", "Beethoven"])
    assert (made.steps[0].failed, made.steps[0].observation) == (True, "#E2 is no earlier result.")
    assert calls(made)[1:] == [("Retrieve", "Fidelio"), ("Finish", "Beethoven")]


def test_a_plan_that_repeats_itself_ends() -> None:
    made, _, _ = play(begin("rewoo"), ["Retrieve[Fidelio]", "Retrieve[Fidelio]", "He did.", "Beethoven"])
    assert calls(made) == [("Retrieve", "Fidelio"), ("Finish", "Beethoven")]


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("Retrieve[Fidelio]", ("Retrieve", "Fidelio")),
        (" retrieve [Fidelio] Lookup[opera]", ("Retrieve", "Fidelio")),
        ("Read[Fidelio", ("Retrieve", "Fidelio")),
        ("Calculator[max([1, 2])]", ("Calculator", "max([1, 2])")),
        ("Lookup[]", ("Lookup", "")),
        ("Finish[Beethoven]", None),
        ("Retrieve", None),
        ("[Fidelio]", None),
        ("]][[", None),
    ],
)
def test_calls_are_read_by_their_brackets(line: str, call: tuple[str, str] | None) -> None:
    assert read_call(line, CARD.tools) == call


def test_chameleon_runs_its_program() -> None:
    replies = ["Retrieve, calculator; Solve", "Fidelio", "1+1", "He did.", "Beethoven"]
    made, requests, _ = play(begin("chameleon"), replies)
    first, read, compute, *_ = asks(requests)
    assert first.prompt.shown[0][1] == "Modules: Retrieve, Retrieve, Solve"
    assert read.prompt.segments == ("Action:", " Retrieve\n", "Argument:")
    assert compute.prompt.segments[:6] == (*read.prompt.segments, " Fidelio", "\n", "Observation: Page of Fidelio.\n")
    assert calls(made) == [
        ("Program", "Retrieve, calculator; Solve"), ("Retrieve", "Fidelio"), ("Calculator", "1+1"),
        ("Finish", "Beethoven"),
    ]  # fmt: skip


def test_chameleon_makes_no_call_twice() -> None:
    replies = ["Retrieve, Retrieve, Solve", "Fidelio", "Fidelio", "He did.", "Beethoven"]
    made, _, _ = play(begin("chameleon"), replies)
    assert calls(made)[1:] == [("Retrieve", "Fidelio"), ("Finish", "Beethoven")]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("I would fly", "There is no module I would fly."),
        ("1. Fly, 2. Swim", "There is no module Fly, Swim."),
        ("", "No module is named."),
        ("...", "No module is named."),
        ("Solve, , Fly", "There is no module Fly."),
    ],
)
def test_a_program_that_cannot_run_is_a_failed_step(line: str, told: str) -> None:
    made, _, _ = play(begin("chameleon"), [line, "I guess.", "Mozart"])
    assert calls(made) == [("Program", line), ("Finish", "Mozart")]
    assert (made.steps[0].failed, made.steps[0].observation) == (True, told)


def test_the_controller_chooses_an_agent_for_each_step() -> None:
    replies = [
        " Retrieve\n",
        *READ,
        " Calculator\n",
        "I add.",
        " Calculator\n",
        "1+1",
        " Retrieve\n",
        *finish("Beethoven"),
    ]
    made, requests, _ = play(begin("bolaa"), replies)
    controller, thought, action, *_ = asks(requests)
    assert controller.choices == (" Retrieve\n", " Calculator\n")
    assert action.choices == (" Retrieve\n", " Lookup\n", " Finish\n")
    assert "Calculator" not in thought.prompt.system
    assert thought.prompt.shown
    assert not asks(requests)[5].prompt.shown
    assert "Argument: Fidelio" in asks(requests)[4].prompt.user
    assert calls(made) == [
        ("Choose agent", "Retrieve"), ("Retrieve", "Fidelio"), ("Choose agent", "Calculator"), ("Calculator", "1+1"),
        ("Choose agent", "Retrieve"), ("Finish", "Beethoven"),
    ]  # fmt: skip


def test_an_agent_that_a_person_names_wrongly_is_a_failed_step() -> None:
    made, requests, _ = play(begin("bolaa"), ["Pilot", *finish("Beethoven")])
    assert calls(made) == [("Choose agent", "Pilot"), ("Finish", "Beethoven")]
    assert made.steps[0].failed
    assert made.steps[0].observation == "There is no agent Pilot; there is Retrieve, Calculator."
    assert asks(requests)[2].choices[2:] == (" Calculator\n", " Finish\n")


def test_at_the_last_step_no_agent_is_chosen() -> None:
    replies = [" Retrieve\n", *READ, *finish("Beethoven")]
    made, requests, _ = play(begin("bolaa", settings_of("bolaa", Limits(steps=2))), replies)
    assert asks(requests)[-2].choices == (" Finish\n",)
    assert made.halt == "answered"


@pytest.mark.parametrize("name", ["rewoo", "chameleon", "bolaa", "plan", "react"])
def test_a_method_needs_no_tools(name: str) -> None:
    card = replace(CARD, tools=(), demonstrations=())
    made, requests, _ = play(begin(name, settings_of(name, card=card)), likely)
    assert made.answer == "Beethoven"
    assert not any(isinstance(one, Use) for one in requests)


def test_a_method_of_one_attempt_stops_at_the_limit_of_tokens() -> None:
    replies = ["I look at it.", " Retrieve\n", "Fidelio", "It says"]
    made, requests, _ = play(begin("react", settings_of("react", tokens=8)), replies)
    assert (made.halt, made.answer) == ("tokens", None)
    assert calls(made) == [("Retrieve", "Fidelio")]
    assert asks(requests)[-1].limit == 2


def test_a_try_that_the_limit_ends_keeps_the_answer_before() -> None:
    replies = [*finish("Mozart"), *finish("Haydn"), "I"]
    made, _, _ = play(begin("retry", settings_of("retry", tokens=11)), replies)
    assert (made.answer, made.halt) == ("Haydn", "answered")
    assert calls(made)[-1] == ("Retry", "3")


def test_attempts_are_made_until_the_limit_of_tokens() -> None:
    made, requests, replies = play(begin("self-consistency", settings_of("self-consistency", tokens=100)), likely)
    assert len(asks(requests)) > 2 * ATTEMPTS
    assert sum(len(reply.tokens) for reply in replies if isinstance(reply, Answer)) == 100
    assert made.answer == "Beethoven"
