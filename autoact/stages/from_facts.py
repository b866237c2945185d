"""Writes a trajectory from the facts that a question was made of: real tool calls, and thoughts that state the facts.

The meta-agent has confirmed each fact from its page alone (self-instruct by type). A small model rarely combines two
facts in a free try, but learns it from these trajectories. It does not learn to compare numbers or words, so tools
compare them where the project has such tools. A failed try that continues in the same way shows what to do after a
verdict *wrong*.
"""

from __future__ import annotations

import random
import re
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import msgspec

from autoact import scratchpad
from autoact.answer_checks import CONCLUSION, FOUND
from autoact.english.answer_forms import NAME
from autoact.lessons import cut_after_wrong
from autoact.metrics import normalise, reward
from autoact.script import Card, Observation, Request, Use
from autoact.stages.by_type.composition import find_comparative
from autoact.stages.by_type.facts import find_others
from autoact.trajectory import (
    FINISH,
    FROM_FACTS,
    META,
    MISTAKEN,
    REFLECT,
    REPAIRED,
    RIGHT,
    Evidence,
    Page,
    Question,
    Step,
    Trajectory,
)

JUDGED_RIGHT = "The page says so and it answers the question."
CALCULATOR, COMPARE = "Calculator", "Compare"
SAME, DIFFERENT = "the same", "different"
"""The answers of Compare."""
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
        steps += [step] if number else (yield from _miss_first(question, step))
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
    """Yields trajectories that end with a usual mistake: after the first of two pages, or with another value or winner.

    The reflect-agent learns from them what is wrong. Tries of the meta-agent differ from those of the group in more
    than their answers, so from them alone it learns to tell the two apart.
    """
    missed = sum(step.failed for step in written.steps)
    read = written.steps[missed : missed + len(written.question.gold)]
    tools = {step.action for step in written.steps[missed + len(read) :]}
    ends = [("c", read[:1], _end_after_first(written.question)), ("m", read, _mistake(written.question, read, seed))]
    for letter, steps, mistaken in ends:
        if mistaken is None or not mistaken.answer or reward(mistaken.answer, written.question) > 0:
            continue
        call = _find_call(mistaken)
        compared = _state_call(mistaken, call) if call is not None and call.tool in tools else None
        end = (
            *((compared,) if compared else ()),
            Step(_conclude(mistaken, compared), FINISH, mistaken.answer, scratchpad.REFLECT_NOW),
            Step(JUDGED_RIGHT, REFLECT, RIGHT, ""),
        )
        yield Trajectory(
            f"{letter}-{written.question.id}", written.question, (*steps, *end), mistaken.answer, RIGHT, "answered",
            0.0, META, MISTAKEN,
        )  # fmt: skip


def _end_after_first(question: Question) -> Question | None:
    """Returns a question whose facts end after the first page, with the answer that seems to follow."""
    if len(question.gold) < 2:
        return None
    first = question.evidence[0]
    answer = question.gold[0] if question.type == "comparison" else first.value
    if question.type == "yes-no":
        answer, first = "no", msgspec.structs.replace(first, other=question.gold[1])
    return msgspec.structs.replace(question, answer=answer, gold=question.gold[:1], evidence=(first,))


def _mistake(question: Question, read: Sequence[Step], seed: int) -> Question | None:
    """Returns the question with the other winner, or with another value on the last page and what follows from it."""
    last = question.evidence[-1]
    if question.type == "comparison":
        return msgspec.structs.replace(question, answer=question.gold[1 - _winner(question)])
    if question.type == "yes-no" and question.answer == "no":
        answer, value = "yes", _asked_texts(question)[1 if len(question.gold) == 1 else 0]
    else:
        value = _other_value(question, read[-1].observation, seed) if read else ""
        answer = "no" if question.type == "yes-no" else value
    if not value:
        return None
    other = last.other or (last.value if len(question.gold) == 1 and question.type == "yes-no" else "")
    evidence = (*question.evidence[:-1], msgspec.structs.replace(last, value=value, other=other))
    return msgspec.structs.replace(question, answer=answer, evidence=evidence)


def _other_value(question: Question, text: str, seed: int) -> str:
    """Returns what else the last page could seem to give: its title, or a name, number or noun like the right one."""
    value, title = question.evidence[-1].value, question.gold[-1]
    others = [title, *find_others(value, Page(title, text))]
    wrong = [other for other in others if normalise(other) != normalise(value)]
    return random.Random(f"{seed}/{question.id}").choice(wrong) if wrong else ""


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
    """Returns the thought before a page is read: what the last page said, why this one is read, what is needed later.

    The later needs are repeated because a small model pays more attention to its last thought than to the question, and
    the word of a comparison stands before what it means for the numbers.
    """
    evidence, read = question.evidence[number], f"read the page about {question.gold[number]}."
    begin = f"{_found(question.evidence[number - 1])}. " if number else ""
    if not evidence.need:
        return f"{begin}I should {read}"
    return f"{begin}I need {evidence.need}{_later_needs(question, number + 1)}, so I should {read}"


