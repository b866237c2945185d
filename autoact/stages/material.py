"""The material that self-instruct writes questions from."""

from __future__ import annotations

from msgspec import Struct

from autoact.project.config import Task
from autoact.trajectory import Example, Page, Question


class SeedMaterial(Struct, frozen=True):
    """A project's task, seed examples and pages, and the questions that it may not repeat."""

    task: Task
    examples: tuple[Example, ...]
    passages: tuple[Page, ...]
    held_out: tuple[Question, ...] = ()
    """Read only to refuse questions that repeat them."""
    seed: int = 0
