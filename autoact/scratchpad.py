"""How an episode reads: the one renderer for synthesis, training and group planning.

A prompt is the opening (system: card, user: question) and then pieces. Each piece is tokenised by itself and has an
owner, the sub-agent whose words it is, or none when the world or the format speaks. An episode asks with prefixes of
exactly the pieces that training later sees (paper, section 3.4: trajectories are split by who is responsible).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from string import ascii_uppercase

from msgspec import Struct

from autoact import prompts
from autoact.registry.roles import role_of
from autoact.script import Card, Prompt
from autoact.trajectory import FINISH, REFLECT, RIGHT, WRONG, Part, Question, Step, Tool

THOUGHT, ACTION, ARGUMENT, OBSERVATION = "Thought:", "Action:", "Argument:", "Observation:"
REFLECT_NOW = "Please reflect on your answer."
TRY_AGAIN = "The answer may be wrong. Try another way."
NO_ANSWER = "This is no answer. Finish gives the answer to the question."
FINISH_SHORT = "gives the answer in as few words as possible, or yes or no."
FINISH_CHOICE = "gives the letter of the right option."


class Piece(Struct, frozen=True):
    """A stretch of scratchpad: its text, whose it is, and which part of the turn."""

    text: str
    owner: str = ""
    """The role whose words it is: plan, tool or reflect; empty when nobody owns it."""
    part: str = ""
    tool: str = ""
    """The tool that an argument is for."""


def opening(card: Card, question: Question) -> Prompt:
    """The prompt before the first thought."""
    finish = FINISH_CHOICE if question.choices else FINISH_SHORT
    system = prompts.fill("card", task=card.task, tools="\n".join(map(_offer, card.tools)), finish=finish)
    shown = tuple(
        (render_question(example.question), join_pieces(pieces(example.steps)).rstrip())
        for example in card.demonstrations
    )
    return Prompt(system, render_question(question), shown=shown)


def render_question(question: Question) -> str:
    """The question as the user's message, options on lines of their own."""
    options = [f"({letter}) {choice}" for letter, choice in zip(ascii_uppercase, question.choices, strict=False)]
    return "\n".join([f"Question: {question.text}", *options])


def _offer(tool: Tool) -> str:
    _, _, example = tool.usage.partition("[")
    return f"- {tool.name}: {tool.definition} For example: {example.removesuffix(']')}"


def join_pieces(parts: Iterable[Piece]) -> str:
    """Pieces as one string."""
    return "".join(piece.text for piece in parts)


def thought(words: str, part: Part = "thought") -> list[Piece]:
    """Returns a thought, or a reflection, and its end."""
    return [Piece(THOUGHT), *_line(words, part)]


def action(name: str) -> list[Piece]:
    """Returns the choice of a tool. Reflecting is not chosen, hence no role's words."""
    if name == REFLECT:
        return [Piece(ACTION), Piece(f" {name}\n")]
    return [Piece(ACTION), Piece(f" {name}\n", role_of("action"), "action")]


def argument(words: str, part: Part = "argument", tool: str = "") -> list[Piece]:
    """A tool's parameters, or the verdict, and the end of the line.

    A line of its own, not brackets: after a space a name is the token the model read on the page, after a bracket
    it is not, and small models then misspell it.
    """
    return [Piece(ARGUMENT), *_line(words, part, tool)]


def _line(words: str, part: Part, tool: str = "") -> list[Piece]:
    owner = role_of(part)
    return [Piece(f" {words}", owner, part, tool), Piece("\n", owner, part, tool)]


def observation(seen: str) -> list[Piece]:
    """What the world said."""
    return [Piece(f"{OBSERVATION} {seen}\n")]


def pieces(steps: Iterable[Step]) -> list[Piece]:
    """The whole scratchpad of these steps, with owners."""
    return [piece for step in steps for piece in step_pieces(step)]


def step_pieces(step: Step) -> list[Piece]:
    """One step: plan thinks and picks the tool, tool fills in its parameters, reflect judges."""
    if step.action == REFLECT:
        turn = [*thought(step.thought, "reflection"), *action(REFLECT), *argument(step.argument, "verdict")]
    else:
        turn = [*thought(step.thought), *action(step.action), *argument(step.argument, tool=step.action)]
    return [*turn, *observation(step.observation)]


def segments(parts: Iterable[Piece]) -> tuple[str, ...]:
    """The texts, as a prompt takes them."""
    return tuple(piece.text for piece in parts)


def tool_name(said: str, tools: Iterable[Tool]) -> str:
    """The name of an action; a person who edits one may give another name of the tool."""
    named = said.strip()
    return next((tool.name for tool in tools if named in tool.aliases), named)


def answer_choices(question: Question) -> tuple[str, ...]:
    """What may stand after `Argument:` when a multiple-choice question is answered: a letter; none for others."""
    return tuple(f" {letter}" for letter in ascii_uppercase[: len(question.choices)])


def barred_answers(question: Question, steps: Iterable[Step]) -> tuple[str, ...]:
    """The verdicts that cannot answer a question: those that neither it nor any observation speaks of.

    After Finish every demonstration says `Argument: right` where the answer is judged, and small models repeat it as
    the answer. A question about a right side or a wrong turn can still be answered so.
    """
    observations = (step.observation for step in steps if step.action not in (FINISH, REFLECT))
    spoken = set(re.findall(r"\w+", " ".join([question.text, *observations]).lower()))
    return tuple(verdict for verdict in (RIGHT, WRONG) if verdict not in spoken)


def is_answer(said: str, barred: Iterable[str]) -> bool:
    """Whether an argument of Finish says anything but a barred verdict."""
    words = re.findall(r"\w+", said.lower())
    return bool(said.strip()) and not (len(words) == 1 and words[0] in barred)


def action_choices(tools: Iterable[Tool]) -> tuple[str, ...]:
    """What may stand after `Action:`."""
    return tuple(f" {name}\n" for name in [*(tool.name for tool in tools), FINISH])
