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


ENVIRONMENTS = Registry(
    "environment",
    EnvironmentKind("qa", "questions over a tool library", "autoact.job.inputs:open_question_answering"),
)
