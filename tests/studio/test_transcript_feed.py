"""Who says what in a transcript: an answer in the making is told by the agent that the log will name."""

from __future__ import annotations

from typing import get_args

import pytest

from autoact.episode import Episode, Limits
from autoact.events import TokenSpoken
from autoact.registry.roles import ROLES, SUB_AGENTS
from autoact.script import Answer, Ask, Card, Observation, Sampling, Use
from autoact.trajectory import META, Cast, Part, Question, Tool
from studio.episodes.session import speaking_role
from studio.episodes.transcript_feed import partial_answer

CASTS = {META: Cast(META), "group": Cast("group", {name: name for name in SUB_AGENTS})}
CARD = Card("Answer.", (Tool("Retrieve", "Reads a page.", "Retrieve[Fidelio]"),))


def spoken(cast: str) -> dict[Part, str]:
    """The role that an episode asks for each part."""
    answers = iter(("look", " Retrieve\n", "Fidelio", "done", " Finish\n", "Beethoven", "yes", " right"))
    limits, question = Limits(), Question("q", "Who wrote Fidelio?", "Beethoven")
    script = Episode("t", question, CARD, CASTS[cast], Sampling(), limits, lambda answer, question: 1.0).play()
    said: dict[Part, str] = {}
    wish = next(script)
    try:
        while True:
            if isinstance(wish, Ask):
                said[wish.part] = wish.adapter
            wish = script.send(Observation("An opera.") if isinstance(wish, Use) else Answer(next(answers)))
    except StopIteration:
        return said


def test_each_agent_of_the_group_has_its_parts() -> None:
    assert spoken("group") == {
        "thought": "plan", "action": "plan", "argument": "tool", "reflection": "reflect", "verdict": "reflect",
    }  # fmt: skip
    assert set(spoken(META).values()) == {"meta"}


@pytest.mark.parametrize("cast", CASTS)
def test_viewer_and_engine_agree_on_who_says_each_part(cast: str) -> None:
    said = spoken(cast)
    assert set(said) == set(get_args(Part)) - {"text"}
    for part, role in said.items():
        assert speaking_role(cast, part) == role
        unit = "group-asked-0001" if cast == "group" else "t-1"
        assert partial_answer(TokenSpoken(unit, 0, part, "lo")).role == role


def test_an_agent_learns_what_it_says() -> None:
    said = spoken("group")
    assert {role: {part for part, who in said.items() if who == role} for role in SUB_AGENTS} == {
        role: set(ROLES.get(role).parts) for role in SUB_AGENTS
    }
