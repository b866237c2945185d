"""What a method's script is given beside its question."""

from __future__ import annotations

from msgspec import Struct

from autoact.episode import Limits
from autoact.script import Card, Sampling
from autoact.trajectory import Cast


class MethodSettings(Struct, frozen=True):
    """How a method answers."""

    card: Card
    cast: Cast
    sampling: Sampling
    limits: Limits
