"""What a script may want from the world: Ask the model, Use a tool, Train an adapter.

A script is a generator that yields wishes and is sent their answers. It touches no model, disk or clock, so
resume is replay, a batch is many scripts waiting at once, and a test is a list of answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

from autoact.events import Event
from autoact.trajectory import Example, Part, Question, Tool, Trajectory


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
        """The prompt that goes on with `segments`."""
        return Prompt(self.system, self.user, (*self.segments, *segments), self.shown)


class Sampling(Struct, frozen=True):
    """How tokens are drawn. Temperature 0 is greedy."""

    temperature: float = 0.0
    top_p: float = 1.0


class Ask(Struct, frozen=True, tag="ask"):
    """One completion by one adapter. Answered with an `Answer`."""

    adapter: str = field(name="role")
    """META for the base model; `role` in digests, as it always was."""
    part: Part
    prompt: Prompt
    stop: tuple[str, ...] = ("\n",)
    """Text that ends the answer; it is not part of it."""
    limit: int = 48
    """Most new tokens."""
    least: int = 0
    """Tokens before which the answer may not end: a thought is a sentence, not a name. From 1 on it has a word."""
    sampling: Sampling = Sampling()
    choices: tuple[str, ...] = ()
    """When given, the answer is exactly one of these."""
    barred: tuple[str, ...] = ()
    """Words with which the answer may not begin, in whatever case."""


class Match(Ask, frozen=True, tag="match"):
    """Which of the choices a text goes with. Answered, as any ask, with one of them.

    It is the one after whose beginning the model finds the text likeliest. A small model tells that much better than
    it names what it wants. The prompt is for people to read; no token is drawn.
    """

    beginnings: tuple[str, ...] = ()
    """One for each choice."""
    text: str = ""


class Use(Struct, frozen=True, tag="use"):
    """One tool call. Answered with an `Observation`, also when the tool fails."""

    tool: str
    argument: str


class Train(Struct, frozen=True, tag="train"):
    """One adapter to be trained on kept trajectories. Answered with an `Adapter`."""

    adapter: str
    """Its name."""
    lessons: tuple[Lesson, ...]
    card: Card
    """What the adapter will be prompted with."""


class Lesson(Struct, frozen=True):
    """A trajectory to learn from, and which of its parts carry loss."""

    trajectory: Trajectory
    parts: tuple[str, ...]
    """Those that carry loss: thought, action, argument (or `argument:TOOL`), reflection, verdict."""

    def has_loss(self, part: str, tool: str = "") -> bool:
        """Returns whether a part of a turn carries loss; `tool` is the tool that an argument is for."""
        return part in self.parts or f"{part}:{tool}" in self.parts


class Answer(Struct, frozen=True, omit_defaults=True):
    """What the model said, and what it cost."""

    text: str
    tokens: tuple[int, ...] = ()
    """Token ids as generated, stop included."""
    prompt_tokens: int = 0
    prefilled: int = 0
    """Prompt tokens that had to be encoded for this answer; the rest came from the episode's cache."""
    ms: float = 0.0


class Observation(Struct, frozen=True, omit_defaults=True):
    """What a tool call, or another action in an environment, gave back."""

    text: str
    failed: bool = False
    ms: float = 0.0
    over: bool = False
    """Whether the environment has come to its end with this action."""
    reward: float = 0.0
    """What the environment gives for the episode, 0 to 1, once it is over."""


Request = Ask | Use | Train
Script = Generator[Request, Any, Any]
"""Yields wishes, is sent Answer, Observation or Adapter, returns the unit's result."""


class Unit(Struct, frozen=True):
    """One item of a stage's work: a name that never changes across resumes, and how its script is begun."""

    name: str
    begin: Callable[[], Script]
    """Makes the script, as often as the unit is begun: at first, again after an edit, and for every fork."""
    question: Question | None = None
    """What an episode is to answer; None for other work."""


Commits = Callable[[Any, float, int], Event]
"""Makes the event of a unit's result, from (result, seconds the model took, tokens)."""


class Round(Struct, frozen=True):
    """Units that may run at the same time. Answered with their results, in order; a failed unit gives None."""

    units: Sequence[Unit]
    commits: Commits | None = None
    """The event that a unit's result becomes as soon as it ends."""
    admits: Callable[[Question, str], Unit] | None = None
    """Makes a unit of a question that a person puts in while the round goes on, and the cast that is to answer."""
    patience: float = 0.0
    """Seconds that a round which admits waits for another question before it ends."""


FORK = "~"


def fork_name(unit: str, number: int) -> str:
    """The name of the `number`th fork of a unit. A fork may be forked again."""
    return f"{unit}{FORK}{number}"


def root_of(unit: str) -> str:
    """The unit that was there before any fork."""
    return unit.partition(FORK)[0]


def is_fork(unit: str) -> bool:
    """Whether a unit replays the beginning of another."""
    return FORK in unit


StageScript = Generator[Round | Event, Any, None]
"""Yields rounds of units and the events its decisions become; the conductor logs each event once."""


class Card(Struct, frozen=True):
    """What an episode's prompt says before the question: the task, the tools, the demonstrations."""

    task: str
    tools: tuple[Tool, ...]
    demonstrations: tuple[Example, ...] = ()


def digest(wish: Request) -> str:
    """Twelve hex digits that change whenever the wish does; guards replay against changed prompts or code."""
    told = msgspec.to_builtins(wish)
    if not told.get("barred"):
        told.pop("barred", None)  # the field is younger than many logs, whose answers must still be recalled
    return hashlib.blake2s(msgspec.json.encode(told), digest_size=6).hexdigest()
