"""The table of methods, which answer questions. A method has a script, and a cast of adapters for its parts."""

from __future__ import annotations

from msgspec import Struct

from autoact.registry.registry import Registry
from autoact.trajectory import Cast

EPISODE = "autoact.methods.episode:answer_question"
BY_VERDICT = "autoact.methods.attempts:choose_by_verdict"
BY_MAJORITY = "autoact.methods.attempts:choose_by_majority"


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
    several: bool = False
    """True if it makes several attempts; a comparison that names no methods leaves it out."""

    @property
    def needs_adapters(self) -> bool:
        """True if it can answer only after a training."""
        return self.trained or bool(self.cast.adapters)


METHODS = Registry(
    "method",
    Method("meta", "the meta-agent alone", EPISODE, Cast("meta")),
    Method("group", "the trained sub-agents together", EPISODE, Cast("group"), trained=True),
    Method(
        "meta-best", "of five tries of the meta-agent, the one that it doubts least", BY_VERDICT, Cast("meta-best"),
        several=True,
    ),
    Method(
        "meta-majority", "the most frequent of five answers of the meta-agent", BY_MAJORITY, Cast("meta-majority"),
        several=True,
    ),
    Method(
        "group-best", "of five tries of the group, the one that the reflect-agent doubts least", BY_VERDICT,
        Cast("group-best"), trained=True, several=True,
    ),
    Method(
        "group-majority", "the most frequent of five answers of the group", BY_MAJORITY, Cast("group-majority"),
        trained=True, several=True,
    ),
)  # fmt: skip


def answerable_methods(*, trained: bool, usual: bool = False) -> tuple[str, ...]:
    """Returns the names of the methods that can answer; `trained` tells whether a run has trained adapters.

    With `usual`, only those that a comparison has by default.
    """
    found = (method for method in METHODS if trained or not method.needs_adapters)
    return tuple(method.name for method in found if not (usual and method.several))
