"""Reads trajectories that the published code has logged, as lessons of each sub-agent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from autoact.registry.roles import ROLES
from autoact.script import Card, Lesson
from autoact.trajectory import Question, Step, Tool, Trajectory

CARD = Card(
    "Answer questions that need facts from several pages.",
    (
        Tool("BingSearch", "Searches the web for a query and returns what fits best.", "BingSearch[dog breeds]"),
        Tool("Retrieve", "Returns the first paragraph of the page of an entity.", "Retrieve[Milhouse]"),
        Tool("Lookup", "Returns the next sentence of the page with a word.", "Lookup[river]"),
    ),
)
TURN = re.compile(
    r"Thought \d+: (?P<thought>.+)\nAction \d+: (?P<action>\w+)\[(?P<argument>.+)\]\n"
    r"Observation \d+: (?P<observation>.+)"
)


def read_trajectories(file: Path) -> Iterator[Trajectory]:
    """Yields those whose answer is right and whose every turn is complete."""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
        logged = json.loads(line)
        text = logged["prompt"].rpartition("\nQuestion:")[2]
        question, _, scratchpad = text.partition("\n")
        turns = list(TURN.finditer(scratchpad))
        if logged["correct"] and turns and scratchpad.count("\nThought ") == len(turns):
            steps = tuple(Step(*turn.group("thought", "action", "argument", "observation")) for turn in turns)
            asked = Question(f"q-{number}", question.strip(), logged["answer"])
            yield Trajectory(f"t-{number}", asked, steps, logged["answer"], "right")


def lesson(trajectory: Trajectory, adapter: str) -> Lesson:
    """A trajectory for the sub-agent of that name."""
    return Lesson(trajectory, ROLES.get(adapter).parts)
