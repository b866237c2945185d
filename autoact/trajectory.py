"""The data that all parts share: questions, tools, steps, trajectories, verdicts, casts. Frozen, and stored as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Part = Literal["thought", "action", "argument", "reflection", "verdict", "text"]

Count = Annotated[int, Meta(ge=0, le=2**53)]
"""A whole number that every JSON reader represents exactly. Other numbers are refused when they are read."""
StepNumber = Annotated[int, Meta(ge=0, le=10**6)]
"""The number of an optimiser's step, limited because readers keep a value for each step."""
Quantity = Annotated[float, Meta(ge=-1e12, le=1e12)]
"""A time or a score, in a range that readers can add up and print. Losses are not limited: they may diverge."""

META = "meta"
"""The name that stands for the base model without an adapter."""
FINISH, REFLECT = "Finish", "Reflect"
RIGHT, WRONG = "right", "wrong"
INSTRUCTED = "instructed"
"""The origin of a self-made question."""
BY_FILTER = "filter"
HINTED, FROM_FACTS, REPAIRED, MISTAKEN = "hinted", "from facts", "repaired", "mistaken"
"""Ways in which a trajectory was made: its prompt named the pages that answer the question; it was written from facts;
it is a failed try that was called wrong and then continued from facts; it is one from facts with a usual mistake at its
end."""
IMPORTED = "imported"
"""The way of a trajectory that another program made; also the origin of its question."""


class Picture(Struct, frozen=True, omit_defaults=True):
    """The information of a data set about a question's picture."""

    there: bool = True
    """False if the data set says that the question has none."""
    caption: str = ""
    texts: tuple[str, ...] = ()
    """Texts recognised in it."""


class Evidence(Struct, frozen=True, omit_defaults=True):
    """A statement of one page that leads to an answer."""

    says: str
    """A statement of the page that names its subject, without a full stop."""
    value: str = ""
    """The words of the statement that are asked for."""
    need: str = ""
    """A noun phrase for that value, such as `the capital of Peru`; empty if none is known."""
    other: str = ""
    """The answer that a yes/no question suggests in place of the value, if they differ."""


class Question(Struct, frozen=True, omit_defaults=True):
    """One question of a task."""

    id: str
    text: str
    answer: str | None = None
    """The gold answer; None if it is unknown."""
    origin: str = "asked"
    """seed, instructed, reference, heldout, asked, imported, or the name of a data set."""
    level: str = ""
    """easy, medium, hard, a range of grades, or empty."""
    type: str = ""
    """The type in its data set, such as one-hop, two-hop, comparison, yes-no or bridge."""
    choices: tuple[str, ...] = ()
    """Options of a multiple-choice question, whose answer is the letter or the words of one."""
    gold: tuple[str, ...] = ()
    """Titles of the pages that contain the answer, if known, in the order in which they are read."""
    evidence: tuple[Evidence, ...] = ()
    """The statement of each of these pages towards the answer, for questions that were made of facts."""
    picture: Picture | None = None
    """None if no picture is known. It is in no prompt; the tool Image2Text describes it."""
    other_answers: tuple[str, ...] = ()
    """Other gold answers that count as much."""
    scorer: str = ""
    """The scorer of answers, a name of autoact.metrics.SCORERS; empty for the scorer of HotpotQA."""
    played: bool = False
    """True for a task, such as a game, that ends by actions and not by an answer: its environment gives the reward. The
    text and each observation end with a list of the possible moves."""


class Page(Struct, frozen=True):
    """One text with a title, like a page of an encyclopedia."""

    title: str
    text: str


class Step(Struct, frozen=True, omit_defaults=True):
    """One turn of the loop; in the paper's section 2: tau, alpha = (tool name, parameters), o."""

    thought: str
    action: str
    argument: str
    observation: str = ""
    failed: bool = False
    """True if the tool call failed; the observation then gives the reason."""
    wrong_chance: float | None = None
    """The probability that the reflect part gave to *wrong*; None in other steps, and where it is not known."""


