"""Trajectories written from facts: real calls in order, thoughts that state the facts, an end where one is missing."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from autoact import scratchpad
from autoact.lessons import build_lessons
from autoact.project.config import Differentiation, Filtering
from autoact.script import Card, Observation, Use
from autoact.stages.filtering import find_refusal
from autoact.stages.from_facts import make_mistakes, repair, write_from_facts
from autoact.tools.simple.compare import compare
from autoact.trajectory import (
    FINISH,
    FROM_FACTS,
    MISTAKEN,
    REFLECT,
    REPAIRED,
    Evidence,
    Question,
    Step,
    Tool,
    Trajectory,
    Verdict,
)

PAGES = {
    "Ulm": "Ulm is a city in Germany. It stands on the Danube.",
    "Danube": "The Danube is a river in Europe. It is 2,850 kilometers long.",
    "Rhine": "The Rhine is 1,230 kilometers long.",
}
CARD = Card("Answer.", (Tool("WebSearch", "Searches.", "WebSearch[x]"), Tool("Retrieve", "Reads.", "Retrieve[x]")))
ON_DANUBE = Evidence("Ulm stands on the Danube", "Danube", "the river on which Ulm stands")
DANUBE = Evidence("The Danube is 2,850 kilometers long", "2,850 kilometers", "how long the Danube is")
RHINE = Evidence("The Rhine is 1,230 kilometers long", "1,230 kilometers", "how long the Rhine is")
TWO_HOP = Question(
    "q-1", "How long is the river on which Ulm stands?", "2,850 kilometers", type="two-hop", gold=("Ulm", "Danube"),
    evidence=(ON_DANUBE, DANUBE),
)  # fmt: skip
COMPARISON = Question(
    "q-2", "Which is longer, the Danube or the Rhine?", "Danube", type="comparison", gold=("Danube", "Rhine"),
    evidence=(DANUBE, RHINE),
)  # fmt: skip
SHORTER = msgspec.structs.replace(COMPARISON, text="Which is shorter, the Danube or the Rhine?", answer="Rhine")
POLAR = Question(
    "q-3", "Does Ulm stand on the Rhine?", "no", type="yes-no", gold=("Ulm",),
    evidence=(msgspec.structs.replace(ON_DANUBE, other="Rhine"),),
)  # fmt: skip
SAME = Question(
    "q-4", "Are the Danube and the Rhine of the same length?", "no", type="yes-no", gold=("Danube", "Rhine"),
    evidence=(DANUBE, RHINE),
)  # fmt: skip
NO_NEED = Question(
    "q-5", "Which river has Ulm?", "Danube", type="one-hop", gold=("Ulm",),
    evidence=(msgspec.structs.replace(ON_DANUBE, need=""),),
)  # fmt: skip


def use(tool: str, argument: str) -> Observation:
    if tool == "Calculator":
        numbers = [float(number) for number in re.findall(r"\d+", argument)]
        return Observation(f"{min(numbers) if argument.startswith('min') else max(numbers):g}")
    if tool == "Compare":
        return compare(argument)
    found = PAGES.get(argument, "") if tool == "Retrieve" else "1. A city 2. A river"
    return Observation(found or f"Could not find [{argument}]. Similar: [Ulm; Danube]", failed=not found)


def play(question: Question, *more: Tool) -> Trajectory:
    script = write_from_facts("f-1", question, Card(CARD.task, (*CARD.tools, *more)))
    reply: Any = None
    while True:
        try:
            asked = script.send(reply)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        assert isinstance(asked, Use)
        reply = use(asked.tool, asked.argument)


@pytest.mark.parametrize(
    ("question", "thoughts"),
    [
        (
            TWO_HOP,
            [
                "I need the river on which Ulm stands, then how long that is, so I should read the page about Ulm.",
                "I found the river on which Ulm stands: Danube. I need how long the Danube is, so I should read the "
                "page about Danube.",
                "I found how long the Danube is: 2,850 kilometers, so the answer is 2,850 kilometers.",
            ],
        ),
        (
            COMPARISON,
            [
                "I need how long the Danube is and how long the Rhine is, then which is longer: the larger number, so "
                "I should read the page about Danube.",
                "I found how long the Danube is: 2,850 kilometers. I need how long the Rhine is, then which is longer: "
                "the larger number, so I should read the page about Rhine.",
                "I found how long the Danube is: 2,850 kilometers. I found how long the Rhine is: 1,230 kilometers, so "
                "the answer is Danube.",
            ],
        ),
        (
            POLAR,
            [
                "I need the river on which Ulm stands, then whether it is Rhine, so I should read the page about Ulm.",
                "I found the river on which Ulm stands: Danube. Danube and Rhine are different, so the answer is no.",
            ],
        ),
        (
            SAME,
            [
                "I need how long the Danube is and how long the Rhine is, then whether they are the same, so I should "
                "read the page about Danube.",
                "I found how long the Danube is: 2,850 kilometers. I need how long the Rhine is, then whether they are "
                "the same, so I should read the page about Rhine.",
                "I found how long the Rhine is: 1,230 kilometers. 2,850 kilometers and 1,230 kilometers are different, "
                "so the answer is no.",
            ],
        ),
        (
            NO_NEED,
            ["I should read the page about Ulm.", "Ulm stands on the Danube, so the answer is Danube."],
        ),
    ],
)
def test_thoughts_state_the_facts_in_order(question: Question, thoughts: list[str]) -> None:
    made = play(question)
    assert [step.thought for step in made.steps[:-1]] == thoughts
    assert [step.argument for step in made.steps[:-1]] == [*question.gold, question.answer]
    assert [step.action for step in made.steps] == ["Retrieve"] * len(question.gold) + [FINISH, REFLECT]
    assert [step.observation for step in made.steps[: len(question.gold)]] == [PAGES[title] for title in question.gold]
    assert (made.reward, made.made) == (1.0, FROM_FACTS)
    assert find_refusal(made, Filtering()) == ""


@pytest.mark.parametrize(
    ("question", "call", "found"), [(COMPARISON, "max(2850, 1230)", "2850"), (SHORTER, "min(2850, 1230)", "1230")]
)
def test_a_calculator_compares_numbers(question: Question, call: str, found: str) -> None:
    made = play(question, Tool("Calculator", "Computes.", "Calculator[1 + 1]"))
    _, _, compared, last, _ = made.steps
    size = "larger" if "max" in call else "smaller"
    known = "I found how long the Rhine is: 1,230 kilometers. Danube: 2850. Rhine: 1230."
    assert compared.thought == f"{known} I need the {size} number, {call}, so I should calculate."
    assert (compared.action, compared.argument, compared.observation) == ("Calculator", call, found)
    assert last.thought == f"{found} is the number of {question.answer}, so the answer is {question.answer}."
    assert find_refusal(made, Filtering()) == ""


@pytest.mark.parametrize(
    ("question", "call", "found", "answer"),
    [
        (POLAR, "Danube; Rhine", "different", "no"),
        (SAME, "2,850 kilometers; 1,230 kilometers", "different", "no"),
        (msgspec.structs.replace(POLAR, answer="yes", evidence=(ON_DANUBE,)), "Danube; Danube", "the same", "yes"),
    ],
)
def test_a_tool_compares_words(question: Question, call: str, found: str, answer: str) -> None:
    made = play(question, Tool("Compare", "Compares.", "Compare[a; b]"))
    *_, compared, last, _ = made.steps
    first, second = call.split("; ")
    assert (compared.action, compared.argument, compared.observation) == ("Compare", call, found)
    assert compared.thought.endswith(f"I need to know whether {first} and {second} are the same, so I should compare.")
    assert (last.thought, last.argument) == (f"{first} and {second} are {found}, so the answer is {answer}.", answer)
    assert find_refusal(made, Filtering()) == ""


@pytest.mark.parametrize("tools", [(), (Tool("Compare", "Compares.", "Compare[a; b]"),)])
def test_an_answer_that_does_not_follow_from_the_facts_is_not_given(tools: tuple[Tool, ...]) -> None:
    made = play(msgspec.structs.replace(SAME, answer="yes"), *tools)
    assert (made.answer, made.halt) == (None, "steps")


TOOLS = (Tool("Calculator", "Computes.", "Calculator[1 + 1]"), Tool("Compare", "Compares.", "Compare[a; b]"))


@pytest.mark.parametrize(
    ("question", "unit", "thoughts", "answer"),
    [
        (TWO_HOP, "c", ["I found the river on which Ulm stands: Danube, so the answer is Danube."], "Danube"),
        (TWO_HOP, "m", ["I found how long the Danube is: Danube, so the answer is Danube."], "Danube"),
        (SHORTER, "c", ["I found how long the Danube is: 2,850 kilometers, so the answer is Danube."], "Danube"),
        (
            COMPARISON,
            "m",
            [
                "I found how long the Rhine is: 1,230 kilometers. Danube: 2850. Rhine: 1230. I need the smaller "
                "number, min(2850, 1230), so I should calculate.",
                "1230 is the number of Rhine, so the answer is Rhine.",
            ],
            "Rhine",
        ),
        (
            POLAR,
            "m",
            [
                "I found the river on which Ulm stands: Rhine. I need to know whether Rhine and Rhine are the same, so "
                "I should compare.",
                "Rhine and Rhine are the same, so the answer is yes.",
            ],
            "yes",
        ),
        (
            SAME,
            "m",
            [
                "I found how long the Rhine is: 2,850 kilometers. I need to know whether 2,850 kilometers and 2,850 "
                "kilometers are the same, so I should compare.",
                "2,850 kilometers and 2,850 kilometers are the same, so the answer is yes.",
            ],
            "yes",
        ),
        (
            msgspec.structs.replace(
                SAME,
                answer="yes",
                evidence=(DANUBE, msgspec.structs.replace(RHINE, value="2,850 kilometers", says="The Rhine")),
            ),
            "c",
            [
                "I found how long the Danube is: 2,850 kilometers. I need to know whether 2,850 kilometers and Rhine "
                "are the same, so I should compare.",
                "2,850 kilometers and Rhine are different, so the answer is no.",
            ],
            "no",
        ),
    ],
)
def test_usual_mistakes(question: Question, unit: str, thoughts: list[str], answer: str) -> None:
    """After the first page, or with another value or winner; all that follows from the mistake is consistent."""
    written = play(question, *TOOLS)
    made = {one.unit[0]: one for one in make_mistakes(written, 7)}[unit]
    begun = 1 if unit == "c" else len(question.gold)
    assert made.steps[:begun] == written.steps[:begun]
    assert [step.thought for step in made.steps[begun:-1]] == thoughts
    assert (made.answer, made.steps[-2].action, made.steps[-1].argument) == (answer, FINISH, "right")
    assert (made.made, made.reward) == (MISTAKEN, 0.0)
    assert find_refusal(made, Filtering()) == "wrong answer"


def test_an_end_after_the_first_page_that_is_right_by_chance_is_no_mistake() -> None:
    assert [one.unit for one in make_mistakes(play(COMPARISON, *TOOLS), 7)] == ["m-q-2"]


def test_what_the_question_names_and_has_no_page_is_looked_for_first() -> None:
    question = msgspec.structs.replace(TWO_HOP, text="On the way to Swabia, how long is the river on which Ulm stands?")
    missed, found, *_ = play(question).steps
    assert (missed.argument, missed.failed) == ("Swabia", True)
    assert missed.thought.endswith("so I should read the page about Swabia.")
    assert found.thought.startswith("Could not find Swabia. I need the river on which Ulm stands")
    written = play(question)
    assert find_refusal(written, Filtering()) == ""
    (lesson,) = build_lessons(
        "plan", Differentiation().cast(), [written], {written.unit: Verdict(written.unit, True, 1.0)}, 0.0, 7
    )
    assert lesson.first == 1  # how to go on is learned, not how to err
    mistaken = {one.unit[0]: one for one in make_mistakes(written, 7)}
    assert mistaken["c"].steps[0] == found


def failed_try(*steps: Step, answer: str) -> Trajectory:
    """A try that ended with this answer, which it called right."""
    ended = (Step("So.", FINISH, answer, scratchpad.REFLECT_NOW), Step("The page says so.", REFLECT, "right"))
    return Trajectory("t-1", TWO_HOP, (*steps, *ended), answer)


def test_a_failed_try_is_called_wrong_and_continued() -> None:
    read = Step("I read it.", "Retrieve", "Ulm", PAGES["Ulm"])
    written, failed = play(TWO_HOP), failed_try(read, answer="Germany")
    repaired = repair(failed, written, "r-")
    assert repaired is not None
    assert [(step.action, step.argument) for step in repaired.steps] == [
        ("Retrieve", "Ulm"), (FINISH, "Germany"), (REFLECT, "wrong"),
        ("Retrieve", "Danube"), (FINISH, "2,850 kilometers"), (REFLECT, "right"),
    ]  # fmt: skip
    assert repaired.steps[3].thought.startswith(
        "I found the river on which Ulm stands: Danube. I need how long the Danube is"
    )
    assert (repaired.unit, repaired.made, repaired.answer) == ("r-q-1", REPAIRED, TWO_HOP.answer)
    assert find_refusal(repaired, Filtering()) == ""


@pytest.mark.parametrize(
    "failed",
    [
        failed_try(answer="2,850 kilometers"),
        failed_try(Step("I look.", "Retrieve", "Rhone", "Could not find it.", failed=True), answer="Germany"),
        Trajectory("t-1", TWO_HOP, (Step("I read it.", "Retrieve", "Ulm", PAGES["Ulm"]),), halt="steps"),
    ],
)
def test_only_tries_with_a_wrong_answer_and_without_failed_calls_are_continued(failed: Trajectory) -> None:
    assert repair(failed, play(TWO_HOP), "r-") is None


def test_it_ends_at_a_page_that_does_not_say_its_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PAGES, "Danube", "The Danube is a river.")
    made = play(TWO_HOP)
    assert [step.argument for step in made.steps] == ["Ulm"]
    assert (made.answer, made.reward, made.halt) == (None, 0.0, "steps")
    assert find_refusal(made, Filtering()) == "did not end"
