"""Writes a trajectory from the facts that a question was made of: real tool calls, and thoughts that state the facts.

The meta-agent has confirmed each fact from its page alone (self-instruct by type). A small model never strings two of
them together in a free try, but learns to from such trajectories. It does not learn to compare numbers or words: where
there are tools for it, those compare them. A failed try that continues in the same way shows what to do after a verdict
*wrong*.
"""

from __future__ import annotations

import random
import re
from collections.abc import Generator, Iterator
from typing import Any

import msgspec

from autoact import scratchpad
from autoact.lessons import cut_after_wrong
from autoact.metrics import normalise, reward
from autoact.script import Card, Observation, Request, Use
from autoact.stages.draft_text import NAME_OR_NUMBER
from autoact.trajectory import (
    FINISH,
    FROM_FACTS,
    META,
    MISTAKEN,
    REFLECT,
    REPAIRED,
    RIGHT,
    Evidence,
    Question,
    Step,
    Trajectory,
)

JUDGED_RIGHT = "The page says so and it answers the question."
CALCULATOR, COMPARE = "Calculator", "Compare"
SAME, DIFFERENT = "the same", "different"
"""What Compare answers."""
Steps = Generator[Use, Observation, Step | None]
"""Calls a tool; returns its step, or None when no tool gives what is needed."""


def write_from_facts(unit: str, question: Question, card: Card) -> Generator[Request, Any, Trajectory]:
    """Reads the pages of a question in order, states what each says, and gives the answer.

    The trajectory ends early, without an answer, when no tool returns a page with its fact, or when the answer does not
    follow from the facts.
    """
    steps: list[Step] = []
    for number, (title, evidence) in enumerate(zip(question.gold, question.evidence, strict=True)):
        step = yield from _read(_plan(question, number), title, evidence, card)
        if step is None:
            return Trajectory(unit, question, tuple(steps), halt="steps", made=FROM_FACTS)
        steps.append(step)
    compared = yield from _compare(question, card)
    if not _follows(question):
        return Trajectory(unit, question, tuple(steps), halt="steps", made=FROM_FACTS)
    if compared is not None:
        steps.append(compared)
    answer = question.answer or ""
    steps.append(Step(_conclude(question, compared), FINISH, answer, scratchpad.REFLECT_NOW))
    steps.append(Step(JUDGED_RIGHT, REFLECT, RIGHT, ""))
    return Trajectory(
        unit, question, tuple(steps), answer, RIGHT, "answered", reward(answer, question), META, FROM_FACTS
    )


def make_mistakes(written: Trajectory, seed: int) -> Iterator[Trajectory]:
    """Yields trajectories that end with a mistake: after the first of two pages, or with another answer.

    The reflect-agent learns from them what is wrong. Tries of the meta-agent differ from those of the group in more
    than their answers, so from them alone it learns to tell the two apart.
    """
    question, ends = written.question, []
    if question.type in ("two-hop", "comparison") and len(question.gold) > 1 and len(written.steps) > 1:
        answer = question.gold[0] if question.type == "comparison" else question.evidence[0].value
        ends.append(("c", written.steps[:1], f"{question.evidence[0].says}, so the answer is {answer}.", answer))
    before, last = written.steps[:-2], written.steps[-2]
    if other := _other_answer(written, seed):
        known, _, _ = last.thought.rpartition(", so the answer is ")
        ends.append(("m", before, f"{known}, so the answer is {other}.", other))
    for letter, steps, thought, answer in ends:
        if reward(answer, question) == 0:
            end = (Step(thought, FINISH, answer, scratchpad.REFLECT_NOW), Step(JUDGED_RIGHT, REFLECT, RIGHT, ""))
            unit = f"{letter}-{question.id}"
            yield Trajectory(unit, question, (*steps, *end), answer, RIGHT, "answered", 0.0, META, MISTAKEN)


def _other_answer(written: Trajectory, seed: int) -> str:
    """Returns an answer of the same question's form that is wrong: the other subject, no for yes, or words of the page.

    Empty if the page has no others.
    """
    question = written.question
    if question.type == "yes-no":
        return "no" if question.answer == "yes" else "yes"
    if question.type == "comparison":
        return question.gold[1 - _winner(question)]
    found = dict.fromkeys(match.strip() for match in NAME_OR_NUMBER.findall(written.steps[-3].observation))
    others = [words for words in found if reward(words, question) == 0]
    return random.Random(f"{seed}/{question.id}").choice(others) if others else ""


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


