"""Writes a trajectory from the facts of a question: real tool calls, and thoughts that state the facts.

The meta-agent has confirmed each fact from its page alone (self-instruct by type). A small model never strings two of
them together in a free try, but learns to from such trajectories.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from typing import Any

from autoact import scratchpad
from autoact.metrics import reward
from autoact.script import Card, Observation, Request, Use
from autoact.trajectory import FINISH, FROM_FACTS, META, REFLECT, RIGHT, Question, Step, Trajectory

JUDGED_RIGHT = "The pages say so and it answers the question."


def write_from_facts(unit: str, question: Question, card: Card) -> Generator[Request, Any, Trajectory]:
    """Reads the pages of a question in order, states each page's fact, and gives the answer.

    The trajectory ends early, without an answer, when no tool returns a page with its fact.
    """
    steps: list[Step] = []
    known = ""
    for title, fact in zip(question.gold, question.facts, strict=True):
        thought = f"{known}. Next I should" if known else "I should"
        step = yield from _read(f"{thought} read the page about {title}.", title, fact, card)
        if step is None:
            return Trajectory(unit, question, tuple(steps), halt="steps", cast=META, made=FROM_FACTS)
        steps.append(step)
        known = fact
    answer = question.answer or ""
    stated = ". ".join(question.facts) if needs_all_facts(question) else known
    steps.append(Step(f"{stated}, so the answer is {answer}.", FINISH, answer, scratchpad.REFLECT_NOW))
    steps.append(Step(JUDGED_RIGHT, REFLECT, RIGHT, ""))
    score = reward(answer, question)
    return Trajectory(unit, question, tuple(steps), answer, RIGHT, "answered", score, META, FROM_FACTS)


def needs_all_facts(question: Question) -> bool:
    """Returns whether the answer follows only from all facts together, as in a comparison, not from the last one."""
    return not says(question.facts[-1], question.answer or "") or question.type in ("comparison", "yes-no")


def _read(thought: str, title: str, fact: str, card: Card) -> Generator[Use, Observation, Step | None]:
    """Returns the step of the first tool that returns the page with the fact; None when none does."""
    for tool in card.tools:
        observed = yield Use(tool.name, title)
        if not observed.failed and says(observed.text, _without(fact, title)):
            return Step(thought, tool.name, title, observed.text)
    return None


def says(text: str, statement: str) -> bool:
    """Returns whether a text has every word of a statement."""
    return set(_words(statement)) <= set(_words(text))


def _without(fact: str, title: str) -> str:
    """Returns a fact without the name of its subject: the page may use a pronoun."""
    return re.sub(re.escape(title), "", fact, flags=re.IGNORECASE)


def _words(text: str) -> Sequence[str]:
    return re.findall(r"\w+", text.lower())
