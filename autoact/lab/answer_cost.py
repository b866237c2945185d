"""The cost of answers in tokens, in seconds, and in money where the settings of the model have prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from msgspec import Struct

from autoact.events import QuestionSolved
from autoact.project.config import Model

MILLION = 1_000_000


class TokenPrice(Struct, frozen=True):
    """The prices of a million tokens, in one currency; at least one is above 0."""

    prompt: float
    """Of prompt tokens that are encoded; those that a cache holds cost nothing."""
    generated: float

    def of(self, answer: QuestionSolved, generated: int) -> float:
        """Returns the price of an answer for which so many tokens were generated."""
        encoded = max(0, answer.tokens - generated)
        return (encoded * self.prompt + generated * self.generated) / MILLION


class AnswerCost(Struct, frozen=True):
    """The costs of some answers, as means per answer."""

    tokens: float
    """Prompt tokens encoded plus tokens generated."""
    generated: float
    """Tokens generated; 0 where a log does not tell."""
    seconds: float
    """Time waited for the model, which answers several questions at once."""
    money: float | None
    """In the currency of the prices; None without prices."""


def mean_cost(answers: Sequence[tuple[QuestionSolved, int]], price: TokenPrice | None) -> AnswerCost:
    """Returns the costs of at least one answer; each comes with the number of tokens generated for it."""
    return AnswerCost(
        fmean(one.tokens for one, _ in answers), fmean(generated for _, generated in answers),
        fmean(one.seconds for one, _ in answers),
        fmean(price.of(one, generated) for one, generated in answers) if price else None,
    )  # fmt: skip


def read_price(model: object) -> TokenPrice | None:
    """Returns the prices in the settings of a model, also as a log has them; None if there are none."""
    if isinstance(model, Model):
        model = {"prompt_price": model.prompt_price, "generated_price": model.generated_price}
    if not isinstance(model, Mapping):
        return None
    prices = (model.get(name) for name in ("prompt_price", "generated_price"))
    prompt, generated = (float(price) if isinstance(price, int | float) else 0.0 for price in prices)
    return TokenPrice(prompt, generated) if prompt > 0 or generated > 0 else None