def _plan(question: Question, number: int) -> str:
    """Returns the thought before a page is read: what the page before said, what this one is read for, what comes then.

    What comes then is remembered in it: a small model that has read a page sooner looks at its last thought than at the
    question.
    """
    evidence, read = question.evidence[number], f"read the page about {question.gold[number]}."
    begin = f"{question.evidence[number - 1].says}. " if number else ""
    if not evidence.need:
        return f"{begin}I should {read}"
    then = f", then {later}" if (later := _later_need(question, number + 1)) else ""
    return f"{begin}I need {evidence.need}{then}, so I should {read}"


def _later_need(question: Question, number: int) -> str:
    """Returns what a later page will be read for; a subject that only the page before names is `that`."""
    if number >= len(question.evidence):
        return ""
    need, title = question.evidence[number].need, question.gold[number]
    if question.type != "two-hop":
        return need
    found = re.sub(rf"\b{re.escape(title)}\b", "that", need, flags=re.IGNORECASE)
    return found.replace("the that", "that") if found != need else ""


def _read(thought: str, title: str, evidence: Evidence, card: Card) -> Steps:
    """Calls one tool after another with the title until one returns the page with the fact."""
    without_subject = re.sub(re.escape(title), "", evidence.says, flags=re.IGNORECASE)  # the page may use a pronoun
    for tool in card.tools:
        observed = yield Use(tool.name, title)
        if not observed.failed and _words(without_subject) <= _words(observed.text):
            return Step(thought, tool.name, title, observed.text)
    return None


def _compare(question: Question, card: Card) -> Steps:
    """Has a tool compare what the pages say, for comparisons and yes/no questions; None without such a tool."""
    names = {tool.name for tool in card.tools}
    if question.type == "comparison" and CALCULATOR in names:
        return (yield from _compare_numbers(question))
    if question.type == "yes-no" and COMPARE in names:
        return (yield from _compare_texts(question))
    return None


def _compare_numbers(question: Question) -> Steps:
    """Has the calculator find the smaller or the larger number of a comparison; None if there are not two."""
    numbers = [number for evidence in question.evidence if (number := _number(evidence.value)) is not None]
    if len(numbers) != 2:
        return None
    wanted = numbers[_winner(question)]
    least = float(wanted) == min(map(float, numbers))
    call = f"{'min' if least else 'max'}({', '.join(numbers)})"
    stated = ". ".join(f"{title}: {number}" for title, number in zip(question.gold, numbers, strict=True))
    observed = yield Use(CALCULATOR, call)
    if observed.failed or observed.text.strip() != wanted:
        return None
    size = "smaller" if least else "larger"
    known = f"{question.evidence[-1].says}. {stated}. I need the {size} number"
    return Step(f"{known}, so I should calculate.", CALCULATOR, call, observed.text)


def _compare_texts(question: Question) -> Steps:
    """Has a tool tell whether what a page says is what a yes/no question asks; None if it says otherwise."""
    first, second = _asked_texts(question)
    observed = yield Use(COMPARE, f"{first}; {second}")
    if observed.failed or (observed.text == SAME) != (question.answer == "yes"):
        return None
    known = f"{question.evidence[-1].says}. I need to know whether {first} and {second} are the same, so I should"
    return Step(f"{known} compare.", COMPARE, f"{first}; {second}", observed.text)


def _follows(question: Question) -> bool:
    """Returns whether the words that a yes/no question compares are the same if its answer is yes, and only then."""
    first, second = _asked_texts(question)
    return question.type != "yes-no" or (normalise(first) == normalise(second)) == (question.answer == "yes")


def _asked_texts(question: Question) -> tuple[str, str]:
    """Returns the words of a page, and those that a yes/no question compares with them: another page's or its own."""
    first, last = question.evidence[0], question.evidence[-1]
    return (first.value, last.value) if len(question.evidence) > 1 else (last.value, last.other or last.value)


def _conclude(question: Question, compared: Step | None) -> str:
    """Returns the last thought: what the answer follows from, and the answer."""
    end, last = f"so the answer is {question.answer}.", question.evidence[-1]
    if compared is not None and compared.action == CALCULATOR:
        return f"{compared.observation.strip()} is the number of {question.gold[_winner(question)]}, {end}"
    if question.type == "comparison":
        return f"{'. '.join(one.says for one in question.evidence)}, {end}"
    if question.type == "yes-no" and (compared is not None or len(question.evidence) > 1):
        first, second = _asked_texts(question)
        how = compared.observation if compared else SAME if normalise(first) == normalise(second) else DIFFERENT
        return f"{'' if compared else f'{last.says}. '}{first} and {second} are {how}, {end}"
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
