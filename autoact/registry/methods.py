"""The table of methods: ways to answer a question. A method is a script and a cast: which adapter plays which part."""

from __future__ import annotations

from msgspec import Struct

from autoact.registry.registry import Registry
from autoact.trajectory import Cast

EPISODE = "autoact.methods.episode:answer"


class Method(Struct, frozen=True):
    """One way to answer a question."""

    name: str
    title: str
    """In a few words, for lists."""
    script: str
    """`package.module:function` that makes the script: (unit, question, MethodSettings) -> Script of a Trajectory."""
    cast: Cast
    """The adapters that it needs and the parts that they play; none for the base model alone."""
    trained: bool = False
    """Whether the adapters that differentiation trains play it, whichever they are, in place of `cast`."""

    @property
    def needs_adapters(self) -> bool:
        """Whether it can answer only after a training."""
        return self.trained or bool(self.cast.adapters)


METHODS = Registry(
    "method",
    Method("meta", "the meta-agent alone", EPISODE, Cast("meta")),
    Method("group", "the trained sub-agents together", EPISODE, Cast("group"), trained=True),
)


def answerable_methods(*, trained: bool) -> tuple[str, ...]:
    """Returns the names of the methods that can answer, those that need adapters only if a run has trained some."""
    return tuple(method.name for method in METHODS if trained or not method.needs_adapters)
