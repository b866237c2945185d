"""The settings that a method takes beside a question."""

from __future__ import annotations

from msgspec import Struct

from autoact.episode import Limits
from autoact.script import Card, Sampling
from autoact.trajectory import Cast


class MethodSettings(Struct, frozen=True):
    """The card, cast, sampling and limits of a method's episodes."""

    card: Card
    cast: Cast
    sampling: Sampling
    limits: Limits
    hint: tuple[str, ...] = ()
    """Titles of pages that the prompt names; see `Episode`."""
    tokens: int = 0
    """Most tokens generated for a question, which methods of several attempts use up; 0 for no limit."""
