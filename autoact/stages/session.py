"""A live session: the model stays loaded and answers the questions that a person asks."""

from __future__ import annotations

from collections.abc import Mapping

from autoact.methods.settings import MethodSettings
from autoact.script import Round, StageScript, Unit
from autoact.stages.context import StageContext
from autoact.stages.group_planning import commit_solution, find, make_answer_unit, method_settings
from autoact.trajectory import Question

__all__ = ["begin", "find"]


def begin(context: StageContext) -> tuple[StageScript, int]:
    """Returns the stage, and 0: the number of questions is unknown."""
    return session(method_settings(context), context.config.session.idle), 0


def session(methods: Mapping[str, MethodSettings], idle: float) -> StageScript:
    """Answers questions until none has arrived for `idle` seconds."""

    def admit(question: Question, method: str) -> Unit:
        return make_answer_unit(method, question, methods[method])

    yield Round((), commits=commit_solution, admits=admit, patience=idle)
