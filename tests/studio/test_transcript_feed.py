"""Who says what in a transcript: an answer in the making is told by the agent that the log will name."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from stories import project, write

import autoact.events as happened
from autoact.episode import Episode, Limits
from autoact.events import TokenSpoken
from autoact.registry.roles import ROLES, SUB_AGENTS
from autoact.run.record.state import RunState
from autoact.script import Answer, Ask, Card, Observation, Sampling, Use
from autoact.trajectory import META, Cast, Part, Question, Tool
from studio.episodes.session import speaking_role
from studio.episodes.transcript_feed import TranscriptFeed, partial_answer

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


def test_a_choice_has_its_probability_and_an_edit_its_note(tmp_path: Path) -> None:
    root = project(tmp_path)
    run = write(root, [
        happened.ModelAnswered("t-1", 0, "d", "reflect", "verdict", " right", (1,), chance=0.2689),
        happened.ModelAnswered("t-1", 1, "d", "plan", "thought", "I look."),
        happened.ModelAnswered("t-1", 2, "d", "plan", "action", " Retrieve\n", chance=0.9),
        happened.AnswerEdited("t-1", 2, " Finish\n"),
    ])  # fmt: skip
    feed = TranscriptFeed(run, "t-1", RunState())
    feed.log.read()
    feed.refresh(None)
    texts = [feed.document.text(index).replace("\N{NO-BREAK SPACE}", " ") for index in range(3)]
    assert texts == ["right   · probability 27%", "I look.", "Finish   · edited by a person"]
    assert feed.answer(0) is not None
    assert feed.answer(0).text == "right"  # type: ignore[union-attr]
    feed.refresh(TokenSpoken("t-1", 3, "argument", "Fid"))
    assert feed.document.text(3) == "Fid"
    assert feed.answer(3) is None, "it cannot be edited before it is whole"
    assert feed.last_answer() is not None
    assert feed.last_answer().owner == 2  # type: ignore[union-attr]
    feed.log.close()


@pytest.mark.parametrize(("cast", "tries"), [("group-majority", ["try 2, from the question again"]), ("group", [])])
def test_the_tries_of_a_majority_are_told_apart(tmp_path: Path, cast: str, tries: list[str]) -> None:
    """The second thought continues the first try, whose prompt grew; the third begins with a short prompt again."""
    unit = f"{cast}-held-001"
    said = [("plan", "thought", 100), ("tool", "argument", 130), ("plan", "thought", 160), ("plan", "thought", 100)]
    run = write(project(tmp_path), [
        *(happened.ModelAnswered(unit, n, "d", role, part, f"text {n}", prompt_tokens=tokens)
          for n, (role, part, tokens) in enumerate(said)),
        happened.ToolObserved(unit, 4, "d", "Retrieve", "Fidelio", "An opera."),
    ])  # fmt: skip
    feed = TranscriptFeed(run, unit, RunState())
    feed.log.read()
    feed.refresh(None)
    shown = [feed.document[index] for index in range(len(feed.document))]
    assert [one.text for one in shown if one.part == "try"] == tries
    assert [one.owner for one in shown if one.part != "try"] == [0, 1, 2, 3, 4]
    assert shown[-3 if tries else -2].part == ("try" if tries else "thought")