def _found(evidence: Evidence) -> str:
    """States what was needed and what the page gave; where no need is known, the words of the page.

    The value then follows the words that it is looked for by, which a small model copies better than a whole statement.
    """
    return f"{FOUND}{evidence.need}: {evidence.value}" if evidence.need else evidence.says


def _later_needs(question: Question, number: int) -> str:
    """Returns what is needed from page `number` on, as a phrase that continues a sentence."""
    following = question.evidence[number:]
    if question.type == "two-hop":
        return f", then {later}" if following and (later := _name_later(question, number)) else ""
    also = "".join(f" and {evidence.need}" for evidence in following)
    if question.type == "comparison" and (call := _find_call(question)):
        word = find_comparative(question.text)
        return f"{also}, then {f'which is {word}: ' if word else ''}the {_size(call)} number"
    if question.type == "yes-no":
        same = "they are the same" if len(question.evidence) > 1 else f"it is {_asked_texts(question)[1]}"
        return f"{also}, then whether {same}"
    return also


def _name_later(question: Question, number: int) -> str:
    """Returns the need of a later page, with `that` for its subject, which only the page before names."""
    need, title = question.evidence[number].need, question.gold[number]
    found = re.sub(rf"\b{re.escape(title)}(?!\w)", "that", need, flags=re.IGNORECASE)
    return found.replace("the that", "that") if found != need else ""


def _miss_first(question: Question, read: Step) -> Generator[Use, Observation, list[Step]]:
    """Returns the first step, after one that looks for something else that the question names and that has no page.

    The answer of the tool then names the right page. The failed first step carries no loss; learning begins after it.
    """
    title, told = question.gold[0], f"{question.gold} {question.answer}"
    other = next((name for name in re.findall(NAME, question.text)[1:] if name not in told), None)
    if other is None:
        return [read]
    observed = yield Use(read.action, other)
    if not observed.failed or title not in observed.text:
        return [read]
    thought = read.thought.replace(f"page about {title}.", f"page about {other}.")
    again = msgspec.structs.replace(read, thought=f"Could not find {other}. {read.thought}")
    return [Step(thought, read.action, other, observed.text, failed=True), again]


def _read(thought: str, title: str, evidence: Evidence, card: Card) -> Steps:
    """Calls one tool after another with the title until one returns the page with the fact."""
    without_subject = re.sub(re.escape(title), "", evidence.says, flags=re.IGNORECASE)  # the page may use a pronoun
    for tool in card.tools:
        observed = yield Use(tool.name, title)
        if not observed.failed and _words(without_subject) <= _words(observed.text):
            return Step(thought, tool.name, title, observed.text)
    return None


class _Call(msgspec.Struct, frozen=True):
    """A call that compares the values of a question, and what it must return for the question's answer."""

    tool: str
    argument: str
    returns: str


def _compare(question: Question, card: Card) -> Steps:
    """Has a tool compare what the pages say, for comparisons and yes/no questions.

    Returns None without such a tool, and where it says otherwise than the answer.
    """
    call = _find_call(question)
    if call is None or call.tool not in {tool.name for tool in card.tools}:
        return None
    observed = yield Use(call.tool, call.argument)
    return None if observed.failed or observed.text.strip() != call.returns else _state_call(question, call)


def _find_call(question: Question) -> _Call | None:
    """Returns the call that finds the smaller or the larger number, or whether two texts are the same."""
    if question.type == "yes-no":
        return _Call(COMPARE, "; ".join(_asked_texts(question)), SAME if question.answer == "yes" else DIFFERENT)
    numbers = [number for evidence in question.evidence if (number := _number(evidence.value)) is not None]
    if question.type != "comparison" or len(numbers) != 2:
        return None
    wanted = numbers[_winner(question)]
    least = float(wanted) == min(map(float, numbers))
    return _Call(CALCULATOR, f"{'min' if least else 'max'}({', '.join(numbers)})", wanted)


def _state_call(question: Question, call: _Call) -> Step:
    """Returns the step of a call that returned what it must."""
    known = _found(question.evidence[-1])
    if call.tool == COMPARE:
        first, second = _asked_texts(question)
        needed = f"I need to know whether {first} and {second} are the same, so I should compare."
    else:
        numbers = call.argument[4:-1].split(", ")
        stated = ". ".join(f"{title}: {number}" for title, number in zip(question.gold, numbers, strict=True))
        needed = f"{stated}. I need the {_size(call)} number, {call.argument}, so I should calculate."
    return Step(f"{known}. {needed}", call.tool, call.argument, call.returns)


def _size(call: _Call) -> str:
    return "smaller" if call.argument.startswith("min") else "larger"


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
    end, last = f"{CONCLUSION}{question.answer}.", question.evidence[-1]
    if compared is not None and compared.action == CALCULATOR:
        return f"{compared.observation.strip()} is the number of {question.gold[_winner(question)]}{end}"
    if question.type == "comparison":
        return f"{'. '.join(map(_found, question.evidence))}{end}"
    if question.type == "yes-no":
        first, second = _asked_texts(question)
        how = compared.observation if compared else SAME if normalise(first) == normalise(second) else DIFFERENT
        return f"{'' if compared else f'{_found(last)}. '}{first} and {second} are {how}{end}"
    return f"{_found(last)}{end}"


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
