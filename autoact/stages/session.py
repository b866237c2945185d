"""A live session: the model stays loaded and answers what a person asks."""

from __future__ import annotations

from collections.abc import Mapping

from autoact.methods.settings import MethodSettings
from autoact.script import Round, StageScript, Unit
from autoact.stages.context import StageContext
from autoact.stages.group_planning import answering, find, method_settings, solved
from autoact.trajectory import Question

__all__ = ["begin", "find"]


def begin(context: StageContext) -> tuple[StageScript, int]:
    """Returns the stage; how many questions come is unknown."""
    return session(method_settings(context), context.config.session.idle), 0


def session(methods: Mapping[str, MethodSettings], idle: float) -> StageScript:
    """Answers questions until none has come for `idle` seconds."""

    def admit(question: Question, method: str) -> Unit:
        return answering(method, question, methods[method])

    yield Round((), commits=solved, admits=admit, patience=idle)
