"""Trajectories written from facts: real calls in order, thoughts that state the facts, an end where one is missing."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from autoact import scratchpad
from autoact.project.config import Filtering
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
)

PAGES = {
    "Ulm": "Ulm is a city in Germany. It stands on the Danube.",
    "Danube": "The Danube is a river in Europe. It is 2,850 kilometers long.",
    "Rhine": "The Rhine is 1,230 kilometers long.",
}
CARD = Card("Answer.", (Tool("WebSearch", "Searches.", "WebSearch[x]"), Tool("Retrieve", "Reads.", "Retrieve[x]")))
ON_DANUBE = Evidence("Ulm stands on the Danube", "Danube", "the river on which Ulm stands")
DANUBE = Evidence("The Danube is 2,850 kilometers long", "2,850 kilometers", "how long the Danube is")
RHINE = Evidence("The Rhine is 1,230 kilometers long", "1,230 kilometers")
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


def use(tool: str, argument: str) -> Observation:
    if tool == "Calculator":
        numbers = [float(number) for number in re.findall(r"\d+", argument)]
        return Observation(f"{min(numbers) if argument.startswith('min') else max(numbers):g}")
    if tool == "Compare":
        return compare(argument)
    found = PAGES.get(argument, "") if tool == "Retrieve" else "1. A city 2. A river"
    return Observation(found, failed=not found)


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
                "Ulm stands on the Danube. I need how long the Danube is, so I should read the page about Danube.",
                "The Danube is 2,850 kilometers long, so the answer is 2,850 kilometers.",
            ],
        ),
        (
            COMPARISON,
            [
                "I need how long the Danube is, so I should read the page about Danube.",
                "The Danube is 2,850 kilometers long. I should read the page about Rhine.",
                "The Danube is 2,850 kilometers long. The Rhine is 1,230 kilometers long, so the answer is Danube.",
            ],
        ),
        (
            POLAR,
            [
                "I need the river on which Ulm stands, so I should read the page about Ulm.",
                "Ulm stands on the Danube, not Rhine, so the answer is no.",
            ],
        ),
        (
            SAME,
            [
                "I need how long the Danube is, so I should read the page about Danube.",
                "The Danube is 2,850 kilometers long. I should read the page about Rhine.",
                "The Rhine is 1,230 kilometers long. 2,850 kilometers and 1,230 kilometers are different, so the "
                "answer is no.",
            ],
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
    known = "The Rhine is 1,230 kilometers long. Danube: 2850. Rhine: 1230."
    assert compared.thought == f"{known} I need the {size} number, so I should calculate."
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


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        (TWO_HOP, {"c": "Danube", "m": "Europe"}),
        (COMPARISON, {"m": "Rhine"}),  # after the first page the answer would be right
        (SHORTER, {"c": "Danube", "m": "Danube"}),
        (POLAR, {"m": "yes"}),
        (SAME, {"m": "yes"}),
    ],
)
def test_usual_mistakes(question: Question, answers: dict[str, str]) -> None:
    written = play(question, Tool("Calculator", "Computes.", "Calculator[1 + 1]"))
    made = {one.unit[0]: one for one in make_mistakes(written, 7)}
    assert {letter: one.answer for letter, one in made.items()} == answers
    for one in made.values():
        *before, last, judged = one.steps
        assert tuple(before) == written.steps[: len(before)]
        assert (last.action, judged.action, judged.argument) == (FINISH, REFLECT, "right")
        assert last.thought.endswith(f"so the answer is {one.answer}.")
        assert (one.made, one.reward) == (MISTAKEN, 0.0)
        assert find_refusal(one, Filtering()) == "wrong answer"
    known, _, _ = written.steps[-2].thought.rpartition(", so the answer is ")
    assert made["m"].steps[-2].thought == f"{known}, so the answer is {answers['m']}."


def test_a_page_without_other_words_gives_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PAGES, "Ulm", "Ulm stands on the Danube.")
    question = msgspec.structs.replace(TWO_HOP, type="one-hop", answer="Danube", gold=("Ulm",), evidence=(ON_DANUBE,))
    assert list(make_mistakes(play(question), 7)) == []


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
    assert repaired.steps[3].thought.startswith("Ulm stands on the Danube. I need how long the Danube is")
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
