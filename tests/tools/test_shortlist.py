"""Of hundreds of tools, the short list holds those that a person would pick, in whatever order they come."""

from __future__ import annotations

import random
import runpy
from pathlib import Path
from typing import Any

import pytest

from autoact.tools.library.shortlist import choose_tools, rank_tools
from autoact.trajectory import Example, Question, Step, Tool

CARDS = runpy.run_path(str(Path(__file__).with_name("task_cards.py")))
LIBRARY: list[Tool] = CARDS["library"]()


def names(card: Any, tools: list[Tool], most: int = 12) -> list[str]:
    return [tool.name for tool in choose_tools(card.task, card.examples, tools, most)[0]]


def test_the_short_list_holds_what_a_person_would_pick() -> None:
    assert len({tool.name for tool in LIBRARY}) == len(LIBRARY) >= 300
    wanted = [(card, tool) for card in CARDS["CARDS"] for tool in card.tools]
    found = [tool for card, tool in wanted if tool in names(card, LIBRARY)]
    assert len(found) >= 0.9 * len(wanted)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_library_changes_nothing(seed: int) -> None:
    for card in CARDS["CARDS"]:
        tools = list(LIBRARY)
        random.Random(seed).shuffle(tools)
        assert choose_tools(card.task, card.examples, tools, 12) == choose_tools(card.task, card.examples, LIBRARY, 12)


def test_a_tool_of_the_worked_examples_comes_first() -> None:
    steps = (Step("I read.", "Look_Up", "Peru"), Step("I know.", "Finish", "Lima"))
    example = Example(Question("s-1", "What is the capital of Peru?", "Lima"), steps)
    tools = [
        Tool("Odd", "Does things.", "Odd[x]", ("Look_Up",)),
        Tool("Capital", "Tells the capital.", "Capital[Peru]"),
    ]
    first, second = rank_tools("Answer questions.", [example], tools)
    assert (first.tool.name, first.score, first.reason()) == ("Odd", 0, "the worked examples use it (1)")
    assert (second.tool.name, second.words) == ("Capital", ("capital",))
    assert second.score > 0


def test_everyone_who_is_left_out_is_told_why() -> None:
    card = CARDS["CARDS"][1]
    kept, others = choose_tools(card.task, card.examples, LIBRARY, 3)
    assert len(kept) + len(others) == len(LIBRARY)
    assert "it shares no word with the task" in " ".join(others.values())
    assert all(why.startswith(f"rank {place} of {len(LIBRARY)} ") for place, why in enumerate(others.values(), 4))


@pytest.mark.parametrize("name", ["WebSearch", "web_search", "web.search", "web-search"])
def test_words_in_a_name_are_found_however_it_is_written(name: str) -> None:
    fits = rank_tools(
        "Search the web.", [], [Tool("Other", "Is no help.", "Other[x]"), Tool(name, "Helps.", f"{name}[x]")]
    )
    assert (fits[0].tool.name, fits[0].words) == (name, ("search", "web"))


def test_nothing_to_rank_and_nothing_to_rank_by() -> None:
    assert rank_tools("Answer.", [], []) == []
    assert [fit.tool.name for fit in rank_tools("", [], LIBRARY)] == sorted(tool.name for tool in LIBRARY)
    assert rank_tools('" OR * NEAR( definition:', [], LIBRARY)[0].tool.name
