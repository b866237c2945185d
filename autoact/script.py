"""Scripts, and the requests that they yield: Ask the model, Use a tool, Train an adapter.

A script is a generator that yields requests and is sent the replies. It uses no model, disk or clock itself. So a run
is resumed by replay of its replies, many waiting scripts make a batch, and tests need only a list of answers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Generator, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

from autoact.events import Event
from autoact.trajectory import Example, Part, Question, Tool, Trajectory

_NOT_CARRIED_OUT = re.compile(r"\S+ (?:failed|is not ready)\b")
"""The beginning of the observation when a tool could not carry out a call."""


class Prompt(Struct, frozen=True):
    """A prompt that only grows: a chat opening, then segments that are tokenised one by one.

    A later prompt of the same episode has the same opening and begins with the same segments, hence with the
    same tokens; the engine encodes only what is new.
    """

    system: str
    user: str
    segments: tuple[str, ...] = ()
    shown: tuple[tuple[str, str], ...] = ()
    """Demonstrations: earlier exchanges of user and assistant."""

    def then(self, *segments: str) -> Prompt:
        """Returns this prompt with more segments."""
        return Prompt(self.system, self.user, (*self.segments, *segments), self.shown)


class Sampling(Struct, frozen=True):
    """The settings for drawing tokens. Temperature 0 takes the likeliest."""

    temperature: float = 0.0
    top_p: float = 1.0


class Ask(Struct, frozen=True, tag="ask"):
    """A request for one completion by one adapter. The reply is an `Answer`."""

    adapter: str = field(name="role")
    """META for the base model. Called `role` in digests, as in earlier versions."""
    part: Part
    prompt: Prompt
    stop: tuple[str, ...] = ("\n",)
    """Texts that end the answer and are not part of it."""
    limit: int = 48
    """Most new tokens."""
    least: int = 0
    """Fewest new tokens, for example so that a thought is a sentence. If not 0, the answer has at least one word."""
    sampling: Sampling = Sampling()
    choices: tuple[str, ...] = ()
    """If not empty, the answer is exactly one of these."""
    barred: tuple[str, ...] = ()
    """Words with which the answer may not begin, in upper or lower case."""
    bias: float = 0.0
    """Added to the log-odds of the last choice, so that it is taken from another probability than the usual one."""


class Match(Ask, frozen=True, tag="match"):
    """A request for the choice that a text matches best. The reply is an `Answer` with one of the choices.

    It is the choice after whose beginning the model finds the text likeliest: a small model is much better at this than
    at naming a choice. No token is drawn; the prompt is only for people to read.
    """

    beginnings: tuple[str, ...] = ()
    """A text for each choice, to which `text` is appended."""
    text: str = ""


class Use(Struct, frozen=True, tag="use"):
    """A request for one tool call. The reply is an `Observation`, also when the tool fails."""

    tool: str
    argument: str


class Train(Struct, frozen=True, tag="train"):
    """A request to train one adapter. The reply is an `Adapter`."""

    adapter: str
    """The adapter's name."""
    lessons: tuple[Lesson, ...]
    card: Card
    """The card that the adapter will be prompted with."""
    beside: tuple[Train, ...] = ()
    """Requests that will follow, and whose trainings may begin now."""
    validation: tuple[Lesson, ...] = ()
    """Lessons that are not learned; the loss on them is measured."""


class Lesson(Struct, frozen=True, omit_defaults=True):
    """A trajectory to learn from, with the parts that carry loss."""

    trajectory: Trajectory
    parts: tuple[str, ...]
    """The parts that carry loss: thought, action, argument (or `argument:TOOL`), reflection, verdict."""
    first: int = 0
    """The index of the first step that carries loss."""
    failed: bool = False
    """True for a failed try that is learned as such: its prompt says that it fails."""
    against: Lesson | None = None
    """A failed try of the same question that shall become less likely than this trajectory."""

    def has_loss(self, part: str, tool: str = "") -> bool:
        """Returns whether a part of a turn carries loss; `tool` is the tool that an argument is for."""
        return part in self.parts or f"{part}:{tool}" in self.parts


