"""The current answers of units, after edits, restarts and forks. Resume, viewers and statistics share this fold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from autoact.errors import BadInput
from autoact.events import AnswerEdited, Event, ModelAnswered, ToolObserved, UnitForked, UnitRestarted
from autoact.registry.roles import WORLD
from autoact.script import Answer, Observation
from autoact.trajectory import RIGHT, WRONG

OBSERVATION = "observation"
"""The `part` of a turn that is a tool's reply."""


class Turn(Struct, frozen=True):
    """The current answer `n` of a unit."""

    n: int
    role: str
    """The adapter that answered, or WORLD."""
    part: str
    text: str
    digest: str = ""
    """The digest of the request that it answers."""
    tokens: tuple[int, ...] = ()
    """Token ids as generated; empty after an edit, whose text the engine encodes again."""
    prompt_tokens: int = 0
    prefilled: int = 0
    ms: float = 0.0
    failed: bool = False
    """True when a tool call failed."""
    over: bool = False
    """True when the environment ended the episode, with `reward`."""
    reward: float = 0.0
    chance: float | None = None
    """The probability of a choice among the choices; None after an edit."""
    least_chance: float | None = None
    """The lowest probability of a token of a text; None after an edit."""
    edited: bool = False
    at: float = 0.0
    """The time of its event, unix seconds."""

    def reply(self) -> Answer | Observation:
        """Returns the object that is sent to the script."""
        if self.role == WORLD:
            return Observation(self.text, self.failed, self.ms, self.over, self.reward)
        return Answer(
            self.text, self.tokens, self.prompt_tokens, self.prefilled, self.ms, self.chance, self.least_chance
        )  # fmt: skip


def edited_text(part: str, text: str) -> str:
    """Returns a person's text for a part of a turn, a verdict as the model writes it. Raises BadInput if it is none."""
    if part != "verdict":
        return text
    if (word := text.strip().casefold()) not in (RIGHT, WRONG):
        raise BadInput(f"expected the verdict {RIGHT} or {WRONG}, found {text.strip()[:40] or 'nothing'}")
    return f" {word}"


@dataclass(slots=True)
class Answers:
    """The turns of units, in the order in which the units began. Numbers may be missing where a log is damaged."""

    only: Collection[str] | None = None
    """Units whose turns are kept; all by default."""
    max_turns: int | None = None
    """Number of latest turns kept of each unit; all by default."""
    max_characters: int | None = None
    """Number of characters kept of each turn; all by default."""
    units: dict[str, dict[int, Turn]] = field(default_factory=dict)
    forks: dict[str, UnitForked] = field(default_factory=dict)
    restarts: Counter[str] = field(default_factory=Counter)
    """Number of restarts by unit."""

    def take(self, event: Event | None, at: float = 0.0) -> str:
        """Applies the next event of a log. Returns the unit whose answers it changed, or an empty string."""
        unit = getattr(event, "unit", "")
        if self.only is not None and unit not in self.only:
            return ""
        match event:
            case ModelAnswered():
                self._put(unit, Turn(
                    event.n, event.role, event.part, event.text, event.ask, event.tokens, event.prompt_tokens,
                    event.prefilled, event.ms, chance=event.chance, least_chance=event.least_chance, at=at,
                ))  # fmt: skip
            case ToolObserved():
                self._put(unit, Turn(
                    event.n, WORLD, OBSERVATION, event.text, event.ask, ms=event.ms, failed=event.failed,
                    over=event.over, reward=event.reward, at=at,
                ))  # fmt: skip
            case AnswerEdited(n=n, text=text):
                return self._edit(unit, n, text)
            case UnitRestarted(n=n):
                self.restarts[unit] += 1
                turns = self.units.get(unit, {})
                for later in [number for number in turns if number >= n]:
                    del turns[later]
            case UnitForked():
                self.forks[unit] = event
                for turn in [turn for turn in self.turns(event.of) if turn.n < event.at]:
                    self._put(unit, turn)
            case _:
                return ""
        return unit

    def turns(self, unit: str) -> list[Turn]:
        """Returns a unit's turns, in order. Safe in one thread while another calls `take`."""
        return [turn for _, turn in sorted(self.units.get(unit, {}).items())]

    def get(self, unit: str, n: int) -> Turn | None:
        """Returns answer `n` of a unit, or None when it was not given or is no longer kept."""
        return self.units.get(unit, {}).get(n)

    def next(self, unit: str) -> int:
        """Returns the number of the unit's next answer."""
        return max(self.units.get(unit, ()), default=-1) + 1

    def forget(self, unit: str) -> None:
        """Drops a unit with all its answers."""
        self.units.pop(unit, None)

    def _put(self, unit: str, turn: Turn) -> None:
        if self.max_characters is not None and len(turn.text) > self.max_characters:
            turn = msgspec.structs.replace(turn, text=turn.text[: self.max_characters])
        turns = self.units.setdefault(unit, {})
        turns[turn.n] = turn
        if self.max_turns is not None and len(turns) > self.max_turns:
            del turns[min(turns)]

    def _edit(self, unit: str, n: int, text: str) -> str:
        """Replaces the text and drops the tokens. Ignores answers whose line is damaged, which are asked for again."""
        turn = self.get(unit, n)
        if turn is None:
            return ""
        unknown = {"chance": None, "least_chance": None}
        self._put(unit, msgspec.structs.replace(turn, text=text, tokens=(), failed=False, edited=True, **unknown))
        return unit
