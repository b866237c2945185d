"""The table of methods, which answer questions. A method has a script, and a cast of adapters for its parts."""

from __future__ import annotations

from msgspec import Struct

from autoact.registry.registry import Registry
from autoact.trajectory import Cast

EPISODE = "autoact.methods.episode:answer"


class Method(Struct, frozen=True):
    """One way to answer a question."""

    name: str
    title: str
    """A few words, for lists."""
    script: str
    """`package.module:function` that makes the script: (unit, question, MethodSettings) -> Script of a Trajectory."""
    cast: Cast
    """Its adapters and the parts that they play; empty for the base model alone."""
    trained: bool = False
    """True if it uses the cast of the adapters that differentiation trains, in place of `cast`."""

    @property
    def needs_adapters(self) -> bool:
        """True if it can answer only after a training."""
        return self.trained or bool(self.cast.adapters)


METHODS = Registry(
    "method",
    Method("meta", "the meta-agent alone", EPISODE, Cast("meta")),
    Method("group", "the trained sub-agents together", EPISODE, Cast("group"), trained=True),
)


def answerable_methods(*, trained: bool) -> tuple[str, ...]:
    """Returns the names of the methods that can answer; `trained` tells whether a run has trained adapters."""
    return tuple(method.name for method in METHODS if trained or not method.needs_adapters)
