"""Trajectories written from facts: real calls in order, thoughts that state the facts, an end where one is missing."""

from __future__ import annotations

from typing import Any

import pytest

from autoact.project.config import Filtering
from autoact.script import Card, Observation, Use
from autoact.stages.filtering import find_refusal
from autoact.stages.from_facts import write_from_facts
from autoact.trajectory import FINISH, FROM_FACTS, REFLECT, Question, Tool, Trajectory

PAGES = {
    "Ulm": "Ulm is a city in Germany. It stands on the Danube.",
    "Danube": "The Danube is a river in Europe. It is 2,850 kilometers long.",
    "Rhine": "The Rhine is 1,230 kilometers long.",
}
CARD = Card("Answer.", (Tool("WebSearch", "Searches.", "WebSearch[x]"), Tool("Retrieve", "Reads.", "Retrieve[x]")))
TWO_HOP = Question(
    "q-1", "How long is the river on which Ulm stands?", "2,850 kilometers", type="two-hop", gold=("Ulm", "Danube"),
    facts=("Ulm stands on the Danube", "The Danube is 2,850 kilometers long"),
)  # fmt: skip
COMPARISON = Question(
    "q-2", "Which is longer, the Danube or the Rhine?", "Danube", type="comparison", gold=("Danube", "Rhine"),
    facts=("The Danube is 2,850 kilometers long", "The Rhine is 1,230 kilometers long"),
)  # fmt: skip
POLAR = Question(
    "q-3", "Does Ulm stand on the Rhine?", "no", type="yes-no", gold=("Ulm",), facts=("Ulm stands on the Danube",)
)


def play(question: Question, pages: dict[str, str] = PAGES) -> Trajectory:
    script = write_from_facts("f-1", question, CARD)
    reply: Any = None
    while True:
        try:
            use = script.send(reply)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        assert isinstance(use, Use)
        found = pages.get(use.argument, "") if use.tool == "Retrieve" else "1. A city 2. A river"
        reply = Observation(found, failed=not found)


@pytest.mark.parametrize(
    ("question", "thoughts"),
    [
        (
            TWO_HOP,
            [
                "I should read the page about Ulm.",
                "Ulm stands on the Danube. Next I should read the page about Danube.",
                "The Danube is 2,850 kilometers long, so the answer is 2,850 kilometers.",
            ],
        ),
        (
            COMPARISON,
            [
                "I should read the page about Danube.",
                "The Danube is 2,850 kilometers long. Next I should read the page about Rhine.",
                "The Danube is 2,850 kilometers long. The Rhine is 1,230 kilometers long, so the answer is Danube.",
            ],
        ),
        (POLAR, ["I should read the page about Ulm.", "Ulm stands on the Danube, so the answer is no."]),
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


def test_it_ends_at_a_page_that_does_not_say_its_fact() -> None:
    made = play(TWO_HOP, {**PAGES, "Danube": "The Danube is a river."})
    assert [step.argument for step in made.steps] == ["Ulm"]
    assert (made.answer, made.reward, made.halt) == (None, 0.0, "steps")
    assert find_refusal(made, Filtering()) == "did not end"
