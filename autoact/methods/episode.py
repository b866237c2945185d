"""The episode as a method: the meta-agent alone and the group are two casts of it."""

from __future__ import annotations

from autoact.episode import Episode, Script
from autoact.methods.settings import MethodSettings
from autoact.metrics import reward
from autoact.trajectory import Question


def answer(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script of one question; it ends with a Trajectory."""
    return Episode(
        unit, question, settings.card, settings.cast, settings.sampling, settings.limits, reward
    ).play()  # fmt: skip
