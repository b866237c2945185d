"""Writes a trajectory from the facts that a question was made of: real tool calls, and thoughts that state the facts.

The meta-agent has confirmed each fact from its page alone (self-instruct by type). A small model never strings two of
them together in a free try, but learns to from such trajectories. It does not learn to compare numbers: where there is
a calculator, that compares them. A failed try continued in the same way shows what to do after a verdict *wrong*.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

import msgspec

from autoact import scratchpad
from autoact.lessons import cut_after_wrong
from autoact.metrics import normalise, reward
from autoact.script import Card, Observation, Request, Use
from autoact.trajectory import (
    FINISH,
    FROM_FACTS,
    META,
    REFLECT,
    REPAIRED,
    RIGHT,
    Evidence,
    Question,
    Step,
    Trajectory,
)

JUDGED_RIGHT = "The page says so and it answers the question."
CALCULATOR = "Calculator"
Steps = Generator[Use, Observation, Step | None]
"""Calls a tool; returns its step, or None when no tool gives what is needed."""


def write_from_facts(unit: str, question: Question, card: Card) -> Generator[Request, Any, Trajectory]:
    """Reads the pages of a question in order, states what each says, and gives the answer.

    The trajectory ends early, without an answer, when no tool returns a page with its fact.
    """
    steps: list[Step] = []
    for title, evidence in zip(question.gold, question.evidence, strict=True):
        known = question.evidence[len(steps) - 1] if steps else None
        step = yield from _read(_plan(title, evidence, known), title, evidence, card)
        if step is None:
            return Trajectory(unit, question, tuple(steps), halt="steps", made=FROM_FACTS)
        steps.append(step)
    numbers = [_number(evidence.value) for evidence in question.evidence]
    compared = yield from _compare(question, [one for one in numbers if one is not None], card)
    if compared is not None:
        steps.append(compared)
    answer = question.answer or ""
    steps.append(Step(_conclude(question, compared), FINISH, answer, scratchpad.REFLECT_NOW))
    steps.append(Step(JUDGED_RIGHT, REFLECT, RIGHT, ""))
    return Trajectory(
        unit, question, tuple(steps), answer, RIGHT, "answered", reward(answer, question), META, FROM_FACTS
    )


def repair(failed: Trajectory, written: Trajectory, prefix: str) -> Trajectory | None:
    """Continues a failed try, after a verdict *wrong* on its first answer, with the steps written from facts.

    `prefix` is the beginning of the new trajectory's name.
    Returns None for a try without a wrong first answer. Calls that the try has made are not repeated.
    """
    begun = cut_after_wrong(failed)
    if begun is None or any(step.failed for step in begun.steps):
        return None
    known = {(step.action, normalise(step.argument)) for step in begun.steps if step.action != FINISH}
    rest = [step for step in written.steps if (step.action, normalise(step.argument)) not in known]
    unit = f"{prefix}{written.question.id}"
    return msgspec.structs.replace(written, unit=unit, steps=(*begun.steps, *rest), made=REPAIRED)


def _plan(title: str, evidence: Evidence, known: Evidence | None) -> str:
    """Returns the thought before a page is read: what the page before said, and what this one is read for."""
    read = f"read the page about {title}."
    begin = f"{known.says}. " if known else ""
    return f"{begin}I need {evidence.need}, so I should {read}" if evidence.need else f"{begin}I should {read}"


def _read(thought: str, title: str, evidence: Evidence, card: Card) -> Steps:
    """Calls one tool after another with the title until one returns the page with the fact."""
    without_subject = re.sub(re.escape(title), "", evidence.says, flags=re.IGNORECASE)  # the page may use a pronoun
    for tool in card.tools:
        observed = yield Use(tool.name, title)
        if not observed.failed and _words(without_subject) <= _words(observed.text):
            return Step(thought, tool.name, title, observed.text)
    return None


def _compare(question: Question, numbers: list[str], card: Card) -> Steps:
    """Has the calculator compare the numbers of a comparison; nothing without it, or for other questions."""
    known = any(tool.name == CALCULATOR for tool in card.tools)
    if question.type != "comparison" or len(numbers) != 2 or not known:
        return None
    wanted = numbers[_winner(question)]
    least = float(wanted) == min(map(float, numbers))
    call = f"{'min' if least else 'max'}({', '.join(numbers)})"
    stated = ". ".join(f"{title}: {number}" for title, number in zip(question.gold, numbers, strict=True))
    observed = yield Use(CALCULATOR, call)
    if observed.failed or observed.text.strip() != wanted:
        return None
    size = "smaller" if least else "larger"
    return Step(f"{stated}. I need the {size} number, so I should calculate.", CALCULATOR, call, observed.text)


def _conclude(question: Question, compared: Step | None) -> str:
    """Returns the last thought: what the answer follows from, and the answer."""
    end = f"so the answer is {question.answer}."
    if compared is not None:
        return f"{compared.observation.strip()} is the number of {question.gold[_winner(question)]}, {end}"
    if question.type == "comparison":
        return f"{'. '.join(one.says for one in question.evidence)}, {end}"
    last = question.evidence[-1]
    if question.type == "yes-no" and len(question.evidence) > 1:
        first = question.evidence[0]
        same = "the same" if normalise(first.value) == normalise(last.value) else "not the same"
        return f"{last.says}. {first.value} and {last.value} are {same}, {end}"
    return f"{last.says}, not {last.other}, {end}" if last.other else f"{last.says}, {end}"


def _winner(question: Question) -> int:
    """Returns which of the two pages of a comparison is the answer."""
    return 0 if normalise(question.gold[0]) == normalise(question.answer or "") else 1


def _number(value: str) -> str | None:
    """Returns the number that a value begins with, as a calculator reads it; None without one."""
    found = re.match(r"\d[\d,]*(?:\.\d+)?", value)
    return found[0].replace(",", "") if found else None


def _words(text: str) -> set[str]:
    """Returns the words of a text in lower case, without the `s` of a possessive."""
    return set(re.findall(r"\w+", re.sub(r"'s\b", "", text.lower())))
