"""The rules of an answer that every engine with token ids follows: where it ends, and which ids may not come next."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autoact.model.engine import Ticket
from autoact.model.tokens import ChoiceTree, Tokens
from autoact.script import Answer, Ask

if TYPE_CHECKING:  # a server's answers need no PyTorch
    from torch import Tensor


@dataclass(slots=True, eq=False)
class Running:
    """An ask that is being answered."""

    ticket: Ticket
    ask: Ask
    seed: int
    prompt: list[int]
    tree: ChoiceTree | None
    taken: list[int]
    """Ids of the answer so far."""
    began: float
    prefilled: int = 0
    chance: float | None = None
    """The probability of the choice's ids taken so far; None if they were not weighed."""
    chances: dict[int, float] = field(default_factory=dict)
    """The probabilities of the ids that may be taken next."""
    drawn: list[float] = field(default_factory=list)
    """The probabilities of the ids of a text that were drawn."""

    def weigh(self, ids: Sequence[int], logits: Tensor) -> Tensor:
        """Notes the probabilities of ids with these logits (ids,) as the next of a choice; returns the biased logits.

        The bias is that of the last choice, and counts where no other choice has the same id.
        """
        self.chances = dict(zip(ids, logits.softmax(-1).tolist(), strict=True))
        last = self.tree.last(self.taken) if self.tree and self.ask.bias else None
        return logits if last is None else logits + self.ask.bias * logits.new_tensor([one == last for one in ids])

    def take(self, id: int, chance: float | None = None) -> None:
        """Takes the next id of the answer, drawn with this probability, and those after it that no other choice has."""
        self.taken.append(id)
        if chance is not None and not self.tree:
            self.drawn.append(chance)
        if id in self.chances:
            self.chance = self.chances.pop(id) * (1.0 if self.chance is None else self.chance)
        if self.tree:
            self.taken = self.tree.forced(self.taken)

    def ids(self) -> list[int]:
        """Returns the ids of the prompt and of the answer so far."""
        return self.prompt + self.taken

    def answer(self, text: str, prompt_tokens: int | None = None) -> Answer:
        """Returns the answer with this text; `prompt_tokens` replaces the length of the prompt."""
        ms, count = 1000 * (time.monotonic() - self.began), len(self.prompt) if prompt_tokens is None else prompt_tokens
        chance = None if self.chance is None else round(self.chance, 4)
        known = self.drawn and len(self.drawn) == len(self.taken)
        least = round(min(self.drawn), 4) if known else None
        return Answer(text, tuple(self.taken), count, self.prefilled, ms, chance, least)


def forbidden_ids(tokens: Tokens, ask: Ask, taken: list[int]) -> list[int]:
    """Returns ids that may not follow `taken`: those that end the answer too early or complete a barred word."""
    return (tokens.breaks if is_early(tokens, ask, taken) else []) + tokens.closing(taken, ask.barred)


def is_early(tokens: Tokens, ask: Ask, taken: list[int]) -> bool:
    """Returns whether the answer is still too short to end."""
    return len(taken) < ask.least or (ask.least > 0 and not tokens.text(taken).strip())


def complete_text(tokens: Tokens, ask: Ask, tree: ChoiceTree | None, taken: list[int]) -> str | None:
    """Returns the text of an answer that a choice, stop text, end token or the limit completes, else None."""
    if tree:
        return tree.chosen(taken)
    if not taken:
        return None
    body = tokens.text(taken).lstrip()  # small models often begin with an empty line: a stop counts after a word
    stops = [at for stop in ask.stop if (at := body.find(stop)) >= 0]
    if stops:
        return body[: min(stops)].rstrip()
    if taken[-1] == tokens.end or len(taken) >= ask.limit:
        return body.rstrip()
    return None
