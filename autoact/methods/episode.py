"""The episode as a method, for the meta-agent alone and for the group, which differ only in their casts."""

from __future__ import annotations

from autoact.episode import Episode, Script
from autoact.methods.settings import MethodSettings
from autoact.metrics import reward
from autoact.trajectory import Question


def answer_question(unit: str, question: Question, settings: MethodSettings) -> Script:
    """Returns the script that answers one question; it returns a Trajectory."""
    return Episode(
        unit, question, settings.card, settings.cast, settings.sampling, settings.limits, reward, settings.hint
    ).play()  # fmt: skip
