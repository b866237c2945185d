"""Tools are chosen by name, with reasons, among those that can run."""

from __future__ import annotations

import random
from typing import Any

import pytest

from autoact.events import ToolPassedOver, ToolSelected
from autoact.project.config import Task, ToolSelection
from autoact.script import Ask, Match
from autoact.stages.tool_selection import NO_MORE, tool_selection
from autoact.trajectory import Example, Question, Step, Tool

READY = tuple(Tool(name, f"{name} does things.", f"{name}[x]") for name in ("Retrieve", "Lookup", "Calculator"))
UNFIT = {"Image2Text": "no image model here", "Translate": "not installed"}
SEED = Example(Question("s-1", "Who wrote Fidelio?", "Beethoven"))


@pytest.mark.parametrize("seed", range(25))
def test_an_unfit_tool_is_never_offered_nor_picked(drive: Any, seed: int) -> None:
    source = random.Random(seed)

    def pick(ask: Ask) -> str:
        assert not any(name in repr(ask) for name in UNFIT)
        return source.choice(ask.choices) if ask.choices else "I need Image2Text."

    events = drive(tool_selection(Task(), (SEED,), READY, UNFIT, ToolSelection(most=1)), pick)
    selected = {event.tool for event in events if isinstance(event, ToolSelected)}
    passed = {event.tool: event.why for event in events if isinstance(event, ToolPassedOver)}
    assert len(selected) == 1
    assert selected | set(passed) == {tool.name for tool in READY} | set(UNFIT)
    assert not selected & set(passed)
    assert passed["Translate"] == "not installed"


def test_reasons_are_kept_and_the_model_says_when_it_is_enough(drive: Any) -> None:
    said = iter([" Lookup\n", "finds words.", f" {NO_MORE}\n"])
    events = drive(tool_selection(Task(), (SEED,), READY, {}, ToolSelection()), lambda ask: next(said))
    assert [(event.tool, event.why) for event in events if isinstance(event, ToolSelected)] == [
        ("Lookup", "It finds words.")
    ]
    assert {event.tool for event in events if isinstance(event, ToolPassedOver)} == {"Retrieve", "Calculator"}


def test_no_tool_is_picked_twice_and_there_is_a_most(drive: Any) -> None:
    events = drive(
        tool_selection(Task(), (SEED,), READY, {}, ToolSelection(most=2)), lambda ask: (ask.choices or ("why",))[0]
    )
    assert [event.tool for event in events if isinstance(event, ToolSelected)] == ["Retrieve", "Lookup"]


def test_at_least_one_tool_is_chosen(drive: Any) -> None:
    offered: list[tuple[str, ...]] = []

    def pick(ask: Ask) -> str:
        offered.append(ask.choices)
        return ask.choices[-1] if ask.choices else "why"

    drive(tool_selection(Task(), (SEED,), READY, {}, ToolSelection()), pick)
    assert f" {NO_MORE}\n" not in offered[0]
    assert f" {NO_MORE}\n" in offered[2]


def test_without_a_tool_that_runs_nothing_is_asked(drive: Any) -> None:
    events = drive(tool_selection(Task(), (SEED,), (), UNFIT, ToolSelection()))
    assert [type(event) for event in events] == [ToolPassedOver] * 2


def test_the_order_of_what_is_left_out_changes_nothing(drive: Any) -> None:
    events = [
        drive(
            tool_selection(Task(), (SEED,), READY, dict(order), ToolSelection()), lambda ask: (ask.choices or ("x",))[0]
        )
        for order in (UNFIT.items(), reversed(UNFIT.items()))
    ]
    assert events[0] == events[1]


# -- a crowded library -----------------------------------------------------------------------------------------------

ASKED = [Example(Question(f"s-{at}", text)) for at, text in enumerate(("Who?", "What is 2 + 2?", "And 3 + 3?", "Who?"))]


def matched(ask: Ask) -> str:
    """Sums go with the calculator."""
    if not isinstance(ask, Match):
        return "helps."
    assert [tool.name in beginning for tool, beginning in zip(READY, ask.beginnings, strict=True)] == [True] * 3
    return " Calculator\n" if "+" in ask.text else " Retrieve\n"


def selected(events: list[Any]) -> list[tuple[str, str]]:
    return [(event.tool, event.why) for event in events if isinstance(event, ToolSelected)]


def test_from_a_crowded_library_questions_choose(drive: Any) -> None:
    asks: list[Ask] = []
    events = drive(
        tool_selection(Task(), ASKED, READY, {}, ToolSelection(), crowded=True),
        lambda ask: asks.append(ask) or matched(ask),
    )
    assert selected(events) == [("Calculator", "It helps."), ("Retrieve", "It helps.")]
    assert [ask.text for ask in asks if isinstance(ask, Match)] == [" Who?\n", " What is 2 + 2?\n", " And 3 + 3?\n"]
    assert [event.tool for event in events if isinstance(event, ToolPassedOver)] == ["Lookup"]


def test_what_worked_examples_use_comes_first(drive: Any) -> None:
    steps = (Step("t", "Lookup", "x"), Step("t", "Finish", "y"))
    shown = [Example(Question("s-9", "Who else?", "x"), steps), *ASKED]
    events = drive(tool_selection(Task(), shown, READY, {}, ToolSelection(most=2), crowded=True), matched)
    assert [tool for tool, _ in selected(events)] == ["Lookup", "Retrieve"]


@pytest.mark.parametrize(("by", "tools"), [("likelihood", ["Calculator"]), ("names", ["Retrieve"])])
def test_a_small_library_too_begins_with_what_worked_examples_use(drive: Any, by: Any, tools: list[str]) -> None:
    shown = [Example(Question("s-9", "Which is more?", "x"), (Step("t", "Calculator", "max(1, 2)"),))]
    events = drive(
        tool_selection(Task(), shown, READY, {}, ToolSelection(by=by, most=1)), lambda ask: (ask.choices or ("why",))[0]
    )
    assert [tool for tool, _ in selected(events)] == tools


@pytest.mark.parametrize(("by", "crowded"), [("names", True), ("likelihood", False)])
def test_otherwise_it_names_what_it_wants(drive: Any, by: Any, crowded: bool) -> None:
    def pick(ask: Ask) -> str:
        assert not isinstance(ask, Match)
        return (ask.choices or ("why",))[0]

    events = drive(tool_selection(Task(), ASKED, READY, {}, ToolSelection(by=by), crowded=crowded), pick)
    assert len(selected(events)) == 3
