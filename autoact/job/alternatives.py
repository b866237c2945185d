"""Computes how probable each token of an answer was, what the model would have written in its place, and how probable
each of several choices was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from msgspec import Struct
from torch import Tensor

from autoact.errors import BadInput
from autoact.model.adapters import NONE, Adapters
from autoact.model.completion import forbidden_ids
from autoact.model.store import load_model
from autoact.model.tokens import ChoiceTree, Tokens
from autoact.project.config import Config
from autoact.script import Ask, Match

MOST = 5
"""Likeliest tokens that are told for each place."""
LEAST = 0.0005
"""Least probability that is told."""
MOST_CHOICES = 24
"""Choices whose probabilities are computed; each takes a pass over the prompt."""


class TokenChance(Struct, frozen=True):
    """A token of an answer, with its probability and the likeliest tokens in its place, at temperature 1."""

    text: str
    chance: float
    likeliest: tuple[tuple[str, float], ...]


class AskProbe:
    """A model with its adapters, which weighs given answers and writes none."""

    def __init__(self, config: Config, adapters: Mapping[str, Path]):
        """Loads the model. Raises BadInput for an engine whose weights are elsewhere, and UnknownModel."""
        if config.model.engine != "local":
            raise BadInput("alternatives are computed with the engine `local` only", key="model.engine")
        self.weights = load_model(config.model.id, config.model.device, config.model.precision)
        self.tokens = Tokens(self.weights.tokenizer)
        self.adapters = Adapters()
        self.adapters.load(self.weights, adapters)

    def weigh(self, ask: Ask, answer: Sequence[int]) -> list[TokenChance]:
        """Returns the tokens of an answer, given as ids, with their probabilities among those that were allowed."""
        return [self._chance(row, id) for row, id in self._rows(ask, list(answer)) if id < len(row)]

    def weigh_choices(self, ask: Ask) -> dict[str, float]:
        """Returns the probability of each choice among all; empty without choices, or with too many of them."""
        if not 1 < len(ask.choices) <= MOST_CHOICES or isinstance(ask, Match):
            return {}
        tree, found = ChoiceTree(self.tokens, ask.choices), dict[str, float]()
        for path, choice in tree.paths.items():
            found[choice] = 1.0
            for row, id in self._rows(ask, list(path)):
                found[choice] *= float(row[id])
        return found

    @torch.inference_mode()
    def _rows(self, ask: Ask, answer: list[int]) -> Iterator[tuple[Tensor, int]]:
        """Yields for each token of an answer the probabilities (vocabulary,) in its place, and its id."""
        prompt = self.tokens.prompt(ask.prompt)
        tree = ChoiceTree(self.tokens, ask.choices) if ask.choices else None
        device = self.weights.model.device
        self.adapters.choose(self._numbers(ask, prompt, len(prompt) + len(answer)))
        try:
            ids = torch.tensor([prompt + answer], device=device)
            logits = self.weights.model(input_ids=ids, use_cache=False).logits[0, len(prompt) - 1 : -1]
        finally:
            self.adapters.choose(None)
        for number, (row, id) in enumerate(zip(logits.float().cpu(), answer, strict=True)):
            yield self._allowed(row, ask, tree, answer[:number]).softmax(-1), id

    def _numbers(self, ask: Ask, prompt: list[int], count: int) -> Tensor:
        """Returns the number of the adapter of each token; an activated one begins at its invocation."""
        number = self.adapters.numbers.get(ask.adapter, NONE)
        branch = self.adapters.find_branch(ask.adapter, prompt)
        if ask.adapter in self.adapters.invocations and branch is None:
            number = NONE
        plain = branch.at if branch is not None else 0
        return torch.tensor([NONE] * plain + [number] * (count - plain))

    def _allowed(self, row: Tensor, ask: Ask, tree: ChoiceTree | None, taken: list[int]) -> Tensor:
        """Returns logits (vocabulary,) with minus infinity for tokens that could not follow `taken`."""
        if tree is None:
            row[forbidden_ids(self.tokens, ask, taken)] = -torch.inf
        elif allowed := tree.next(taken):
            kept = torch.full_like(row, -torch.inf)
            kept[allowed] = row[allowed]
            return kept
        return row

    def _chance(self, row: Tensor, id: int) -> TokenChance:
        chances, ids = row.topk(min(MOST, len(row)))
        best = zip(ids.tolist(), chances.tolist(), strict=True)
        likeliest = tuple((self._piece(one), round(chance, 4)) for one, chance in best if chance >= LEAST)
        return TokenChance(self._piece(id), round(float(row[id]), 4), likeliest)

    def _piece(self, id: int) -> str:
        return token_text(self.tokens, id)


def token_text(tokens: Tokens, id: int) -> str:
    """Returns the text of one token, control tokens included."""
    return str(tokens.tokenizer.decode([id], skip_special_tokens=False, clean_up_tokenization_spaces=False))
