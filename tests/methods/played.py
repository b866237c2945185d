"""Plays the script of a method with prepared answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autoact.episode import Limits, Script
from autoact.errors import ContextFull
from autoact.methods.budget import limit_tokens
from autoact.methods.settings import MethodSettings
from autoact.registry.methods import METHODS
from autoact.registry.registry import load_object
from autoact.script import Answer, Ask, Card, Observation, Request, Sampling, Use
from autoact.trajectory import FINISH, REFLECT, Example, Question, Step, Tool, Trajectory

QUESTION = Question("q-1", "Who wrote Fidelio?", "Beethoven")
TOOLS = (
    Tool("Retrieve", "Reads a page.", "Retrieve[Fidelio]", ("Read",)),
    Tool("Lookup", "Finds a word in the page.", "Lookup[opera]"),
    Tool("Calculator", "Computes.", "Calculator[2+3]"),
)
SEED = Example(
    Question("seed-1", "What is the currency of the country where Mount Fuji stands?", "yen"),
    (
        Step("I need the country.", "Retrieve", "Mount Fuji", "Mount Fuji stands in Japan."),
        Step("I need the currency.", "Retrieve", "Japan", "The currency of Japan is the yen."),
        Step("The currency of Japan is the yen.", FINISH, "yen", "Please reflect on your answer."),
        Step("The page says so.", REFLECT, "right"),
    ),
)
CARD = Card("Answer questions.", TOOLS, (SEED,))
Reply = Callable[[Ask], str]


def settings_of(name: str, limits: Limits | None = None, tokens: int = 0, card: Card = CARD) -> MethodSettings:
    return MethodSettings(card, METHODS.get(name).cast, Sampling(), limits or Limits(), tokens=tokens)


def begin(name: str, settings: MethodSettings | None = None, question: Question = QUESTION) -> Script:
    """Begins the script of a method as group planning does."""
    settings = settings or settings_of(name)
    script = load_object(METHODS.get(name).script)(f"{name}-q-1", question, settings)
    return limit_tokens(script, f"{name}-q-1", question, settings)


def play(
    script: Script, reply: Reply | Sequence[str], *, full_at: int = -1, logged: Sequence[Any] = ()
) -> tuple[Trajectory, list[Request], list[Any]]:
    """Returns the trajectory, the requests, and their replies, of which the first are `logged`.

    Every word of an answer is a token. ContextFull is thrown in place of the reply number `full_at`.
    """
    prepared = None if callable(reply) else iter(reply)
    requests: list[Request] = []
    replies: list[Any] = []
    request = next(script)
    while True:
        requests.append(request)
        number = len(replies)
        if number < len(logged):
            replies.append(logged[number])
        elif isinstance(request, Use):
            replies.append(Observation(f"Page of {request.argument}."))
        else:
            assert isinstance(request, Ask)
            text = next(prepared) if prepared is not None else reply(request)  # type: ignore[operator]
            replies.append(Answer(text, tuple(range(len(text.split())))))
        try:
            request = script.throw(ContextFull("full")) if number == full_at else script.send(replies[-1])
        except StopIteration as end:
            assert prepared is None or next(prepared, None) is None, "not all answers were asked for"
            return end.value, requests, replies


def likely(ask: Ask) -> str:
    """Answers every ask of every method: the last choice, a call, or a word."""
    if ask.choices:
        return ask.choices[-1]
    if ask.part == "text":
        return "Retrieve[Fidelio]" if ask.prompt.segments[-1].startswith("#E") else "Retrieve, Solve"
    return "Beethoven" if ask.part == "argument" else "Beethoven wrote Fidelio."


def asks(requests: Sequence[Request]) -> list[Ask]:
    return [one for one in requests if isinstance(one, Ask)]


def calls(trajectory: Trajectory) -> list[tuple[str, str]]:
    """Returns action and argument of each step."""
    return [(step.action, step.argument) for step in trajectory.steps]
