"""The table of environments, in which episodes act."""

from __future__ import annotations

from msgspec import Struct

from autoact.registry.registry import Registry


class EnvironmentKind(Struct, frozen=True):
    """One kind of environment."""

    name: str
    """The value of `task.environment` in settings."""
    title: str
    open: str
    """`package.module:function` that opens it: (Config, Project) -> (Inputs, Environments). Raises BadInput."""


QUESTION_ANSWERING = "qa"
ENVIRONMENTS = Registry(
    "environment",
    EnvironmentKind(QUESTION_ANSWERING, "questions over a tool library", "autoact.job.inputs:open_question_answering"),
    EnvironmentKind("textworld", "text games of TextWorld", "autoact.games.environment:open_text_games"),
)