class Answer(Struct, frozen=True, omit_defaults=True):
    """The text that the model generated, with tokens and time."""

    text: str
    tokens: tuple[int, ...] = ()
    """Token ids as generated, including those of a stop text."""
    prompt_tokens: int = 0
    prefilled: int = 0
    """Prompt tokens encoded for this answer; the others were in the cache."""
    ms: float = 0.0
    chance: float | None = None
    """The probability of this choice among the choices, without the ask's bias; None without choices, and from engines
    that do not know it."""
    least_chance: float | None = None
    """The lowest probability of a token of this text; None for a choice, and from engines that do not know it."""


class Observation(Struct, frozen=True, omit_defaults=True):
    """The reply of a tool, or of the environment to another action."""

    text: str
    failed: bool = False
    ms: float = 0.0
    over: bool = False
    """True if this action ended the episode in its environment."""
    reward: float = 0.0
    """The environment's reward for the episode, 0 to 1: when `over` is true, and so far in tasks that are played."""


def found_nothing(text: str) -> bool:
    """Returns whether a failed observation says that a call found nothing, not that it could not be carried out."""
    return not _NOT_CARRIED_OUT.match(text)


Request = Ask | Use | Train
Script = Generator[Request, Any, Any]
"""Yields requests, is sent Answer, Observation or Adapter, and returns the unit's result."""


class Unit(Struct, frozen=True):
    """One item of a stage's work: its script, and a name that is the same in every resume."""

    name: str
    begin: Callable[[], Script]
    """Makes the script whenever the unit is begun: at first, after an edit, and for every fork."""
    question: Question | None = None
    """The question of an episode; None for other work."""


Commits = Callable[[Any, float, int], Event]
"""Returns the event of a unit's result: (result, seconds that the model took, tokens)."""


class Round(Struct, frozen=True):
    """Units that may run at the same time. The reply is a list of their results, in order; None for a failed unit."""

    units: Sequence[Unit]
    commits: Commits | None = None
    """Makes the event that is logged when a unit ends."""
    counted: bool = True
    """False if the events of its units are not the results of the stage, so that they are no progress out of those."""
    admits: Callable[[Question, str], Unit] | None = None
    """Makes the unit of a question that a person asks during the round, and of the cast that answers it."""
    patience: float = 0.0
    """Seconds without a question after which a round with `admits` ends."""


FORK = "~"
"""Separates the name of a unit from the number of its fork."""


def fork_name(unit: str, number: int) -> str:
    """Returns the name of the `number`th fork of a unit, which may itself be a fork."""
    return f"{unit}{FORK}{number}"


def root_of(unit: str) -> str:
    """Returns the name of the unit that a fork comes from, through all forks."""
    return unit.partition(FORK)[0]


def is_fork(unit: str) -> bool:
    """Returns whether a unit is a fork, which replays the beginning of another unit."""
    return FORK in unit


StageScript = Generator[Round | Event, Any, None]
"""Yields rounds of units, and events that record its decisions; the conductor logs each event once."""


class Card(Struct, frozen=True):
    """The content of an episode's prompt before the question: task, tools, demonstrations."""

    task: str
    tools: tuple[Tool, ...]
    demonstrations: tuple[Example, ...] = ()


def digest(request: Request) -> str:
    """Returns twelve hex digits that depend on the whole request, so that replay notices changed prompts or code."""
    fields = msgspec.to_builtins(request)
    for name in ("barred", "bias"):  # older logs, whose answers must still be replayed, do not know these fields
        if not fields.get(name):
            fields.pop(name, None)
    return hashlib.blake2s(msgspec.json.encode(fields), digest_size=6).hexdigest()