class Example(Struct, frozen=True, omit_defaults=True):
    """A seed example: a question with its answer and, if a person wrote them, the steps to it."""

    question: Question
    steps: tuple[Step, ...] = ()


class Tool(Struct, frozen=True, omit_defaults=True):
    """The description of a tool for agents: name m, definition d, usage u (paper, section 2)."""

    name: str
    definition: str
    usage: str
    """An example call, such as `Retrieve[Milhouse]`."""
    aliases: tuple[str, ...] = ()


class Trajectory(Struct, frozen=True, omit_defaults=True):
    """One ended episode."""

    unit: str
    question: Question
    steps: tuple[Step, ...]
    answer: str | None = None
    verdict: str | None = None
    """The last verdict of the reflect part: right, wrong, or None if it was never asked."""
    halt: str = "answered"
    """The reason: answered, steps (limit reached), tokens (limit reached), context (prompt too long) or over (the
    environment ended it)."""
    reward: Quantity = 0.0
    """0 to 1: token F1 with the gold answer, 1 or 0 for multiple choice, or the environment's reward."""
    cast: str = "meta"
    made: str = ""
    """HINTED, FROM_FACTS, REPAIRED, MISTAKEN or IMPORTED; empty for a plain try."""


class Verdict(Struct, frozen=True, omit_defaults=True):
    """The decision of the filter or of a person about a trajectory, with the reason."""

    unit: str
    kept: bool
    reward: Quantity
    why: str = ""
    """The reason to refuse it; the filter gives none for a kept one."""
    by: str = BY_FILTER
    """BY_FILTER, or the name of a person."""

    @property
    def refusal(self) -> str:
        """The reason to refuse it, also where a person gave none; empty for a kept one."""
        return "" if self.kept else self.why or "dropped by a person"


class VerdictQuality(Struct, frozen=True):
    """Counts of first verdicts, and how well the probability of *wrong* tells wrong answers from right ones."""

    n: Count
    wrong: Count
    called_wrong: Count
    found: Count
    """Wrong answers that were called wrong."""
    auc: float | None
    """The chance that a wrong answer has a higher probability of *wrong* than a right one; None without both kinds."""

    @property
    def recall(self) -> float:
        """The share of the wrong answers that were called wrong; 0 without any."""
        return self.found / self.wrong if self.wrong else 0.0

    @property
    def precision(self) -> float:
        """The share of the answers called wrong that were wrong; 0 without any."""
        return self.found / self.called_wrong if self.called_wrong else 0.0


class Cast(Struct, frozen=True):
    """The adapters that play the parts of a script: one for all, three, or one for each tool, for example."""

    name: str
    adapters: Mapping[str, str] = {}
    """Adapter names by role: plan, tool, reflect, or `tool:NAME` for the arguments of one tool only."""

    def adapter(self, part: str, tool: str = "") -> str:
        """Returns the adapter of a role, META if it has none; `tool` names the tool that is called."""
        return self.adapters.get(f"{part}:{tool}") or self.adapters.get(part, META)

    def names(self) -> tuple[str, ...]:
        """Returns the names of its adapters without META."""
        return tuple(name for name in dict.fromkeys(self.adapters.values()) if name != META)

    def role(self, adapter: str) -> str:
        """Returns the role that an adapter plays, if only for one tool; its own name if it plays several or none."""
        played = {part.partition(":")[0] for part, name in self.adapters.items() if name == adapter}
        return played.pop() if len(played) == 1 else adapter


class Adapter(Struct, frozen=True):
    """A trained LoRA adapter in a PEFT folder."""

    name: str = field(name="role")
    """Its name in casts. Called `role` in logs."""
    path: str
    """Relative to the run folder."""
    sha256: str
    """The digest of adapter_model.safetensors."""
    examples: Count
    """Number of spans that it was trained on."""
    loss: float
    """Mean loss per token over the last epoch, in nats."""
