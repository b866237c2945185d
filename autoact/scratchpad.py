"""Renders episodes as text, in the same way for synthesis, training and group planning.

A prompt is an opening (system message: card, user message: question) and then pieces. Each piece is tokenised by
itself. Its owner is the role that writes it, or none for observations and fixed text. The prompts of an episode are
prefixes of exactly the pieces that training later uses (paper, section 3.4: each agent learns its own parts).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from string import ascii_uppercase

from msgspec import Struct

from autoact import prompts
from autoact.english.verbs import AUXILIARIES
from autoact.registry.roles import role_of
from autoact.script import Card, Prompt
from autoact.trajectory import FINISH, REFLECT, RIGHT, WRONG, Part, Question, Step, Tool

THOUGHT, ACTION, ARGUMENT, OBSERVATION = "Thought:", "Action:", "Argument:", "Observation:"
READ = "Pages to read:"
FAILED = "The following steps lead to a wrong answer."
REFLECT_NOW = "Please reflect on your answer."
TRY_AGAIN = "The answer may be wrong. Try another way."
NO_ANSWER = "This is no answer. Finish gives the answer to the question."
FINISH_SHORT = "gives the answer in as few words as possible, or yes or no."
FINISH_CHOICE = "gives the letter of the right option."
MOVES = "You can: "
"""Begins the list of possible moves, at the end of a played task and of its observations."""
OFFERS = " Similar: ["
"""Begins the list of titles that a tool offers in place of one that it could not find."""
_ENDS_WITH_WHICH = re.compile(
    r"\b(?:by|to|from|for|with|of|in|on|at) (?:whom?|what|(?:what|which) \w+(?: \w+)?)\s*\?*$", re.IGNORECASE
)
"""The end of a question that asks which, as in `Do the Right Thing was directed by whom?`."""


class Piece(Struct, frozen=True):
    """A piece of scratchpad: its text, its owner, and its part of the turn."""

    text: str
    owner: str = ""
    """The role that writes it: plan, tool or reflect; empty if none does."""
    part: str = ""
    tool: str = ""
    """The tool that an argument is for."""


def opening(
    card: Card, question: Question, hint: Sequence[str] = (), *, notes: Sequence[str] = (), reflects: bool = True,
    failed: bool = False,
) -> Prompt:  # fmt: skip
    """Returns the prompt before the first thought; `hint` are titles of pages that answer the question.

    `notes` are lines after the question. With `reflects` false, nothing speaks of reflection. With `failed` it says
    that a failed try follows: only for training, no episode asks with it.
    """
    if question.played:
        system = prompts.fill("played_card", task=card.task, tools=offers(card.tools))
    else:
        name = "card" if reflects else "methods/react"
        system = prompts.fill(name, task=card.task, tools=offers(card.tools), finish=finish_rule(question))
    shown = tuple(
        (
            render_question(example.question, example.question.gold if hint else ()),
            _render_steps(example.steps, reflects=reflects),
        )
        for example in card.demonstrations
    )
    return Prompt(system, "\n".join([render_question(question, hint, failed=failed), *notes]), shown=shown)


def _render_steps(steps: Sequence[Step], *, reflects: bool) -> str:
    """Returns the scratchpad of a demonstration; without reflection it ends with the answer."""
    if reflects:
        return join_pieces(pieces(steps)).rstrip()
    return join_pieces(pieces(step for step in steps if step.action != REFLECT)[:-1]).rstrip()


def finish_rule(question: Question) -> str:
    """Returns what is said about the form of an answer."""
    return FINISH_CHOICE if question.choices else FINISH_SHORT


def offers(tools: Iterable[Tool]) -> str:
    """Returns a line for each tool: its name, its definition and an example of its argument."""
    return "\n".join(map(_offer, tools))


def render_question(question: Question, hint: Sequence[str] = (), *, failed: bool = False) -> str:
    """Returns the question as the user's message.

    Each option, the pages of a hint, and FAILED before a failed try have a line of their own.
    """
    options = [f"({letter}) {choice}" for letter, choice in zip(ascii_uppercase, question.choices, strict=False)]
    pages = [f"{READ} {', then '.join(hint)}"] if hint else []
    return "\n".join([f"Question: {question.text}", *options, *pages, *([FAILED] if failed else [])])


def _offer(tool: Tool) -> str:
    _, _, example = tool.usage.partition("[")
    return f"- {tool.name}: {tool.definition} For example: {example.removesuffix(']')}"


def join_pieces(parts: Iterable[Piece]) -> str:
    """Returns the pieces as one string."""
    return "".join(piece.text for piece in parts)


def thought(words: str, part: Part = "thought") -> list[Piece]:
    """Returns the pieces of a thought or reflection."""
    return [Piece(THOUGHT), *_line(words, part)]


def action(name: str) -> list[Piece]:
    """Returns the pieces of a choice of tool. Reflect is fixed, not chosen, so no role owns it."""
    if name == REFLECT:
        return [Piece(ACTION), Piece(f" {name}\n")]
    return [Piece(ACTION), Piece(f" {name}\n", role_of("action"), "action")]


def argument(words: str, part: Part = "argument", tool: str = "") -> list[Piece]:
    """Returns the pieces of a tool's parameters, or of a verdict.

    They are on their own line, not in brackets: after a space, a name has the same tokens as in the page that the model
    read; after a bracket it has others, and small models then misspell it.
    """
    return [Piece(ARGUMENT), *_line(words, part, tool)]


def _line(words: str, part: Part, tool: str = "") -> list[Piece]:
    owner = role_of(part)
    return [Piece(f" {words}", owner, part, tool), Piece("\n", owner, part, tool)]


def observation(words: str) -> list[Piece]:
    """Returns the piece of an observation."""
    return [Piece(f"{OBSERVATION} {words}\n")]


def pieces(steps: Iterable[Step]) -> list[Piece]:
    """Returns the whole scratchpad of these steps."""
    return [piece for step in steps for piece in step_pieces(step)]


def step_pieces(step: Step) -> list[Piece]:
    """Returns the scratchpad of one step."""
    if step.action == REFLECT:
        turn = [*thought(step.thought, "reflection"), *action(REFLECT), *argument(step.argument, "verdict")]
    else:
        turn = [*thought(step.thought), *action(step.action), *argument(step.argument, tool=step.action)]
    return [*turn, *observation(step.observation)]


def segments(parts: Iterable[Piece]) -> tuple[str, ...]:
    """Returns the texts of pieces, as segments of a prompt."""
    return tuple(piece.text for piece in parts)


def tool_name(words: str, tools: Iterable[Tool]) -> str:
    """Returns the name of a tool for its name or an alias, which a person who edits an action may write."""
    named = words.strip()
    return next((tool.name for tool in tools if named in tool.aliases), named)


def answer_choices(question: Question, *, yes_no: bool = False) -> tuple[str, ...]:
    """Returns the only answers that a question may have; none if any words may answer it.

    A multiple-choice question is answered with a letter, and with `yes_no` one that asks for yes or no with these.
    """
    if yes_no and not question.choices and asks_yes_or_no(question.text):
        return (" yes", " no")
    return tuple(f" {letter}" for letter in ascii_uppercase[: len(question.choices)])


def asks_yes_or_no(question: str) -> bool:
    """Returns whether an English question begins with an auxiliary verb, and neither offers an alternative nor ends by
    asking which, as one about the film *Do the Right Thing* may.
    """
    words = re.findall(r"\w+", question.lower())
    asks_which = _ENDS_WITH_WHICH.search(question)
    return bool(words) and words[0] in AUXILIARIES and "or" not in words and not asks_which


def barred_answers(question: Question, steps: Iterable[Step]) -> tuple[str, ...]:
    """Returns the verdicts that cannot be an answer: those that occur neither in the question nor in an observation.

    Every demonstration has `Argument: right` after its answer, and small models repeat that as the answer. A question
    about a right side or a wrong turn can still be answered with it.
    """
    observations = (step.observation for step in steps if step.action not in (FINISH, REFLECT))
    words = set(re.findall(r"\w+", " ".join([question.text, *observations]).lower()))
    return tuple(verdict for verdict in (RIGHT, WRONG) if verdict not in words)


def is_answer(text: str, barred: Iterable[str]) -> bool:
    """Returns whether an argument of Finish is neither empty nor a barred verdict."""
    words = re.findall(r"\w+", text.lower())
    return bool(text.strip()) and not (len(words) == 1 and words[0] in barred)


def action_choices(tools: Iterable[Tool], *, finish: bool = True) -> tuple[str, ...]:
    """Returns the choices after `Action:`: the tools, and Finish unless `finish` is False."""
    return tuple(f" {name}\n" for name in [*(tool.name for tool in tools), *([FINISH] if finish else [])])


def list_offers(titles: Sequence[str]) -> str:
    """Returns what a tool knows in place of what it could not find, as the end of an observation; empty without any."""
    return f"{OFFERS}{'; '.join(titles)}]" if titles else ""


def read_offers(observation: str) -> tuple[str, ...]:
    """Returns what `list_offers` has listed at the end of an observation."""
    _, found, listed = observation.rpartition(OFFERS)
    return tuple(listed.removesuffix("]").split("; ")) if found and listed.endswith("]") else ()


def list_moves(moves: Iterable[str]) -> str:
    """Returns possible moves, such as `Open box`, as the end of an observation; `read_moves` reads it."""
    return f"{MOVES}{'; '.join(moves)}."


def read_moves(text: str, tools: Iterable[Tool]) -> dict[str, tuple[str, ...]]:
    """Returns the possible arguments of each of these tools, from the list of moves at the end of a text.

    Empty if the text has no such list, or no move of these tools.
    """
    _, _, listed = text.rpartition(MOVES)
    found: dict[str, tuple[str, ...]] = {}
    for name, _, words in (move.partition(" ") for move in listed.removesuffix(".").split("; ")):
        if words and any(name == tool.name for tool in tools):
            found[name] = (*found.get(name, ()), words)
    return found
