"""Reads and writes the text of an episode: lines that begin with Thought:, Action: and Observation:, also numbered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from string import ascii_uppercase

from msgspec import Struct

from autoact.scratchpad import REFLECT_NOW, TRY_AGAIN
from autoact.trajectory import Question, Step

_LABEL = re.compile(r"^[ \t]*(thought|action input|action|argument|observation)[ \t]*\d*[ \t]*:", re.I | re.M)
_NAME = re.compile(r"(\w[\w .-]{0,63}?)\s*\[")
_QUESTION = re.compile(r"^[ \t]*question[ \t]*:", re.I | re.M)
_FIRST_OPTION = re.compile(r"\s*\n\s*(?:Options:\s*)?(?=\(A\)\s)|\s*\bOptions:\s*(?=\(A\)\s)")
_FAILED = re.compile(r"invalid action|bing ?search error|could not find that page, please try again", re.I)
"""The beginnings of observations of calls that the published code refused or could not carry out."""
_VERDICTS = (
    (re.compile(r"please reflect (?:on )?your answer", re.I), REFLECT_NOW),
    (re.compile(r"the answer may ?be wrong", re.I), TRY_AGAIN),
    (re.compile(r"answer is (?:in)?correct|episode finished, reward =", re.I), ""),
)
"""Observations that are not of a tool, and what AutoAct has in their place: nothing that tells the gold answer."""
_RIGHT = re.compile(r"\bEpisode finished, reward = (?:True|1)\b", re.I)


class RawTrajectory(Struct, frozen=True):
    """A trajectory as a file has it."""

    question: str
    """Its text, with the options of multiple choice."""
    steps: tuple[Step, ...]
    answer: str | None = None
    """The gold answer; None if the file does not have it."""
    id: str = ""
    choices: tuple[str, ...] = ()
    """The options; if empty, those in the question's text count."""
    ended: bool = True
    """False if the episode was stopped at a limit."""
    right: bool = False
    """True if the file says that the final answer is right."""


def parse_steps(text: str) -> tuple[Step, ...]:
    """Returns the steps of a transcript; words before a first label other than Thought: are a thought."""
    steps: list[Step] = []
    parts: dict[str, str] = {}
    for label, words in _split_labels(text):
        if parts and (label == "thought" or label in parts):
            steps.append(_make_step(parts))
            parts = {}
        parts[label] = words
    return tuple([*steps, _make_step(parts)] if parts else steps)


def says_right(text: str) -> bool:
    """Returns whether a transcript ends with the remark that its answer was right."""
    return bool(_RIGHT.search(text[-200:]))


def render_steps(steps: Iterable[Step], *, numbered: bool = False) -> str:
    """Returns a transcript; the inverse of `parse_steps` for texts without labels at the beginning of a line."""
    lines = []
    for number, step in enumerate(steps, 1):
        mark = f" {number}" if numbered else ""
        lines += [f"Thought{mark}: {step.thought}", f"Action{mark}: {render_call(step)}"]
        if step.observation:
            lines.append(f"Observation{mark}: {step.observation}")
    return "\n".join(lines)


def render_call(step: Step) -> str:
    """Returns a step's action and argument as `Name[argument]`; an action that was no call as it is."""
    return f"{step.action}[{step.argument}]" if step.argument or not step.failed else step.action


def make_step(thought: str, action: str, argument: str, observation: str = "") -> Step:
    """Returns a step whose observation is as AutoAct writes it, and which is marked as failed if it says so."""
    for pattern, words in _VERDICTS:
        if pattern.match(observation):
            return Step(thought, action, argument, words)
    return Step(thought, action, argument, observation, failed=bool(_FAILED.match(observation)))


def find_question(text: str) -> str:
    """Returns the words after the last label `Question:` of a prompt; without one, all of it."""
    labels = list(_QUESTION.finditer(text))
    return text[labels[-1].end() if labels else 0 :].strip()


def split_options(text: str) -> tuple[str, tuple[str, ...]]:
    """Returns a question without its options, and the options (A), (B), ... that it ends with."""
    first = _FIRST_OPTION.search(text)
    if first is None:
        return text.strip(), ()
    rest, choices = text[first.end() :].strip(), list[str]()
    for letter in ascii_uppercase[1:]:
        words, mark, rest = rest.removeprefix(f"({ascii_uppercase[len(choices)]})").partition(f"({letter})")
        choices.append(words.strip())
        if not mark:
            break
        rest = mark + rest
    return text[: first.start()].strip(), tuple(choices)


def render_question_text(question: Question) -> str:
    """Returns the text of a question with its options, a line for each."""
    options = (f"({letter}) {choice}" for letter, choice in zip(ascii_uppercase, question.choices, strict=False))
    return "\n".join([question.text, *options])


def _split_labels(text: str) -> Iterator[tuple[str, str]]:
    labels = list(_LABEL.finditer(text))
    before = text[: labels[0].start() if labels else len(text)].strip()
    if before and not (labels and labels[0][1].lower() == "thought"):
        yield "thought", before
    ends = [*(label.start() for label in labels[1:]), len(text)]
    for label, end in zip(labels, ends, strict=False):
        words = text[label.end() : end].strip()
        name = label[1].lower()
        yield ("argument" if name == "action input" else name), words


def _make_step(parts: dict[str, str]) -> Step:
    action, argument = split_call(parts.get("action", ""))
    return make_step(parts.get("thought", ""), action, parts.get("argument", argument), parts.get("observation", ""))


def split_call(text: str) -> tuple[str, str]:
    """Returns name and argument of `Name[argument]`, without words after it; the whole text as name if it is no call.

    The argument ends at the bracket that closes the first one, or with the text.
    """
    called = _NAME.match(text)
    if called is None:
        return text, ""
    depth = 1
    for at in range(called.end(), len(text)):
        depth += {"[": 1, "]": -1}.get(text[at], 0)
        if not depth:
            return called[1], text[called.end() : at]
    return called[1], text[called.end() :]
