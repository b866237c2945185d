"""The data that travel: questions, tools, steps, trajectories, verdicts, casts. Frozen, and JSON as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Part = Literal["thought", "action", "argument", "reflection", "verdict", "text"]

Count = Annotated[int, Meta(ge=0, le=2**53)]
"""A whole number that any program reads exactly. Others are refused when they are read."""
StepNumber = Annotated[int, Meta(ge=0, le=10**6)]
"""Of an optimiser's step: readers keep a value for each one."""
Quantity = Annotated[float, Meta(ge=-1e12, le=1e12)]
"""A time or a score, within what readers can add up and print. Losses are no such numbers: they may blow up."""

META = "meta"
"""The name that stands for the base model without an adapter."""
FINISH, REFLECT = "Finish", "Reflect"
RIGHT, WRONG = "right", "wrong"
BY_FILTER = "filter"


class Picture(Struct, frozen=True, omit_defaults=True):
    """What a data set tells of a question's picture."""

    there: bool = True
    """False where the data set says that the question has none."""
    caption: str = ""
    texts: tuple[str, ...] = ()
    """Texts that were recognised in it."""


class Question(Struct, frozen=True, omit_defaults=True):
    """One question of a task."""

    id: str
    text: str
    answer: str | None = None
    """The gold answer; None when a person asks something new."""
    origin: str = "asked"
    """seed, instructed, reference, heldout, asked, or the name of a data set."""
    level: str = ""
    """easy, medium, hard, a grade band, or nothing."""
    type: str = ""
    """one-hop, two-hop, comparison, yes-no, bridge ... as the data set says."""
    choices: tuple[str, ...] = ()
    """Options of a multiple-choice question; the answer is then the letter or the words of one."""
    gold: tuple[str, ...] = ()
    """Titles of the pages that hold the answer, where they are known."""
    picture: Picture | None = None
    """None where nothing is known of a picture. No prompt shows it; Image2Text tells it."""


class Page(Struct, frozen=True):
    """One text with a name, as an encyclopedia has them."""

    title: str
    text: str


class Step(Struct, frozen=True, omit_defaults=True):
    """One turn of the loop: tau, alpha = (tool name, parameters), o in the paper's section 2."""

    thought: str
    action: str
    argument: str
    observation: str = ""
    failed: bool = False
    """Whether the tool call gave a failure as its observation."""


class Example(Struct, frozen=True, omit_defaults=True):
    """A seed example: a question with its answer and, if a person wrote them, the steps that lead there."""

    question: Question
    steps: tuple[Step, ...] = ()


class Tool(Struct, frozen=True, omit_defaults=True):
    """What an agent is told of a tool: name m, definition d, usage u (paper, section 2)."""

    name: str
    definition: str
    usage: str
    """An example call in the action syntax, as `Retrieve[Milhouse]`."""
    aliases: tuple[str, ...] = ()


class Trajectory(Struct, frozen=True, omit_defaults=True):
    """One question tried to its end."""

    unit: str
    question: Question
    steps: tuple[Step, ...]
    answer: str | None = None
    verdict: str | None = None
    """What the reflect part said last: right, wrong, or None when it was never asked."""
    halt: str = "answered"
    """answered, steps (limit reached), context (prompt too long) or over (the environment ended it)."""
    reward: Quantity = 0.0
    """Token F1 against the gold answer, 0 to 1 (1 or 0 for multiple choice)."""
    cast: str = "meta"


class Verdict(Struct, frozen=True, omit_defaults=True):
    """What the filter decided about a trajectory, and why."""

    unit: str
    kept: bool
    reward: Quantity
    why: str = ""
    """The first gate that refused it; empty when kept."""
    by: str = BY_FILTER
    """The filter, or the name of the person who decided."""


class Cast(Struct, frozen=True):
    """Which adapter plays which part. One agent, three, or one for each tool are three casts of one script."""

    name: str
    adapters: Mapping[str, str] = {}
    """Adapter names by part: plan, tool, reflect, or `tool:NAME` for the arguments of one tool alone."""

    def adapter(self, part: str, tool: str = "") -> str:
        """Returns the adapter that plays a part, META where none does; `tool` names the tool that is called."""
        return self.adapters.get(f"{part}:{tool}") or self.adapters.get(part, META)

    def names(self) -> tuple[str, ...]:
        """Returns the names of its adapters, META left out."""
        return tuple(name for name in dict.fromkeys(self.adapters.values()) if name != META)


class Adapter(Struct, frozen=True):
    """A trained LoRA, as a plain PEFT folder."""

    name: str = field(name="role")
    """What casts call it; `role` in logs."""
    path: str
    """Relative to the run folder."""
    sha256: str
    """Of adapter_model.safetensors."""
    examples: Count
    """Spans it was trained on."""
    loss: float
    """Mean loss per token over the last epoch, in nats."""
